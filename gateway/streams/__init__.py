"""The event streams: the log read once per gateway process, and sent to all who may see it."""

from gateway.streams.hub import EXTENSION, StreamHub
from gateway.streams.routes import blueprint

__all__ = ["EXTENSION", "StreamHub", "blueprint"]
