"""Who would get a conversation now, and why: the desk's own answer, on what is read outside of any turn. Nothing is written."""

import secrets
from collections.abc import Callable, Collection
from typing import Any

from pymongo.database import Database

from services.assignment.agents import Team
from services.assignment.desk import Desk
from services.assignment.documents import AGENTS, LEDGER, to_agent
from services.assignment.domain import Told, Wish
from services.assignment.line import Line
from services.assignment.places import Move, Place, Places
from services.assignment.waiting import typical_seconds
from services.common.ids import new_id
from services.common.store import Document


def simulate(
    database: Database[Document], read_teams: Callable[[int], Collection[Team]], wish: Wish
) -> tuple[Told, Place | None]:
    """What would be told of a request with this wish, and its place in line if it had to wait."""
    ledger: dict[str, Any] = database[LEDGER].find_one({"_id": LEDGER}) or {}
    line = Line(database)
    agents = [to_agent(document) for document in database[AGENTS].find({})]
    teams = read_teams(ledger.get("teams", 0))
    desk = Desk(agents, [], teams=teams, clock=lambda: wish.requested_at, draw=lambda: secrets.randbits(32))

    conversation_id = new_id()
    desk.request(conversation_id, 1, wish)
    desk.drain(lambda after: line.page(desk, after)[1])
    told, assignment = desk.told[conversation_id], desk.assignments[conversation_id]
    if assignment.place is None:
        return told, None
    seconds = typical_seconds(ledger.get("durations", []))
    places = Places(line, desk, [Move(assignment, None, assignment.place)], waiting=line.count(), seconds=seconds, stirred=False)
    return told, places.find(assignment)
