"""Every query and index of messaging, together with the stores it inherits from.

`conversations` are the entities: a conversation's document commits its turns, and its outbox holds the messages until the
relay has filed them (`message_store.py`). Flows are in `flow_store.py`, what must be known of contacts and agents in `read_models.py`,
a channel's visitors in `visitor_store.py`. What goes on to the outside is derived from the same events by `outlets`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database

from services.common.advancing import Advancer
from services.common.errors import DocumentExists
from services.common.lanes import LaneStore
from services.common.paging import decode_cursor
from services.common.store import Document, Relay
from services.common.times import now
from services.messaging.flow_store import FlowStore
from services.messaging.messenger.store import ENTITIES as MESSENGER_ENTITIES
from services.messaging.messenger.store import MessengerStore
from services.messaging.outlets import Outlet
from services.messaging.post_store import PostStore
from services.messaging.read_models import ReadModels
from services.messaging.turn import Turn
from services.messaging.visitor_store import VisitorStore
from services.messaging.webhooks.store import WebhookStore

OPEN_CONTACT = "open_conversation_of_contact"
DUE = "flow_due"
POSTPONED_BY = timedelta(minutes=1)
_TIME_AND_ID = (datetime, str)
NEWEST_FIRST = [("active_at", DESCENDING), ("_id", DESCENDING)]


class MessagingStore(VisitorStore, FlowStore, PostStore, ReadModels):
    """Channels, conversations, and all that the stores it inherits from keep."""

    entities = ("channels", "conversations", *MESSENGER_ENTITIES)
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        **VisitorStore.indexes,
        **FlowStore.indexes,
        **PostStore.indexes,
        **ReadModels.indexes,
        "channels": [IndexModel([("deleted", ASCENDING), ("created_at", ASCENDING), ("_id", ASCENDING)])],
        "conversations": [
            IndexModel([("contact.id", ASCENDING)], name=OPEN_CONTACT, unique=True, partialFilterExpression={"status": "open"}),
            IndexModel([("contact.id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel([("contact.id", ASCENDING), ("archived_at", DESCENDING)]),  # open, or archived lately
            IndexModel([("wake_at", ASCENDING)], name=DUE, partialFilterExpression={"wake_at": {"$type": "date"}}),
            IndexModel([("status", ASCENDING), *NEWEST_FIRST]),
            IndexModel([("status", ASCENDING), ("assignee.id", ASCENDING), *NEWEST_FIRST]),
            IndexModel([("status", ASCENDING), ("channel.id", ASCENDING), *NEWEST_FIRST]),
            IndexModel([("channel.id", ASCENDING), ("channel.name", ASCENDING)]),
            IndexModel([("assignee.id", ASCENDING), ("assignee.name", ASCENDING)]),
        ],
    }

    def __init__(self, database: Database[Document], relay: Relay) -> None:
        super().__init__(database, relay)
        self._conversations = Advancer(database.conversations)
        self.webhooks = WebhookStore(database)
        self.messenger = MessengerStore(self)
        # Webhooks first: what Messenger's sends tell of a message comes behind what was told of it before.
        self.outlets: list[Outlet] = [self.webhooks, self.messenger]
        self.lanes: dict[str, LaneStore] = {}
        for outlet in self.outlets:
            self.lanes |= outlet.lanes

    def ensure_indexes(self) -> None:
        """Also those of the outlets."""
        super().ensure_indexes()
        for outlet in self.outlets:
            for name, models in outlet.indexes.items():
                self.database[name].create_indexes(list(models))

    def settle(self, collection: str, entries: Iterable[Document]) -> None:
        """File posted messages, then let the outlets keep what is to go outside."""
        told = list(entries)
        if collection == "conversations":
            self.file_messages(told)
        for outlet in self.outlets:
            outlet.collect(collection, told)

    def forget_contact(self, contact_id: str) -> None:
        """Have the outlets forget a contact that was erased."""
        for outlet in reversed(self.outlets):  # what one still had to tell, those before it are told of
            outlet.forget_contact(contact_id)

    # channels

    def find_channel(self, channel_id: str) -> Document | None:
        """A channel that isn't deleted."""
        return self.database.channels.find_one({"_id": channel_id, "deleted": False})

    def list_channels(self, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 channels, oldest first."""
        query: Document = {"deleted": False}
        if cursor is not None:
            created_at, last_id = decode_cursor(cursor, *_TIME_AND_ID)
            query["$or"] = [{"created_at": {"$gt": created_at}}, {"created_at": created_at, "_id": {"$gt": last_id}}]
        return list(self.database.channels.find(query).sort([("created_at", 1), ("_id", 1)]).limit(limit + 1))

    def count_open_conversations(self, channel_id: str) -> int:
        """How many conversations of a channel are open."""
        return self.database.conversations.count_documents({"status": "open", "channel.id": channel_id})

    def shows_other_channel_name(self, channel_id: str, name: str) -> bool:
        """Whether a conversation of the channel shows another name than this."""
        query = {"channel.id": channel_id, "channel.name": {"$ne": name}}
        return self.database.conversations.find_one(query, {"_id": 1}) is not None

    def rename_channel_in_conversations(self, channel_id: str, name: str) -> None:
        """Bring a channel's new name to its conversations."""
        query = {"channel.id": channel_id, "channel.name": {"$ne": name}}
        self.database.conversations.update_many(query, {"$set": {"channel.name": name}})

    def rename_agent_in_conversations(self, agent_id: str, name: str) -> None:
        """Bring an agent's new name to the conversations it has or had."""
        query = {"assignee.id": agent_id, "assignee.name": {"$ne": name}}
        self.database.conversations.update_many(query, {"$set": {"assignee.name": name}})

    # conversations

    def commit(self, turn: Turn) -> Document:
        """Write a turn over the version it was decided on; one without effect writes nothing.

        Raises StaleDocument, and DocumentExists when the contact has an open conversation already.
        """
        if turn.conversation["version"] == 0:
            return self.insert("conversations", turn.conversation, turn.finish())
        if not turn.touched and not turn.events:
            return turn.conversation
        return self.advance(self._conversations, turn.conversation, turn.changes, turn.finish())

    def find_conversation(self, conversation_id: str) -> Document | None:
        """One conversation."""
        return self.database.conversations.find_one({"_id": conversation_id})

    def find_open_conversation(self, contact_id: str) -> Document | None:
        """The open conversation of a contact."""
        return self.database.conversations.find_one({"contact.id": contact_id, "status": "open"})

    def find_latest_conversation(self, contact_id: str, **conditions: str) -> Document | None:
        """The newest conversation of a contact, open or archived unless the conditions say which."""
        return self.database.conversations.find_one({"contact.id": contact_id, **conditions}, sort=[("created_at", DESCENDING)])

    def find_misnamed_conversations(self, contact_id: str, name: str) -> list[str]:
        """The ids of a contact's conversations that show another name."""
        query = {"contact.id": contact_id, "contact.name": {"$ne": name}}
        return [found["_id"] for found in self.database.conversations.find(query, {"_id": 1})]

    def find_conversations_of(self, contact_id: str) -> list[str]:
        """The ids of a contact's conversations."""
        return [found["_id"] for found in self.database.conversations.find({"contact.id": contact_id}, {"_id": 1})]

    def find_due(self, at: datetime, limit: int) -> list[str]:
        """The ids of up to `limit` conversations whose flow is to go on by a moment, those first that wait longest."""
        due = self.database.conversations.find({"wake_at": {"$type": "date", "$lte": at}}, {"_id": 1})
        return [found["_id"] for found in due.sort("wake_at", ASCENDING).limit(limit)]

    def postpone(self, conversation_id: str) -> None:
        """Let a flow that can't be resumed now be tried later, if it still is to go on."""
        due = {"_id": conversation_id, "wake_at": {"$type": "date", "$lte": now()}}
        self.database.conversations.update_one(due, {"$set": {"wake_at": now() + POSTPONED_BY}})

    def list_conversations(self, query: Document, text: str | None, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 conversations, last active first; `text` is looked for in names and messages."""
        conditions: list[Document] = [query]
        if text:
            words = re.escape(text.strip())
            conditions.append(
                {
                    "$or": [
                        {"contact.name": {"$regex": words, "$options": "i"}},
                        {"_id": {"$in": self.find_conversations_by_words(text)}},
                    ]
                }
            )
        if cursor is not None:
            active_at, last_id = decode_cursor(cursor, *_TIME_AND_ID)
            conditions.append({"$or": [{"active_at": {"$lt": active_at}}, {"active_at": active_at, "_id": {"$lt": last_id}}]})
        found = self.database.conversations.find({"$and": conditions}, {"outbox": 0, "flow.fields": 0})
        return list(found.sort(NEWEST_FIRST).limit(limit + 1))


def opens_second(error: DocumentExists) -> bool:
    """Whether an insert failed because the contact has an open conversation."""
    return error.index == OPEN_CONTACT
