"""What posts have to know, looked up together: nobody's answer depends on whose company it was found in."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pymongo
import pytest

from deploy.local.database import LocalDatabase
from deploy.local.ports import free_port
from services.common.ids import new_id
from services.common.times import now
from services.messaging.post_store import REPEATED_WITHIN, Asked
from services.messaging.store import MessagingStore


class NoRelay:
    """Nothing is sent here."""

    def hand_over(self, *_: Any) -> None:
        """Forget it."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MessagingStore]:
    server = LocalDatabase(tmp_path_factory.mktemp("database"), free_port())
    server.start()
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(server.uri, tz_aware=True, timeoutMS=10_000)
    store = MessagingStore(client["posts"], NoRelay())
    store.ensure_indexes()
    yield store
    client.close()
    server.stop()


def keep(store: MessagingStore, contact_id: str, **values: Any) -> str:
    conversation: dict[str, Any] = {
        "_id": new_id(),
        "contact": {"id": contact_id},
        "status": "open",
        "archived_at": None,
        "created_at": now(),
        "outbox": [],
    }
    store.database.conversations.insert_one(conversation | values)
    return str(conversation["_id"])


def say(store: MessagingStore, conversation_id: str, key: str) -> None:
    store.database.messages.insert_one({"_id": new_id(), "conversation_id": conversation_id, "seq": 1, "client_message_id": key})


def archived(ago: timedelta) -> dict[str, Any]:
    return {"status": "archived", "archived_at": now() - ago, "created_at": now() - ago}


def long_ago() -> datetime:
    return now() - REPEATED_WITHIN


def test_conversation_archived_long_ago_is_not_found_by_the_company_of_who_asks_for_it(store: MessagingStore) -> None:
    contact_id, key = new_id(), new_id()
    old = keep(store, contact_id, **archived(REPEATED_WITHIN * 2))
    say(store, old, key)
    _, visitors = store._look_up([Asked(key, conversation_id=old), Asked(key, contact_id=contact_id)])
    assert visitors.archived is None


def test_message_in_a_conversation_archived_lately_is_found_by_its_visitor_alone(store: MessagingStore) -> None:
    contact_id, key = new_id(), new_id()
    lately = keep(store, contact_id, **archived(timedelta(minutes=1)))
    say(store, lately, key)
    agents, visitors = store._look_up([Asked(key, conversation_id=lately), Asked(key, contact_id=contact_id)])
    assert visitors.archived is not None
    assert agents.archived is None
    assert agents.message is not None


def test_two_who_post_into_one_conversation_have_a_document_each(store: MessagingStore) -> None:
    contact_id = new_id()
    opened = keep(store, contact_id)
    first, second = store._look_up([Asked(new_id(), conversation_id=opened), Asked(new_id(), contact_id=contact_id)])
    assert first.conversation == second.conversation
    assert first.conversation is not second.conversation
    assert first.conversation is not None
    assert second.conversation is not None
    assert first.conversation["contact"] is not second.conversation["contact"]


def unfiled(key: str) -> dict[str, Any]:
    return {"outbox": [{"id": new_id(), "type": "message_posted", "data": {"id": new_id(), "client_message_id": key}}]}


@pytest.mark.parametrize("before", [{}, archived(timedelta(minutes=1)), archived(REPEATED_WITHIN * 2)])
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("posted", ["filed", "unfiled", "never"])
@pytest.mark.parametrize("asks", ["agent", "visitor"])
def test_who_asks_alone_is_told_the_same_as_in_company(
    store: MessagingStore, before: dict[str, Any], is_known: bool, posted: str, asks: str
) -> None:
    contact_id, key = new_id(), new_id()
    if is_known:
        store.database.contacts.insert_one({"_id": contact_id, "name": "Teal Otter"})
    conversation_id = keep(store, contact_id, **before, **(unfiled(key) if posted == "unfiled" else {}))
    say(store, conversation_id, key if posted == "filed" else new_id())
    keep(store, contact_id, **archived(timedelta(minutes=5)))
    asked = Asked(key, conversation_id=conversation_id) if asks == "agent" else Asked(key, contact_id=contact_id)
    (alone,), (company, _) = store._look_up([asked]), store._look_up([asked, Asked(new_id(), contact_id=new_id())])
    assert alone == company
    where = alone.archived if asks == "visitor" and before else alone.message
    assert (where is not None) == (posted != "never" and (asks == "agent" or before.get("archived_at", now()) > long_ago()))
    assert (alone.contact is not None) == (is_known and asks == "visitor")


def test_who_asks_alone_for_what_is_not_there_finds_nothing(store: MessagingStore) -> None:
    nothing = (None, None, None, None)
    assert store._look_up([Asked(new_id(), contact_id=new_id())]) == [nothing]
    assert store._look_up([Asked(new_id(), conversation_id=new_id())]) == [nothing]


@pytest.mark.parametrize("company", [0, 1, 3])
def test_a_long_conversation_is_not_read_for_a_post(store: MessagingStore, company: int) -> None:
    contact_id, long = new_id(), 500
    conversation_id = keep(store, contact_id)
    for number in range(20):
        keep(store, contact_id, **archived(REPEATED_WITHIN * (2 + number)))
    messages: list[dict[str, Any]] = [
        {"_id": new_id(), "conversation_id": conversation_id, "seq": seq, "client_message_id": new_id()} for seq in range(2, long)
    ]
    store.database.messages.insert_many(messages)
    asked = [Asked(new_id(), conversation_id=conversation_id), Asked(new_id(), contact_id=contact_id)]
    others = [Asked(new_id(), contact_id=new_id()) for _ in range(company)]
    store.database.command("profile", 2)
    for each in asked:
        store._look_up([each, *others])
    store.database.command("profile", 0)
    looked = list(store.database["system.profile"].find({"ns": {"$regex": r"\.(messages|conversations|contacts)$"}}))
    store.database.drop_collection("system.profile")
    assert len(looked) >= len(asked)
    assert sum(each["docsExamined"] + each["keysExamined"] for each in looked) < long / 5
