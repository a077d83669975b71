"""Versions written together, in a real database: each change is alone with its success or failure."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymongo
import pytest
from pymongo.database import Database

from deploy.local.database import LocalDatabase
from deploy.local.ports import free_port
from services.common.advancing import Advancer, Change
from services.common.bulk import NotWritten
from services.common.envelope import NewEvent
from services.common.errors import DocumentExists, StaleDocument
from services.common.ids import new_id
from services.common.outages import is_outage

Document = dict[str, Any]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database[Document]]:
    server = LocalDatabase(tmp_path_factory.mktemp("database"), free_port())
    server.start()
    client: pymongo.MongoClient[Document] = pymongo.MongoClient(
        server.uri, tz_aware=True, timeoutMS=10_000, w="majority", journal=True
    )
    yield client["advancing"]
    client.close()
    server.stop()


@pytest.fixture
def things(database: Database[Document]) -> pymongo.collection.Collection[Document]:
    collection = database[f"things_{new_id()}"]
    collection.create_index("place", name="place", unique=True, partialFilterExpression={"place": {"$type": "number"}})
    return collection


def insert(things: Any, **values: Any) -> Document:
    document = {"_id": new_id(), "version": 1, "outbox": [], "count": 0} | values
    things.insert_one(document)
    return document


def test_a_change_is_written_with_its_events_and_the_new_document_returned(things: Any) -> None:
    advanced = Advancer(things).advance(insert(things), {"count": 1}, [NewEvent("counted", "thing", {"count": 1})])
    assert things.find_one({"_id": advanced["_id"]}) == advanced
    assert (advanced["version"], advanced["count"]) == (2, 1)
    assert [entry["type"] for entry in advanced["outbox"]] == ["counted"]


def test_unsent_events_of_before_stay_ahead_of_the_new_ones(things: Any) -> None:
    advancer = Advancer(things)
    first = advancer.advance(insert(things), {}, [NewEvent("first", "thing", {})])
    second = advancer.advance(first, {}, [NewEvent("second", "thing", {})])
    assert [entry["type"] for entry in second["outbox"]] == ["first", "second"]
    assert things.find_one({"_id": second["_id"]}) == second


def test_a_stale_change_is_refused_and_those_beside_it_are_written(things: Any) -> None:
    stale, fresh = insert(things), insert(things)
    things.update_one({"_id": stale["_id"]}, {"$set": {"version": 2, "count": 7}})
    outcomes = Advancer(things)._write_group(
        [Change(stale, {"count": 1, "version": 2}, []), Change(fresh, {"count": 1, "version": 2}, [])]
    )
    assert isinstance(outcomes[0], StaleDocument)
    assert isinstance(outcomes[1], dict)
    assert things.find_one({"_id": stale["_id"]})["count"] == 7
    assert things.find_one({"_id": fresh["_id"]})["count"] == 1
    assert things.count_documents({}) == 2


def test_of_two_changes_of_one_version_in_a_group_one_wins(things: Any) -> None:
    document = insert(things)
    changes = [Change(dict(document), {"count": number, "version": 2}, []) for number in (1, 2)]
    outcomes = Advancer(things)._write_group(changes)
    assert sorted(isinstance(outcome, StaleDocument) for outcome in outcomes) == [False, True]
    winner = next(outcome for outcome in outcomes if isinstance(outcome, dict))
    assert things.find_one({"_id": document["_id"]}) == winner


def test_a_taken_unique_value_is_said_by_its_index(things: Any) -> None:
    insert(things, place=1)
    with pytest.raises(DocumentExists) as refused:
        Advancer(things).advance(insert(things, place=2), {"place": 1}, [])
    assert refused.value.index == "place"


def test_what_the_server_refuses_fails_alone_and_is_no_outage(things: Any) -> None:
    refused, fine = insert(things), insert(things)
    outcomes = Advancer(things)._write_group(
        [Change(refused, {"_id": "other", "version": 2}, []), Change(fine, {"version": 2}, [])]
    )
    assert isinstance(outcomes[0], NotWritten)
    assert not is_outage(outcomes[0])
    assert isinstance(outcomes[1], dict)


def test_every_count_arrives_when_many_write_few_documents_at_once(things: Any) -> None:
    ids = [insert(things)["_id"] for _ in range(4)]
    advancer = Advancer(things)

    def count(number: int) -> None:
        key = ids[number % len(ids)]
        while True:
            found = things.find_one({"_id": key})
            try:
                advancer.advance(found, {"count": found["count"] + 1}, [])
                return
            except StaleDocument:
                continue

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(count, range(200)))
    assert [things.find_one({"_id": key})["count"] for key in ids] == [50] * 4
