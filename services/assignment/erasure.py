"""What is forgotten of an erased contact: what hands remarked on its conversations, and the names that it went by.

Its assignments and decisions stay, with ids, agents, times and reasons: they are the agents' history and count in estimates.
"""

from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.database import Database

from services.assignment.documents import ASSIGNMENTS, DECISIONS, ERASED
from services.common.store import Document


def note_erased(database: Database[Document], contact_id: str, at: datetime) -> None:
    """Remember for good that the contact is erased, so that no later remark is kept."""
    database[ERASED].update_one({"_id": contact_id}, {"$setOnInsert": {"at": at}}, upsert=True)


def is_erased(database: Database[Document], contact_id: str, session: ClientSession) -> bool:
    """Whether the contact was erased before this turn."""
    return database[ERASED].find_one({"_id": contact_id}, {"_id": 1}, session=session) is not None


def forget_contact(database: Database[Document], contact_id: str, session: ClientSession) -> None:
    """Empty the remarks and the visitor's names in all decisions on the contact's conversations, told or yet to be told."""
    found = database[ASSIGNMENTS].find({"contact_id": contact_id}, {"_id": 1}, session=session)
    conversations = {"$in": [assignment["_id"] for assignment in found]}

    def empty(collection: str, query: Document, path: str, filters: list[Document] | None = None) -> None:
        update: dict[str, Any] = {"$set": {path: None}}
        database[collection].update_many(query, update, array_filters=filters, session=session)

    of_theirs = {"conversation_id": conversations}
    empty(DECISIONS, of_theirs | {"remark": {"$type": "string"}}, "remark")
    empty(DECISIONS, of_theirs | {"actor.kind": "visitor"}, "actor.name")
    theirs = {"_id": conversations}
    empty(ASSIGNMENTS, theirs | {"requested_by.kind": "visitor"}, "requested_by.name")
    unsent = theirs | {"outbox.0": {"$exists": True}}
    remarks, names = {"told.data.decision.remark": {"$type": "string"}}, {"told.data.decision.actor.kind": "visitor"}
    empty(ASSIGNMENTS, unsent, "outbox.$[told].data.decision.remark", [remarks])
    empty(ASSIGNMENTS, unsent, "outbox.$[told].data.decision.actor.name", [names])
