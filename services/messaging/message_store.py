"""The messages, in the database: filed under `messages`, or still in their conversation's outbox until the relay has filed them.

Whoever reads messages reads both, so none is ever invisible. What was filed is the newer word: how a message was delivered is noted there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError

from services.common.bulk import require_duplicates_only
from services.common.store import Document, Store

CLIENT_IDS = [("conversation_id", ASCENDING), ("client_message_id", ASCENDING)]
# Conversations whose messages match a search; a broader search shows the newest of these.
MAX_TEXT_MATCHES = 500


class MessageStore(Store):
    """Filing, finding and listing messages."""

    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        "messages": [
            IndexModel([("conversation_id", ASCENDING), ("seq", ASCENDING)], unique=True),
            IndexModel(CLIENT_IDS, unique=True, partialFilterExpression={"client_message_id": {"$type": "string"}}),
            IndexModel([("text", "text")], default_language="none"),
        ],
    }

    def file_messages(self, entries: Iterable[Document]) -> None:
        """File the messages among a conversation's events; one that is there already was filed by a relay that crashed after it."""
        posted = [_filed(entry["data"]) for entry in entries if entry["type"] == "message_posted"]
        if not posted:
            return
        try:
            self.database.messages.insert_many(posted, ordered=False)
        except BulkWriteError as error:
            require_duplicates_only(error)

    def find_message_by_client_id(self, conversation: Document, client_message_id: str) -> Document | None:
        """The message of a conversation that a client posted under this id."""
        return self.find_messages_by_client_ids([(conversation, client_message_id)])[0]

    def find_messages_by_client_ids(self, asked: Sequence[tuple[Document, str]]) -> list[Document | None]:
        """For each conversation, read before, and client's id the message that was posted under it, in one query."""
        found = [find_unfiled(conversation, key) for conversation, key in asked]
        missing = {(conversation["_id"], key) for (conversation, key), message in zip(asked, found, strict=True) if not message}
        if not missing:
            return found
        queries = [{"conversation_id": conversation_id, "client_message_id": under(key)} for conversation_id, key in missing]
        query: Document = queries[0] if len(queries) == 1 else {"$or": queries}
        filed = {
            (message["conversation_id"], message["client_message_id"]): message
            for message in self.database.messages.find(query).hint(CLIENT_IDS)
        }
        return [
            message or filed.get((conversation["_id"], key)) for (conversation, key), message in zip(asked, found, strict=True)
        ]

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
        found = {message["seq"]: message for message in _unfiled(conversation) if lowest <= message["seq"] <= highest}
        found |= {message["seq"]: message for message in self.database.messages.find(query)}
        return [found[seq] for seq in sorted(found)]

    def count_unread(self, conversation: Document, seq: int) -> int:
        """How many of the visitor's messages come after number `seq`."""
        query = {"conversation_id": conversation["_id"], "seq": {"$gt": seq}, "author.kind": "visitor"}
        filed = {message["seq"] for message in self.database.messages.find(query, {"seq": 1, "_id": 0})}
        unfiled = {m["seq"] for m in _unfiled(conversation) if m["seq"] > seq and m["author"]["kind"] == "visitor"}
        return len(filed | unfiled)

    def find_conversations_by_words(self, text: str) -> list[str]:
        """The ids of conversations in whose messages the phrase occurs, those with the newest matches; at most 500."""
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

    def erase_messages(self, conversation_id: str, visitor_name: str) -> None:
        """Empty a conversation's filed messages; the visitor is shown by another name. Numbers, times and authors' kinds stay."""
        shows_visitor: Document = {"author.kind": "visitor", "author.name": {"$ne": visitor_name}}
        full = [{"text": {"$ne": ""}}, {"choices": {"$ne": None}}, shows_visitor]
        name = {"$cond": [{"$eq": ["$author.kind", "visitor"]}, visitor_name, "$author.name"]}
        emptied = {"text": "", "choices": None, "author.name": name}
        self.database.messages.update_many({"conversation_id": conversation_id, "$or": full}, [{"$set": emptied}])


def under(client_message_id: str) -> Document:
    """What a query asks of `client_message_id`.

    By an equality alone MongoDB does not see that the partial index has it, and reads all messages of the conversation.
    """
    return {"$eq": client_message_id, "$type": "string"}


def _filed(message: Document) -> Document:
    document = {name: value for name, value in message.items() if name != "id"}
    return {"_id": message["id"], **document}


def _unfiled(conversation: Document) -> list[Document]:
    return [_filed(entry["data"]) for entry in conversation.get("outbox", []) if entry["type"] == "message_posted"]


def find_unfiled(conversation: Document, client_message_id: str) -> Document | None:
    """The message that was posted under the client's id, if it is still in its conversation's outbox."""
    for entry in conversation["outbox"]:
        if entry["type"] == "message_posted" and entry["data"]["client_message_id"] == client_message_id:
            return _filed(entry["data"])
    return None
