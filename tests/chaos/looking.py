"""A look at what is stored, straight into the databases and the broker, and through the API."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import amqp

from deploy.local.broker import PASSWORD, USER
from deploy.local.ports import LOOPBACK
from services.common.topology import SERVICES, dead_letter_queue, event_queue, rpc_queue
from tests.chaos.agents import Agent
from tests.chaos.history import History
from tests.chaos.product import ChaosProduct
from tests.chaos.stored import Assignment, Conversation, Message, Stored, Worker

AUTOMATIC = frozenset({"least_busy", "round_robin", "random"})
DETAIL = 300
Document = dict[str, Any]


def look(product: ChaosProduct, history: History) -> Stored:
    """Everything that the checker wants to know but `told`. Raises PyMongoError, OSError, AMQPError."""
    stored = Stored()
    documents = list(_conversations(product, history))
    ids = [document["_id"] for document in documents]
    for document in documents:
        stored.conversations[document["_id"]] = _conversation(document)
        stored.messages[document["_id"]] = []
    _read_messages(product, documents, stored)
    _read_desk(product, ids, stored)
    _read_contacts(product, history, stored)
    _read_remains(product, stored)
    _read_queues(product, stored)
    return stored


def ask(agent: Agent, stored: Stored) -> None:
    """Fill in what the API answers of each conversation's messages."""
    for conversation_id in stored.messages:
        items: list[Document] = []
        while True:
            path = f"/v1/conversations/{conversation_id}/messages?after_seq={len(items)}&limit=100"
            page = agent.ask("check", "GET", path)["items"]
            items += page
            if len(page) < 100:
                break
        stored.told[conversation_id] = [(each["seq"], each["id"], each["text"]) for each in items]


def read_said(product: ChaosProduct, conversation_ids: list[str]) -> Stored:
    """The messages of any conversations, for the last look of a run."""
    stored = Stored(messages={each: [] for each in conversation_ids})
    documents = list(product.mongo("messaging").conversations.find({"_id": {"$in": conversation_ids}}))
    _read_messages(product, documents, stored)
    return stored


def _conversations(product: ChaosProduct, history: History) -> Iterator[Document]:
    """This round's, those of its people, and all that are open."""
    contacts = list(set(history.contacts.values()))
    of_round = [{"_id": {"$in": list(history.contacts)}}, {"contact.id": {"$in": contacts}}, {"status": "open"}]
    for document in product.mongo("messaging").conversations.find({"$or": of_round}):
        if document["_id"] not in history.finished:
            yield document


def _conversation(document: Document) -> Conversation:
    return Conversation(
        status=document["status"],
        handler=document["handler"],
        assignee=(document["assignee"] or {}).get("id"),
        last_seq=document["last_seq"],
        contact_id=document["contact"]["id"],
        contact_name=document["contact"]["name"],
        block=document["flow"]["at"],
        sleeping=document.get("wake_at") is not None,
        left_line=bool(document.get("left_line")),
    )


def _read_messages(product: ChaosProduct, documents: list[Document], stored: Stored) -> None:
    """Those that are filed, and those that wait in their conversation's outbox to be filed."""
    found: defaultdict[str, dict[str, Document]] = defaultdict(dict)
    for document in documents:
        for entry in document.get("outbox", []):
            if entry["type"] == "message_posted":
                found[document["_id"]][entry["data"]["id"]] = entry["data"]
    ids = [document["_id"] for document in documents]
    for message in product.mongo("messaging").messages.find({"conversation_id": {"$in": ids}}):
        found[message["conversation_id"]][message["_id"]] = message
    for conversation_id, messages in found.items():
        stored.messages[conversation_id] = sorted(
            (
                Message(key, each["seq"], each["author"]["kind"], each["text"], each["client_message_id"])
                for key, each in messages.items()
            ),
            key=lambda message: (message.seq, message.id),
        )


def _read_desk(product: ChaosProduct, ids: list[str], stored: Stored) -> None:
    desk = product.mongo("assignment")
    # By the index that the history is read by: a conversation's newest decision that gave it to somebody is the last written.
    rules: dict[str, str] = {}
    for decision in desk.decisions.find({"conversation_id": {"$in": ids}}).sort([("conversation_id", 1), ("seq", 1)]):
        if decision["remark"]:
            stored.remarks[decision["remark"]] += 1
        if decision["action"] == "assigned":
            rules[decision["conversation_id"]] = decision["rule"]
    wanted = {"$or": [{"_id": {"$in": ids}}, {"state": {"$in": ["assigned", "queued"]}}]}
    for document in desk.assignments.find(wanted):
        stored.assignments[document["_id"]] = Assignment(
            state=document["state"],
            agent=(document["agent"] or {}).get("id"),
            allowed=frozenset(document["allowed"]) if document["allowed"] else None,
            passed=frozenset(document.get("passed", ())),
            by_rule=rules.get(document["_id"]) in AUTOMATIC,
        )
    shown = {document["_id"]: document for document in product.mongo("presence").agents.find({}, {"connection_changes": 0})}
    for document in desk.agents.find():
        told = shown.get(document["_id"], {})
        stored.workers[document["_id"]] = Worker(
            load=document["load"],
            capacity=document["capacity"],
            connected=document["connected"],
            reachable=document["reachable"],
            availability=document["availability"],
            shift=document.get("shift", 0),
            shown_load=told.get("active_conversations"),
            shown_connected=told.get("connected"),
            shown_availability=told.get("availability"),
        )


def _read_contacts(product: ChaosProduct, history: History, stored: Stored) -> None:
    database = product.mongo("contacts")
    people = list({*history.contacts.values(), *(contact_id for contact_id, _ in history.collected)})
    for document in database.contacts.find({"_id": {"$in": people}}, {"name": 1, "email": 1}):
        stored.fields[document["_id"]] = {"name": document["name"], "email": document["email"]}
    for document in database.notes.find({"contact_id": {"$in": people}}, {"text": 1}):
        stored.notes.setdefault(document["text"], []).append(document["_id"])


def _read_remains(product: ChaosProduct, stored: Stored) -> None:
    for service in SERVICES:
        database = product.mongo(service)
        for name in database.list_collection_names():
            if any(index == "unsent" for index in database[name].index_information()):
                stored.unsent[f"{service}.{name}"] = database[name].count_documents(
                    {"outbox.0": {"$exists": True}}, hint="unsent"
                )
    messaging = product.mongo("messaging")
    there = Counter(document["channel_id"] for document in messaging.visitors.find({}, {"channel_id": 1}))
    for channel in messaging.channels.find({"deleted": False}, {"visitor_count": 1}):
        stored.visitors[channel["_id"]] = (channel["visitor_count"], there[channel["_id"]])


def _read_queues(product: ChaosProduct, stored: Stored) -> None:
    address = f"{LOOPBACK}:{product.broker.port}"
    with amqp.Connection(address, userid=USER, password=PASSWORD, connect_timeout=5, read_timeout=10) as connection:
        for service in SERVICES:
            for queue in (event_queue(service), rpc_queue(service)):
                with connection.channel() as channel:
                    stored.waiting[queue] = channel.queue_declare(queue, passive=True).message_count
            with connection.channel() as channel:
                stored.dead[dead_letter_queue(service)] = list(_letters(channel, dead_letter_queue(service)))


def _letters(channel: Any, queue: str) -> Iterator[str]:
    """What is in a dead-letter queue; closing the channel gives it all back."""
    while (message := channel.basic_get(queue)) is not None:
        body = message.body.decode(errors="replace") if isinstance(message.body, bytes) else str(message.body)
        yield f"{dict(message.headers or {})}: {body[:DETAIL]}"
