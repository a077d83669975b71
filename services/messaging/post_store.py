"""What has to be read before a message is posted, for all who post at the same time together.

A few queries for forty posts cost the driver and the database little more than the same for one, and for one who posts alone a
single command costs less than half of them; see docs/performance.md.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import timedelta
from operator import itemgetter
from typing import NamedTuple

from pymongo.database import Database

from services.common.grouping import Grouped
from services.common.store import Document, Relay
from services.common.times import now
from services.messaging.message_store import MessageStore, find_unfiled, under

# Longer than any client goes on repeating what it sent into a conversation that was archived.
REPEATED_WITHIN = timedelta(minutes=15)


class Asked(NamedTuple):
    """Who wants to post: into a conversation, or as the visitor of a contact."""

    client_message_id: str
    conversation_id: str | None = None
    contact_id: str | None = None


class Known(NamedTuple):
    """What is there: of a visitor the contact and its open conversation.

    `message` was posted under the client's id into it; `archived`, only ever a visitor's, into one that was archived since.
    """

    conversation: Document | None
    contact: Document | None
    message: Document | None
    archived: Document | None


class PostStore(MessageStore):
    """Reading for posts."""

    def __init__(self, database: Database[Document], relay: Relay) -> None:
        super().__init__(database, relay)
        self.look_up: Grouped[Asked, Known] = Grouped(self._look_up)

    def _look_up(self, asked: Sequence[Asked]) -> list[Known]:
        return self._look_up_many(asked) if len(asked) > 1 else [self._look_up_one(*asked)]

    def _look_up_one(self, asked: Asked) -> Known:
        filed = [{"$match": {"client_message_id": under(asked.client_message_id)}}]
        joined = {"from": "messages", "localField": "_id", "foreignField": "conversation_id", "pipeline": filed, "as": "filed"}
        pipeline: list[Document] = [{"$match": _wanted([asked])}, {"$lookup": joined}]
        if asked.contact_id is not None:
            pipeline.append({"$unionWith": {"coll": "contacts", "pipeline": [{"$match": {"_id": asked.contact_id}}]}})
        contact: Document | None = None
        conversations: list[Document] = []
        posted: dict[str, Document | None] = {}
        for found in self.database.conversations.aggregate(pipeline):
            if "filed" not in found:
                contact = found
                continue
            messages = found.pop("filed")
            posted[found["_id"]] = find_unfiled(found, asked.client_message_id) or next(iter(messages), None)
            conversations.append(found)
        ((conversation, archived),) = _share([asked], conversations)
        message, earlier = (posted[where["_id"]] if where else None for where in (conversation, archived))
        return Known(conversation, contact, message, earlier)

    def _look_up_many(self, asked: Sequence[Asked]) -> list[Known]:
        found = _share(asked, self.database.conversations.find(_wanted(asked)))
        contact_ids = {each.contact_id for each in asked if each.contact_id is not None}
        contacts = {c["_id"]: c for c in self.database.contacts.find(_among("_id", contact_ids))} if contact_ids else {}
        pairs = [(where, each.client_message_id) for each, both in zip(asked, found, strict=True) for where in both if where]
        # Behind the conversations: what they don't hold unfiled was filed by then.
        posted = dict(zip(((where["_id"], key) for where, key in pairs), self.find_messages_by_client_ids(pairs), strict=True))

        def message(where: Document | None, each: Asked) -> Document | None:
            return None if where is None else posted[where["_id"], each.client_message_id]

        return [
            Known(conversation, contacts.get(each.contact_id), message(conversation, each), message(archived, each))
            for each, (conversation, archived) in zip(asked, found, strict=True)
        ]


def _wanted(asked: Sequence[Asked]) -> Document:
    """The conversations that they need: the asked ones, and of each visitor the open one and those archived lately."""
    ids = {each.conversation_id for each in asked if each.conversation_id is not None}
    contact_ids = {each.contact_id for each in asked if each.contact_id is not None}
    queries = [_among("_id", ids)] if ids else []
    if contact_ids:
        queries.append(_among("contact.id", contact_ids) | {"archived_at": {"$not": {"$lt": now() - REPEATED_WITHIN}}})
    return queries[0] if len(queries) == 1 else {"$or": queries}


def _share(asked: Sequence[Asked], found: Iterable[Document]) -> list[tuple[Document | None, Document | None]]:
    """For each the conversation that it posts into, and of a visitor the one that was archived lately.

    Each has its own copy: who posts changes what it found.
    """
    lately = now() - REPEATED_WITHIN
    by_id: dict[str, Document] = {}
    opened: dict[str, Document] = {}
    archived: dict[str, Document] = {}
    for conversation in found:
        by_id[conversation["_id"]] = conversation
        contact_id = conversation["contact"]["id"]
        if conversation["status"] == "open":
            opened[contact_id] = conversation
        elif conversation["archived_at"] >= lately:  # another may have asked for it by its id
            archived[contact_id] = max(conversation, archived.get(contact_id, conversation), key=itemgetter("created_at"))
    given: set[str] = set()

    def give(conversation: Document | None) -> Document | None:
        if conversation is None:
            return None
        if conversation["_id"] in given:
            return deepcopy(conversation)
        given.add(conversation["_id"])
        return conversation

    return [
        (give(by_id.get(each.conversation_id)), None)
        if each.conversation_id is not None
        else (give(opened.get(each.contact_id or "")), archived.get(each.contact_id or ""))
        for each in asked
    ]


def _among(field: str, values: set[str]) -> Document:
    return {field: next(iter(values)) if len(values) == 1 else {"$in": list(values)}}
