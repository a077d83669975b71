"""py-amqp's connection to the broker of this machine, without what it does at every publish that the product avoids too."""

from collections.abc import Iterator
from contextlib import contextmanager

import amqp

from deploy.local.broker import PASSWORD, USER


class Link(amqp.Connection):
    """Reads nothing before it publishes: without `connection.blocked`, which nobody needs here."""

    negotiate_capabilities = {"consumer_cancel_notify": True, "authentication_failure_close": True}


@contextmanager
def linked(port: int) -> Iterator[Link]:
    """An open connection."""
    link = Link(f"127.0.0.1:{port}", userid=USER, password=PASSWORD)
    link.connect()
    try:
        yield link
    finally:
        link.collect()  # a polite end would wait for an answer among what still comes
