"""What is to be sent through Messenger, in the database: one document a message, in the lane of its conversation, by its number.

A send tells how far its message has come (`delivery`); that, the message's own `delivery` and the event about it are written together.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.client_session import ClientSession

from services.common.lanes import LaneStore
from services.common.store import Document, Store, retry_stale
from services.common.times import from_wire, now
from services.messaging import events
from services.messaging.messenger import delivery

SENDS = "messenger_sends"
# Marks for what was sent earlier are not looked at any more.
KEPT_FOR = timedelta(days=90)
# Of one visitor, looked at together when a mark tells something of them.
MARKED_AT_ONCE = 200
ERASED = {"code": "ERASED", "message": "The visitor was erased."}


class SendStore:
    """The sends and their lanes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sends = store.database[SENDS]
        self._messages = store.database["messages"]
        self.lanes = LaneStore(store.database, SENDS)
        self.indexes: Mapping[str, Sequence[IndexModel]] = {
            SENDS: [
                IndexModel([("contact_id", ASCENDING), ("delivery.state", ASCENDING), ("_id", DESCENDING)]),
                IndexModel([("done_at", ASCENDING)], expireAfterSeconds=int(KEPT_FOR.total_seconds())),
            ]
        }

    def collect(self, entries: Iterable[Document]) -> None:
        """Keep a send for each queued message among a conversation's events; one that is there already stays as it is."""
        queued = [entry for entry in entries if entry["type"] == "message_posted" and _is_queued(entry["data"])]
        if not queued:
            return
        ids = list({entry["data"]["conversation_id"] for entry in queued})
        found = self._store.database["conversations"].find({"_id": {"$in": ids}}, {"channel.id": 1})
        channels = {conversation["_id"]: conversation["channel"]["id"] for conversation in found}
        self.lanes.add(_new_send(entry, channels[entry["data"]["conversation_id"]]) for entry in queued)

    def find(self, message_id: str) -> Document | None:
        """The send of a message."""
        return self._sends.find_one({"_id": message_id})

    def find_part(self, contact_id: str, mid: str) -> tuple[str, int] | None:
        """The message, and the number of its part, that Facebook knows by an id."""
        send = self._sends.find_one({"contact_id": contact_id, "parts.mid": mid})
        if send is None:
            return None
        return send["_id"], next(number for number, part in enumerate(send["parts"]) if part["mid"] == mid)

    def find_message(self, message_id: str) -> Document | None:
        """The message itself, filed before its send was made."""
        return self._messages.find_one({"_id": message_id})

    def update(self, send: Document, changes: Mapping[str, Any], new: delivery.Delivery | None = None) -> Document:
        """Write changes over the version in hand; a `new` delivery also on the message, with the event. Raises StaleDocument."""
        told = new and delivery.advance(send["delivery"], new)
        if told is None:
            return self._store.update(SENDS, send, changes)

        def write(session: ClientSession) -> Document:
            query, change = {"_id": send["_id"]}, {"$set": {"delivery": told}}
            message = self._messages.find_one_and_update(query, change, session=session)
            event = [] if message is None else [events.message_updated(message | {"delivery": told}, send["contact_id"])]
            return self._store.update(SENDS, send, {**changes, "delivery": told}, event, session=session)

        return self._store.transaction(write)

    def finish(self, send: Document, new: delivery.Delivery, changes: Mapping[str, Any] | None = None) -> Document:
        """The send is done with, for good or ill. Raises StaleDocument."""
        return self.update(send, {"attempted_at": None, **(changes or {}), "waiting": False, "done_at": now()}, new)

    def fail(self, message_id: str, reason: Mapping[str, str]) -> None:
        """The message will not be sent, unless it was meanwhile."""

        def give_up() -> None:
            send = self.find(message_id)
            if send is not None and send["waiting"]:
                self.finish(send, delivery.state("failed", now(), reason))

        retry_stale(give_up)

    def note_part(self, contact_id: str, message_id: str, number: int, mid: str, at: int) -> Document | None:
        """Facebook has a part of a message, as its echo tells, with Facebook's time. Returns the send; None for none of the contact's.

        Parts are told in order; one that comes too early is told once more by the answer to its own call.
        """

        def note() -> Document | None:
            send = self.find(message_id)
            if send is None or send["contact_id"] != contact_id:
                return None
            if number > len(send["parts"]):
                return send
            parts = [*send["parts"][:number], {"mid": mid, "at": at}, *send["parts"][number + 1 :]]
            # An echo that comes late says nothing of a later part's call that has no answer yet.
            answered = {"attempted_at": None} if number == len(send["parts"]) else {}
            if send["waiting"] or len(parts) < (send["total"] or 1):
                return self.update(send, {"parts": parts, **answered})
            return self.update(send, {"parts": parts}, delivery.state("sent", delivery.moment(at)))

        send = retry_stale(note)
        if send is not None and send["waiting"]:
            self.lanes.wake(send["lane"])
        return send

    def apply_marks(self, thread: Mapping[str, Any]) -> None:
        """Show on a visitor's messages what the thread's marks say of them, the newest first: a repetition goes on with the rest."""
        query = {"contact_id": thread["contact_id"], "delivery.state": {"$in": ["sent", "delivered"]}, "$or": _covered(thread)}
        older: Document = {}
        while True:
            page = self._sends.find(query | older, {"_id": 1, "parts": 1, "delivery": 1}).sort("_id", DESCENDING)
            found = list(page.limit(MARKED_AT_ONCE))
            for send in reversed(found):
                if (new := delivery.marked(send["parts"], thread)) and delivery.advance(send["delivery"], new):
                    retry_stale(lambda message_id=send["_id"]: self._apply(message_id, thread))  # type: ignore[misc]
            if len(found) < MARKED_AT_ONCE:
                return
            older = {"_id": {"$lt": found[-1]["_id"]}}

    def _apply(self, message_id: str, thread: Mapping[str, Any]) -> None:
        send = self.find(message_id)
        new = delivery.marked(send["parts"], thread) if send is not None and send["parts"] else None
        if send is not None and new is not None and delivery.advance(send["delivery"], new):
            self.update(send, {}, new)

    def is_forgotten(self, message_id: str) -> bool:
        """Whether a message was sent to a visitor who was erased since."""
        return self._sends.find_one({"_id": message_id, "erased": True}, {"_id": 1}) is not None

    def forget_contact(self, contact_id: str) -> None:
        """What still waits fails; what was sent keeps nothing that leads to the visitor, nor events with words that were not told yet.

        Comes after the messages themselves were emptied: whoever has read one before finds another version here.
        """
        told = {"$filter": {"input": "$outbox", "cond": {"$eq": ["$$this.data.text", ""]}}}
        emptied = {"parts": [], "outbox": told, "erased": True, "version": {"$add": ["$version", 1]}}
        left = [{"erased": {"$ne": True}}, {"parts.0": {"$exists": True}}, {"outbox.data.text": {"$gt": ""}}]
        self._sends.update_many({"contact_id": contact_id, "$or": left}, [{"$set": emptied}])
        for found in list(self._sends.find({"contact_id": contact_id, "waiting": True}, {"_id": 1})):
            self.fail(found["_id"], ERASED)


def _covered(thread: Mapping[str, Any]) -> list[Document]:
    """What finds the messages that a thread's marks may move."""
    read, delivered = thread.get("read_until", 0), thread.get("delivered_until", 0)
    return [
        {"parts.at": {"$lte": read}},
        {"delivery.state": "sent", "parts.at": {"$lte": delivered}},
        {"delivery.state": "sent", "parts.mid": {"$in": list(thread.get("mids", ()))}},
    ]


def _is_queued(message: Mapping[str, Any]) -> bool:
    return bool((message["delivery"] or {}).get("state") == "queued")


def _new_send(entry: Document, channel_id: str) -> Document:
    message = entry["data"]
    return {
        "_id": message["id"],
        "lane": message["conversation_id"],
        "group": channel_id,
        "position": message["seq"],
        "waiting": True,
        "contact_id": entry["contact_id"],
        "author_kind": message["author"]["kind"],
        "delivery": message["delivery"],
        "queued_at": from_wire(message["delivery"]["at"]),
        "attempted_at": None,  # a call that has no answer yet
        "failures": 0,
        "parts": [],  # what Facebook has of it: {mid, at}
        "total": None,
        "request_id": entry["request_id"],
        # From the message's own on, so that what is told of it later is newer.
        "version": entry["entity"]["version"],
        "outbox": [],
    }
