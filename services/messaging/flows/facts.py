"""What a flow may ask of the world beyond the visitor's words and fields: the hours, the visitor's country and pages, who is there.

Each fact is read when a test needs it, and not before: most turns ask for none.
"""

from typing import Protocol


class Facts(Protocol):
    """The world as one turn of the bot finds it."""

    def is_open(self) -> bool:
        """Whether the channel is within its business hours."""

    def country(self) -> str | None:
        """The visitor's country as an ISO 3166 code of two letters; None when it isn't known."""

    def url(self, page: str) -> str | None:
        """The address of the `first` or the `last` page that the visitor was on; None when it isn't known."""

    def is_available(self, agents: list[str] | None, team: str | None) -> bool:
        """Whether one of these agents, or of the team's, could take a conversation now; of all agents when both are None."""


class KnownFacts:
    """Facts known beforehand: those of a simulation, and of tests."""

    def __init__(
        self,
        *,
        open: bool = True,  # noqa: A002 - the fact's name
        country: str | None = None,
        first_url: str | None = None,
        last_url: str | None = None,
        available: bool = True,
    ) -> None:
        self._open = open
        self._country = country
        self._urls = {"first": first_url, "last": last_url}
        self._available = available

    def is_open(self) -> bool:
        """As was said."""
        return self._open

    def country(self) -> str | None:
        """As was said."""
        return self._country

    def url(self, page: str) -> str | None:
        """As was said."""
        return self._urls[page]

    def is_available(self, agents: list[str] | None, team: str | None) -> bool:  # noqa: ARG002 - the same for all
        """As was said, whoever is asked for."""
        return self._available
