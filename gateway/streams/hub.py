"""The streams of one gateway process, put together: the log, the fan-out, the leases, the visitors, and the streams that are open."""

from typing import Any

from gateway.settings import GatewaySettings
from gateway.streams import metrics
from gateway.streams.catchup import CatchUp
from gateway.streams.fanout import Fanout
from gateway.streams.leases import Leases, Rpc
from gateway.streams.limits import Limits
from gateway.streams.log import EventLog, Revoked
from gateway.streams.stream import ClientStream, Opening
from gateway.streams.subscriber import Viewer
from gateway.streams.visitors import BEAT_SECONDS, VisitorBeat
from gateway.streams.writer import StreamWriter

EXTENSION = "foyer_streams"


class StreamHub:
    """Start it in the process that serves, behind gevent's patching; keep it in `app.extensions["foyer_streams"]`."""

    def __init__(self, settings: GatewaySettings, rpc: Rpc, revoked: Revoked, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._fanout = Fanout(limits)
        self._log = EventLog(settings, self._fanout, revoked, limits)
        self._opening = Opening(self._log, self._fanout, CatchUp(settings.amqp_uri, self._fanout, limits.readers))
        self._leases = Leases(rpc, settings.lease_seconds)
        self._visitors = VisitorBeat(rpc, self._fanout.visitors, BEAT_SECONDS)
        self.writer = StreamWriter()

    @property
    def ready(self) -> bool:
        """Whether streams can be opened: the log has been read to where it ended. Stays so while the broker is away."""
        return self._fanout.warm

    @property
    def connected(self) -> bool:
        """Whether the log is being followed at this moment."""
        return self._log.connected

    @property
    def position(self) -> str:
        """The last place of the log that was read."""
        return str(self._fanout.position)

    def start(self) -> None:
        """Begin to follow the log, to renew leases and to tell which visitors are there. Doesn't wait for the broker."""
        self._log.start()
        self._leases.start()
        self._visitors.start()

    def stop(self) -> None:
        """End all streams, close their leases and the link to the log; takes at most about three seconds."""
        self._log.stop(0)
        self._visitors.stop(0)
        self._fanout.stop()
        self._fanout.wait_empty(1.0)
        self._leases.stop(1.0)
        self._log.stop(1.0)

    def saw_visitor(self, contact_id: str) -> None:
        """A visitor has just made a request."""
        self._visitors.saw(contact_id)

    def open(self, viewer: Viewer, last_event_id: str | None, kind: str) -> ClientStream:
        """A stream over `sse` or `ws`, with its lease if it is an agent's; the caller closes it.

        It goes on after `last_event_id`, or begins at the present without one. Raises Unavailable.
        """
        stream = self._opening.open(viewer, last_event_id)
        gauge: Any = metrics.OPEN.labels(viewer.audience, kind)
        gauge.inc()
        stream.on_close(gauge.dec)
        if viewer.agent_id is not None:
            lease = self._leases.open(viewer.agent_id, kind)
            stream.on_close(lambda: self._leases.close(lease))
        return stream
