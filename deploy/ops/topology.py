"""The broker's queues and streams as the operator makes them, who may make all of them."""

from dataclasses import fields, replace
from typing import Any

from kombu.connection import Connection

from services.common.settings import Settings
from services.common.topology import EPOCH_LOG, EVENT_LOG, declare, read_epoch


def declare_all(connection: Connection, settings: Settings) -> None:
    """Declare everything that the services need and that isn't there."""
    declare(connection.connection, _declaring(settings))


def declare_anew(connection: Connection, settings: Settings) -> str:
    """An empty event log of another epoch, which is returned: whoever holds a position in the old one has to fetch anew."""
    with connection.channel() as channel:
        for stream in (EVENT_LOG, EPOCH_LOG):
            channel.queue_delete(stream)
    declare_all(connection, settings)
    return read_epoch(connection.connection)


def _declaring(settings: Settings) -> Settings:
    """The settings of a process that declares, also where the services find everything given."""
    changes: dict[str, Any] = {"topology": "declare"} if any(field.name == "topology" for field in fields(settings)) else {}
    return replace(settings, **changes)
