"""The line as the database has it: its heads, its front, and how many stand behind a place; read in a turn or outside of any."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.client_session import ClientSession
from pymongo.database import Database

from services.assignment.agents import Agent
from services.assignment.documents import ASSIGNMENTS, to_assignment
from services.assignment.serving import Page, Serving
from services.common.store import Document

# Looked at in one page: served in one turn at most, as more are served in the turns that follow at once.
HEADS = 50


@dataclass(frozen=True)
class Wanted:
    """Whom one in line may have."""

    place: str
    allowed: list[str] | None
    team_id: str | None
    passed: list[str]


class Line:
    """The assignments that are queued, by `place`. Without a session they are read as last committed."""

    def __init__(self, database: Database[Document], session: ClientSession | None = None) -> None:
        self._assignments = database[ASSIGNMENTS]
        self._session = session

    def heads(self, eligible: Sequence[Agent], teams: Sequence[str], after: str | None) -> list[Document]:
        """The first behind `after` whom one of the eligible may have, at most HEADS.

        Some may be among them whom nobody may have: those who ask for named agents or a team, all of whom let them pass.
        """
        query: Document = {
            "state": "queued",
            "allowed": {"$in": [None, *(agent.id for agent in eligible)]},
            "team_id": {"$in": [None, *teams]},
            "passed": {"$not": {"$all": [agent.mark for agent in eligible]}},
        }
        if after is not None:
            query["place"] = {"$gt": after}
        return list(self._assignments.find(query, session=self._session).sort("place", 1).limit(HEADS))

    def page(self, desk: Serving, after: str | None) -> tuple[list[Document], Page]:
        """The heads behind `after` for those who are eligible at the desk: as documents, and as the desk reads them."""
        eligible = desk.eligible()
        found = self.heads(eligible, desk.open_teams(eligible), after)
        return found, Page([to_assignment(document) for document in found], len(found) < HEADS)

    def first(self, count: int) -> list[Document]:
        """The first in line."""
        return list(self._assignments.find({"state": "queued"}, session=self._session).sort("place", 1).limit(count))

    def wanted(self, count: int) -> list[Wanted]:
        """Of the first in line only their places and whom they may have."""
        if not count:
            return []
        shown = {"place": 1, "allowed": 1, "team_id": 1, "passed": 1}
        found = self._assignments.find({"state": "queued"}, shown, session=self._session).sort("place", 1).limit(count)
        return [Wanted(each["place"], each["allowed"], each.get("team_id"), each.get("passed", [])) for each in found]

    def count(self) -> int:
        """How many stand in line."""
        return self._assignments.count_documents({"state": "queued"}, session=self._session)

    def count_ahead(self, place: str) -> int:
        """How many stand ahead of a place."""
        return self._assignments.count_documents({"state": "queued", "place": {"$lt": place}}, session=self._session)

    def count_behind(self, place: str) -> int:
        """How many stand behind a place: fewer than ahead, where most join."""
        return self._assignments.count_documents({"state": "queued", "place": {"$gt": place}}, session=self._session)
