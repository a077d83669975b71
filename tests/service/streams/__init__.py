"""The event streams against a real RabbitMQ."""
