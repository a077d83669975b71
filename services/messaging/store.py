"""Every query and index of messaging.

`conversations` are the entities: a conversation's document commits its turns, and its outbox holds the messages until the
relay has filed them under `messages`. Whoever reads messages reads both (`list_messages`), so none is ever invisible.
`flows` keeps every flow a channel ever had, `contacts` and `agents` what messaging must know of them. Who is counted among a channel's
visitors is in `visitor_store.py`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import ClassVar

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError, DuplicateKeyError

from services.common.errors import DocumentExists
from services.common.ids import new_id
from services.common.paging import decode_cursor
from services.common.store import Document
from services.common.times import now
from services.messaging.turn import Turn
from services.messaging.visitor_store import VisitorStore

OPEN_CONTACT = "open_conversation_of_contact"
DUPLICATE_KEY = 11000
# Conversations whose messages match a search; a broader search shows the newest of these.
MAX_TEXT_MATCHES = 500
_TIME_AND_ID = (datetime, str)
NEWEST_FIRST = [("active_at", DESCENDING), ("_id", DESCENDING)]


class MessagingStore(VisitorStore):
    """Channels, conversations, messages and messaging's read models."""

    entities = ("channels", "conversations")
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        **VisitorStore.indexes,
        "channels": [IndexModel([("deleted", ASCENDING), ("created_at", ASCENDING), ("_id", ASCENDING)])],
        "conversations": [
            IndexModel([("contact.id", ASCENDING)], name=OPEN_CONTACT, unique=True, partialFilterExpression={"status": "open"}),
            IndexModel([("contact.id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel([("status", ASCENDING), *NEWEST_FIRST]),
            IndexModel([("status", ASCENDING), ("assignee.id", ASCENDING), *NEWEST_FIRST]),
            IndexModel([("status", ASCENDING), ("channel.id", ASCENDING), *NEWEST_FIRST]),
            IndexModel([("channel.id", ASCENDING), ("channel.name", ASCENDING)]),
            IndexModel([("assignee.id", ASCENDING), ("assignee.name", ASCENDING)]),
        ],
        "messages": [
            IndexModel([("conversation_id", ASCENDING), ("seq", ASCENDING)], unique=True),
            IndexModel(
                [("conversation_id", ASCENDING), ("client_message_id", ASCENDING)],
                unique=True,
                partialFilterExpression={"client_message_id": {"$type": "string"}},
            ),
            IndexModel([("text", "text")], default_language="none"),
        ],
    }

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

    def keep_flow(self, channel_id: str, flow: Document) -> str:
        """Keep a flow for good and return its id: conversations that begin with it finish with it."""
        flow_id = new_id()
        self.database.flows.insert_one({"_id": flow_id, "channel_id": channel_id, "flow": flow, "created_at": now()})
        return flow_id

    def find_flow(self, flow_id: str | None) -> Document | None:
        """A kept flow; None for none."""
        return None if flow_id is None else self._cached_flow(flow_id)

    @lru_cache(maxsize=256)  # noqa: B019 - one store lives as long as its process, and a kept flow never changes
    def _cached_flow(self, flow_id: str) -> Document:
        flow: Document = self.database.flows.find_one({"_id": flow_id})["flow"]  # type: ignore[index]
        return flow

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

    # contacts, as far as messaging must know them

    def find_contact(self, contact_id: str) -> Document | None:
        """The read model's contact."""
        return self.database.contacts.find_one({"_id": contact_id})

    def follow_contact(self, contact_id: str, version: int, values: Document) -> bool:
        """Take over a newer version of a contact. Returns whether it was newer."""
        return self._follow("contacts", contact_id, {"contact_version": version}, values)

    # agents, of whom messaging must know the name

    def find_agent_name(self, agent_id: str) -> str | None:
        """The newest known name of an agent."""
        found = self.database.agents.find_one({"_id": agent_id})
        return found["name"] if found else None

    def follow_agent(self, agent_id: str, version: int, name: str) -> bool:
        """Take over a newer version of an agent. Returns whether there may be a name to bring to conversations.

        There is none when a newer version says the name that was known: the event that said it first ends by bringing it, or
        comes again and is not newer then.
        """
        values = {"name": name, "agent_version": version}
        older = {"_id": agent_id, "agent_version": {"$lt": version}}
        known = self.database.agents.find_one_and_update(older, {"$set": values}, {"name": 1})
        if known:
            return bool(known["name"] != name)
        self._follow("agents", agent_id, {"agent_version": version}, {"name": name})
        return True

    def _follow(self, collection: str, key: str, version: dict[str, int], values: Document) -> bool:
        older = {field: {"$lt": number} for field, number in version.items()}
        try:
            result = self.database[collection].update_one({"_id": key} | older, {"$set": values | version}, upsert=True)
        except DuplicateKeyError:  # it is there by now, perhaps by an older version that was inserted at the same moment
            result = self.database[collection].update_one({"_id": key} | older, {"$set": values | version})
        return bool(result.modified_count or result.upserted_id)

    # conversations

    def commit(self, turn: Turn) -> Document:
        """Write a turn over the version it was decided on; one without effect writes nothing.

        Raises StaleDocument, and DocumentExists when the contact has an open conversation already.
        """
        if turn.conversation["version"] == 0:
            return self.insert("conversations", turn.conversation, turn.finish())
        if not turn.touched and not turn.events:
            return turn.conversation
        return self.update("conversations", turn.conversation, turn.changes, turn.finish())

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

    def list_conversations(self, query: Document, text: str | None, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 conversations, last active first; `text` is looked for in names and messages."""
        conditions: list[Document] = [query]
        if text:
            words = re.escape(text.strip())
            conditions.append(
                {"$or": [{"contact.name": {"$regex": words, "$options": "i"}}, {"_id": {"$in": self._matches(text)}}]}
            )
        if cursor is not None:
            active_at, last_id = decode_cursor(cursor, *_TIME_AND_ID)
            conditions.append({"$or": [{"active_at": {"$lt": active_at}}, {"active_at": active_at, "_id": {"$lt": last_id}}]})
        found = self.database.conversations.find({"$and": conditions}, {"outbox": 0, "flow": 0})
        return list(found.sort(NEWEST_FIRST).limit(limit + 1))

    def _matches(self, text: str) -> list[str]:
        phrase = '"' + text.replace("\\", " ").replace('"', " ").strip() + '"'
        newest = self.database.messages.aggregate(
            [
                {"$match": {"$text": {"$search": phrase}}},
                {"$group": {"_id": "$conversation_id", "newest": {"$max": "$created_at"}}},
                {"$sort": {"newest": -1}},
                {"$limit": MAX_TEXT_MATCHES},
            ]
        )
        return [found["_id"] for found in newest]

    # messages

    def settle(self, collection: str, entries: Iterable[Document]) -> None:
        """File posted messages; one that is there already was filed by a relay that crashed after it."""
        posted = [_filed(entry["data"]) for entry in entries if entry["type"] == "message_posted"]
        if collection != "conversations" or not posted:
            return
        try:
            self.database.messages.insert_many(posted, ordered=False)
        except BulkWriteError as error:
            if any(failure["code"] != DUPLICATE_KEY for failure in error.details["writeErrors"]):
                raise

    def find_message_by_client_id(self, conversation: Document, client_message_id: str) -> Document | None:
        """The message of a conversation that a client posted under this id."""
        for message in _unfiled(conversation):
            if message["client_message_id"] == client_message_id:
                return message
        return self.database.messages.find_one({"conversation_id": conversation["_id"], "client_message_id": client_message_id})

    def list_messages(self, conversation: Document, after: int | None, before: int | None, limit: int) -> list[Document]:
        """Up to `limit` messages in ascending order: the first ones behind `after`, else the last ones before `before`.

        `conversation` must have been read before: a message that it doesn't hold unfiled was filed by then.
        """
        lowest, highest = (after or 0) + 1, min(conversation["last_seq"], (before or conversation["last_seq"] + 1) - 1)
        if after is None:
            lowest = max(1, highest - limit + 1)
        else:
            highest = min(highest, after + limit)
        if lowest > highest:
            return []
        query = {"conversation_id": conversation["_id"], "seq": {"$gte": lowest, "$lte": highest}}
        found = {message["seq"]: message for message in self.database.messages.find(query)}
        found |= {message["seq"]: message for message in _unfiled(conversation) if lowest <= message["seq"] <= highest}
        return [found[seq] for seq in sorted(found)]

    def count_unread(self, conversation: Document, seq: int) -> int:
        """How many of the visitor's messages come after number `seq`."""
        query = {"conversation_id": conversation["_id"], "seq": {"$gt": seq}, "author.kind": "visitor"}
        filed = {message["seq"] for message in self.database.messages.find(query, {"seq": 1, "_id": 0})}
        unfiled = {m["seq"] for m in _unfiled(conversation) if m["seq"] > seq and m["author"]["kind"] == "visitor"}
        return len(filed | unfiled)


def opens_second(error: DocumentExists) -> bool:
    """Whether an insert failed because the contact has an open conversation."""
    return error.index == OPEN_CONTACT


def _filed(message: Document) -> Document:
    document = {name: value for name, value in message.items() if name != "id"}
    return {"_id": message["id"], **document}


def _unfiled(conversation: Document) -> list[Document]:
    return [_filed(entry["data"]) for entry in conversation.get("outbox", []) if entry["type"] == "message_posted"]
