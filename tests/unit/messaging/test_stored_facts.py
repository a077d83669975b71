from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from services.common.errors import Unavailable
from services.messaging.entrypoints.facts import AssumedFacts, StoredFacts
from services.messaging.flows.facts import KnownFacts

NEVER_OPEN = {"business_hours": {"time_zone": "Europe/Berlin", "weekly": {}}}


class Shelf:
    """A store that counts what is read of it, or that can't be read."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.reads = 0

    def find_channel(self, _: str) -> dict[str, Any]:
        return self._read(NEVER_OPEN)

    def find_contact(self, _: str) -> dict[str, Any]:
        return self._read({"country": "DE", "first_url": "https://shop.example/", "last_url": None})

    def _read(self, found: dict[str, Any]) -> dict[str, Any]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return found


def facts_on(shelf: Any) -> StoredFacts:
    return StoredFacts(shelf, "shop", "c1")


def test_nothing_is_read_until_it_is_asked_for_and_then_once() -> None:
    shelf = Shelf()
    facts = facts_on(shelf)
    assert shelf.reads == 0
    assert [facts.is_open(), facts.is_open()] == [False, False]
    assert shelf.reads == 1
    assert (facts.country(), facts.url("first"), facts.url("last")) == ("DE", "https://shop.example/", None)
    assert shelf.reads == 2


def test_outage_is_said_as_such_and_other_failures_as_they_are() -> None:
    with pytest.raises(Unavailable) as away:
        facts_on(Shelf(AutoReconnect("gone"))).country()
    assert away.value.error_code == "DATABASE_UNAVAILABLE"
    with pytest.raises(OperationFailure):
        facts_on(Shelf(OperationFailure("a wrong command", 2))).is_open()


def test_simulated_visitor_is_as_described_in_a_world_as_it_is_unless_told() -> None:
    visitor = {"country": "de", "first_url": None, "last_url": "https://shop.example/cart"}
    real = KnownFacts(open=False, country="FR", available=False)
    facts = AssumedFacts(real, visitor, is_open=None, available=None)
    assert (facts.is_open(), facts.is_available(None, None), facts.country()) == (False, False, "DE")
    assert (facts.url("first"), facts.url("last")) == (None, "https://shop.example/cart")
    told = AssumedFacts(real, visitor, is_open=True, available=True)
    assert (told.is_open(), told.is_available(["ann"], None)) == (True, True)
