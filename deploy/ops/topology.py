"""The broker's queues and streams as the operator makes them, who may make all of them."""

from dataclasses import replace

from kombu.connection import Connection

from services.common.settings import Settings
from services.common.topology import EPOCH_LOG, EVENT_LOG, declare, read_epoch


def declare_all(connection: Connection, settings: Settings) -> None:
    """Declare everything that the services need and that isn't there, also where they find it given."""
    declare(connection.connection, replace(settings, topology="declare"))


def declare_anew(connection: Connection, settings: Settings) -> str:
    """An empty event log of another epoch, which is returned: whoever holds a position in the old one has to fetch anew."""
    with connection.channel() as channel:
        for stream in (EVENT_LOG, EPOCH_LOG):
            channel.queue_delete(stream)
    declare_all(connection, settings)
    return read_epoch(connection.connection)
