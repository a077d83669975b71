"""What posts have to know, looked up together: nobody's answer depends on whose company it was found in."""

from collections.abc import Iterator
from datetime import timedelta
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
