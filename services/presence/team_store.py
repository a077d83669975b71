"""Teams in the database."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pymongo import IndexModel
from pymongo.client_session import ClientSession

from services.common.errors import DocumentExists
from services.common.paging import decode_cursor
from services.common.store import Document
from services.presence import events
from services.presence.errors import TeamNameTaken, TeamNotFound, TooMany
from services.presence.guards import GuardedStore
from services.presence.teams import MAX_TEAMS

TEAMS = "teams"
# A cursor would take a name that begins like a time for one.
_NAME = "name:"


class TeamStore(GuardedStore):
    """Each change of a team commits its event. What is left of a deleted team carries its last event and keeps its id taken."""

    entities: ClassVar[Sequence[str]] = (TEAMS,)
    guards: ClassVar[Sequence[str]] = (TEAMS,)
    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = {
        TEAMS: [IndexModel([("name_key", 1)], name="team_name", unique=True, partialFilterExpression={"deleted": False})],
    }

    def find_team(self, team_id: str) -> Document | None:
        """The team, a deleted one too, or None."""
        return self.database[TEAMS].find_one({"_id": team_id})

    def get_team(self, team_id: str) -> Document:
        """The team. Raises TeamNotFound."""
        team = self.find_team(team_id)
        if team is None or team["deleted"]:
            raise TeamNotFound(team_id)
        return team

    def find_team_ids(self, team_ids: Sequence[str]) -> set[str]:
        """Which of these teams exist."""
        found = self.database[TEAMS].find({"_id": {"$in": list(team_ids)}, "deleted": False}, {"_id": 1})
        return {team["_id"] for team in found}

    def list_teams(self, cursor: str | None, limit: int) -> list[Document]:
        """Up to `limit` + 1 teams by name, whatever the case of its letters. Raises Invalid for a bad cursor."""
        query: Document = {"deleted": False}
        if cursor is not None:
            (after,) = decode_cursor(cursor, str)
            query["name_key"] = {"$gt": after.removeprefix(_NAME)}
        return list(self.database[TEAMS].find(query).sort("name_key", 1).limit(limit + 1))

    def insert_team(self, team: Document) -> Document:
        """Insert a new team. Raises TooMany, TeamNameTaken, or DocumentExists when its id is taken."""

        def work(session: ClientSession) -> Document:
            self.take_guard(TEAMS, session)
            if self.database[TEAMS].count_documents({"deleted": False}, session=session) >= MAX_TEAMS:
                raise TooMany("teams", MAX_TEAMS, "delete one first")
            return self.insert(TEAMS, dict(team), [events.team_created(team)], session=session)

        try:
            return self.transaction(work)
        except DocumentExists as error:
            if error.index == "team_name":
                raise TeamNameTaken from None
            raise

    def change_team(self, team: Document, fields: Mapping[str, Any]) -> Document:
        """Write fields over the team in hand; without any it stays as it is. Raises StaleDocument, TeamNameTaken."""
        if not fields:
            return team
        after = {**team, **fields, "version": team["version"] + 1}
        try:
            return self.update(TEAMS, team, fields, [events.team_updated(after)])
        except DocumentExists:
            raise TeamNameTaken from None

    def delete_team(self, team: Document) -> None:
        """Its name is free again. Raises StaleDocument."""
        self.update(TEAMS, team, {"deleted": True, "agent_ids": []}, [events.team_deleted(team)])


def listing_position(team: Document) -> tuple[str]:
    """Where a listing that ends with this team goes on."""
    return (_NAME + team["name_key"],)
