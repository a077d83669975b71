"""`python -m tests.load.bare.rpc PORT QUEUE`: answers each message of a queue with its own body: a service without a framework."""

import sys

import amqp

from tests.load.bare.link import linked

PREFETCH = 50  # the services' own


def main(port: str, queue: str) -> None:
    """Answer for ever."""
    with linked(int(port)) as link:
        channel = link.channel()
        channel.queue_declare(queue, durable=True, auto_delete=False)
        channel.basic_qos(0, PREFETCH, a_global=False)

        def answer(message: amqp.Message) -> None:
            reply = amqp.Message(message.body, correlation_id=message.properties["correlation_id"])
            channel.basic_publish(reply, exchange="", routing_key=message.properties["reply_to"])
            channel.basic_ack(message.delivery_tag)

        channel.basic_consume(queue, callback=answer)
        while True:
            link.drain_events()


if __name__ == "__main__":
    main(*sys.argv[1:])
