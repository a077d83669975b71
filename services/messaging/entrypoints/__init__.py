"""The service's entrypoints by noun; `services.messaging.service` puts them together."""
