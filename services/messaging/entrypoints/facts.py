"""What a flow asks of the world, read from the database when it is asked for, and once a turn."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from services.common.errors import Unavailable
from services.common.outages import is_outage
from services.common.times import now
from services.messaging import hours
from services.messaging.flows.facts import Facts
from services.messaging.store import MessagingStore

Document = dict[str, Any]


class StoredFacts:
    """The facts of one turn of a contact on a channel. A channel that is gone closes nobody out.

    Raises Unavailable while the database is away, as nothing is wrong with the flow then.
    """

    def __init__(self, store: MessagingStore, channel_id: str, contact_id: str | None) -> None:
        self._store = store
        self._channel_id = channel_id
        self._contact_id = contact_id

    def is_open(self) -> bool:
        """Whether the channel is within its business hours."""
        return self._open

    def country(self) -> str | None:
        """Where the visitor's address is."""
        code: str | None = self._contact.get("country")
        return code

    def url(self, page: str) -> str | None:
        """The visitor's first or last page."""
        url: str | None = self._contact.get(f"{page}_url")
        return url

    def is_available(self, agents: list[str] | None, team: str | None) -> bool:
        """Whether one of them is there and has room, as far as presence has told."""
        with _outages_said():
            return self._store.is_available(agents, team)

    @cached_property
    def _open(self) -> bool:
        with _outages_said():
            channel = self._store.find_channel(self._channel_id) or {}
        return hours.is_open(hours.read_hours(channel.get("business_hours")), now())

    @cached_property
    def _contact(self) -> Document:
        with _outages_said():
            return (self._store.find_contact(self._contact_id) if self._contact_id else None) or {}


class AssumedFacts:
    """Facts of a simulation: a visitor who was described, and hours and agents as they were described, else as they are now."""

    def __init__(self, real: Facts, visitor: Mapping[str, Any], *, is_open: bool | None, available: bool | None) -> None:
        self._real = real
        self._visitor = visitor
        self._assumed_open = is_open
        self._available = available

    def is_open(self) -> bool:
        """As described, else by the channel's hours."""
        return self._real.is_open() if self._assumed_open is None else self._assumed_open

    def country(self) -> str | None:
        """As described."""
        code: str | None = self._visitor["country"]
        return code and code.upper()

    def url(self, page: str) -> str | None:
        """As described."""
        url: str | None = self._visitor[f"{page}_url"]
        return url

    def is_available(self, agents: list[str] | None, team: str | None) -> bool:
        """As described, else as it is."""
        return self._real.is_available(agents, team) if self._available is None else self._available


@contextmanager
def _outages_said() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        raise Unavailable("The database did not answer.", code="DATABASE_UNAVAILABLE") from error
