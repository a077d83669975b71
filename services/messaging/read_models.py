"""What messaging must know of contacts, agents and teams, in the database: the newest version that their events told.

Whether an agent could take a conversation is asked by flows alone; the assignment service decides by its own, newer knowledge.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from services.common.store import Document, Store

# What is kept of an agent besides the name.
OF_AGENT = ("active", "connected", "availability", "capacity", "active_conversations")
_TOLD: Document = {"active": {"$exists": True}}
_FREE: Document = {
    "active": True,
    "connected": True,
    "availability": "available",
    "$expr": {"$lt": ["$active_conversations", "$capacity"]},
}


class ReadModels(Store):
    """Each document remembers the version that it shows; an older one changes nothing."""

    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        "contacts": [
            IndexModel([("look_again_at", 1)], name="erased", partialFilterExpression={"look_again_at": {"$type": "date"}})
        ],
    }

    # contacts

    def find_contact(self, contact_id: str) -> Document | None:
        """The contact; one that was erased is there as `{erased: true}`."""
        return self.database.contacts.find_one({"_id": contact_id})

    def follow_contact(self, contact_id: str, version: int, values: Document) -> bool:
        """Take over a newer version of a contact; one that was erased stays so. Returns whether it was taken over."""
        return self._follow("contacts", contact_id, {"contact_version": version}, values, erased={"$ne": True})

    def erase_contact(self, contact_id: str, version: int, *, look_again_at: datetime) -> None:
        """Keep nothing of a contact but that it was erased."""
        gone = {"erased": True, "contact_version": version, "look_again_at": look_again_at}
        older = {"_id": contact_id, "contact_version": {"$lt": version}}
        try:
            self.database.contacts.replace_one(older, gone, upsert=True)
        except DuplicateKeyError:
            self.database.contacts.replace_one(older, gone)

    def find_erased(self, at: datetime) -> list[str]:
        """The ids of up to 100 erased contacts that are to be looked at again by a moment."""
        due = self.database.contacts.find({"look_again_at": {"$type": "date", "$lte": at}}, {"_id": 1})
        return [found["_id"] for found in due.sort("look_again_at", 1).limit(100)]

    def note_looked_again(self, contact_id: str) -> None:
        """Once is enough."""
        self.database.contacts.update_one({"_id": contact_id}, {"$unset": {"look_again_at": ""}})

    def look_later(self, contact_id: str, at: datetime) -> None:
        """Have an erased contact looked at again at another moment."""
        waiting = {"_id": contact_id, "look_again_at": {"$type": "date"}}
        self.database.contacts.update_one(waiting, {"$set": {"look_again_at": at}})

    # agents

    def find_agent_name(self, agent_id: str) -> str | None:
        """The newest known name of an agent."""
        found = self.database.agents.find_one({"_id": agent_id})
        return found["name"] if found else None

    def follow_agent(self, agent_id: str, version: int, name: str, state: Mapping[str, Any] | None = None) -> bool:
        """Take over a newer version of an agent. Returns whether there may be a name to bring to conversations.

        There is none when a newer version says the name that was known: the event that said it first ends by bringing it, or
        comes again and is not newer then.
        """
        values = {name: value for name, value in (state or {}).items() if name in OF_AGENT} | {"name": name}
        older = {"_id": agent_id, "agent_version": {"$lt": version}}
        known = self.database.agents.find_one_and_update(older, {"$set": values | {"agent_version": version}}, {"name": 1})
        if known:
            return bool(known["name"] != name)
        self._follow("agents", agent_id, {"agent_version": version}, values)
        return True

    def is_available(self, agents: list[str] | None, team: str | None) -> bool:
        """Whether one of the agents, of the team, or else of all is there and has room for a conversation.

        Of whom the name alone is known, as from before more was kept, presence will tell in time: such an agent is left out, unless
        all are such; then nothing says that nobody is there, and the assignment service, which is asked next, knows.
        """
        if team is not None:
            agents = self._members(team)
        among: Document = {} if agents is None else {"_id": {"$in": agents}}
        return self._has(among | _FREE) or (self._has(among) and not self._has(among | _TOLD))

    # teams

    def follow_team(self, team_id: str, version: int, agent_ids: list[str] | None) -> bool:
        """Take over a newer version of a team, None for one that was deleted. Returns whether it was newer."""
        return self._follow("teams", team_id, {"team_version": version}, {"agent_ids": agent_ids})

    def _members(self, team_id: str) -> list[str] | None:
        """None for everybody: a team that was deleted, or that nothing was heard of since teams are followed."""
        members: list[str] | None = (self.database.teams.find_one({"_id": team_id}) or {"agent_ids": None})["agent_ids"]
        return members

    def _has(self, agents: Document) -> bool:
        return self.database.agents.find_one(agents, {"_id": 1}) is not None

    def _follow(self, collection: str, key: str, version: dict[str, int], values: Document, **conditions: Any) -> bool:
        older = {field: {"$lt": number} for field, number in version.items()} | conditions
        try:
            result = self.database[collection].update_one({"_id": key} | older, {"$set": values | version}, upsert=True)
        except DuplicateKeyError:  # it is there by now, perhaps by an older version that was inserted at the same moment
            result = self.database[collection].update_one({"_id": key} | older, {"$set": values | version})
        return bool(result.modified_count or result.upserted_id)
