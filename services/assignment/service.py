"""The assignment service: its methods, and the timers by which time itself has consequences."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast

from services.assignment import schemas
from services.assignment.agents import Snapshot
from services.assignment.dependencies import Watchfulness
from services.assignment.desk import Desk
from services.assignment.domain import PRIORITIES, UNCHECKED, Wish
from services.assignment.errors import agent_inactive, conversation_not_found
from services.assignment.followers import Followers, to_actor
from services.assignment.lookout import BATCH
from services.assignment.metrics import QUEUE_LENGTH
from services.assignment.reassignment import Terms
from services.assignment.simulation import simulate
from services.assignment.store import AssignmentStore
from services.assignment.views import assignment_view, decision_view, place_view, simulation_view
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.paging import page
from services.common.rpc import rpc
from services.common.service import Service
from services.common.storage import Storage
from services.common.timers import timer
from services.common.times import now

log = get_logger(__name__)

REPAIR_SECONDS = 60
WATCH_SECONDS = 1
# After an outage of the gateways everybody is overdue at once; what is left is found a second later.
BATCHES_AT_ONCE = 20

Wire = dict[str, Any]


class AssignmentService(Followers, Service):
    """Decides who gets which conversation; README.md is its contract."""

    name = "assignment"
    store = cast("AssignmentStore", Storage(AssignmentStore))  # the store is what the provider injects
    watchfulness = Watchfulness()

    @rpc(schemas.AssignArguments)
    def assign_conversation(
        self,
        *,
        conversation_id: str,
        channel_id: str,
        contact_id: str,
        agent: Wire,
        actor: Wire,
        expected_assignee_id: str | None = UNCHECKED,
        remark: str | None,
    ) -> Wire:
        """Give the conversation to this agent, by hand: whatever its load and availability, whoever had it before.

        Returns the assignment; the same one when the agent already has it. Raises VALIDATION_FAILED for an inactive agent,
        ALREADY_ASSIGNED when another has it than `expected_assignee_id` (None: nobody).
        """
        news = Snapshot(**agent)

        def assign(desk: Desk) -> None:
            desk.learn(news)
            if not desk.agents[news.id].active:
                raise agent_inactive(news.name)
            ids = conversation_id, channel_id, contact_id, news.id
            desk.assign(*ids, to_actor(actor), expected=expected_assignee_id, remark=remark)

        self.store.decide(assign, conversation_id)
        return self._show(conversation_id)

    @rpc(schemas.UnassignArguments)
    def unassign_conversation(
        self, *, conversation_id: str, actor: Wire, expected_assignee_id: str | None = UNCHECKED, remark: str | None
    ) -> Wire:
        """Take the conversation from its agent, or out of the line. Returns the assignment.

        Raises CONVERSATION_NOT_FOUND, ALREADY_ASSIGNED when another has it than `expected_assignee_id` (None: nobody).
        """

        def unassign(desk: Desk) -> None:
            if conversation_id not in desk.assignments:
                raise conversation_not_found(conversation_id)
            desk.unassign(conversation_id, to_actor(actor), expected=expected_assignee_id, remark=remark)

        self.store.decide(unassign, conversation_id)
        return self._show(conversation_id)

    @rpc(schemas.LeaveQueueArguments)
    def leave_queue(self, conversation_id: str, actor: Wire) -> Wire:
        """The visitor stops waiting. Returns the assignment; one that does not wait as it is. Raises CONVERSATION_NOT_FOUND."""

        def leave(desk: Desk) -> None:
            if conversation_id not in desk.assignments:
                raise conversation_not_found(conversation_id)
            desk.leave(conversation_id, to_actor(actor))

        self.store.decide(leave, conversation_id)
        return self._show(conversation_id)

    @rpc(schemas.NoteVisitorsArguments)
    def note_visitors(self, contact_ids: list[str]) -> Wire:
        """These visitors are there now. `{waiting: n}`: how many wait in all. To be called every 10 s, also about nobody."""
        self.store.lookout.note_visitors(contact_ids, now())
        return {"waiting": self.store.count_line()}

    @rpc(schemas.ConversationArguments)
    def get_assignment(self, conversation_id: str) -> Wire:
        """The assignment as it stands. Raises CONVERSATION_NOT_FOUND when none was ever asked or made."""
        return self._show(conversation_id)

    @rpc(schemas.ListAssignmentsArguments)
    def list_assignments(self, conversation_id: str, cursor: str | None, limit: int) -> Wire:
        """A page of the decisions on the conversation, newest first; none for one that is unknown. Raises CURSOR_INVALID."""
        found = self.store.list_decisions(conversation_id, cursor, limit)
        return page(found, limit, decision_view, lambda document: [document["seq"]])

    @rpc(schemas.ListQueueArguments)
    def list_queue(self, cursor: str | None, limit: int) -> Wire:
        """A page of those who wait, next first. Raises CURSOR_INVALID."""
        found = self.store.list_line(cursor, limit)
        return page(found, limit, place_view, lambda document: [document["place"]])

    @rpc(schemas.SimulateArguments)
    def simulate_assignment(
        self,
        *,
        channel_id: str,
        strategy: str,
        agents: list[str] | None,
        team_id: str | None,
        priority: str,
        unavailable: str,
    ) -> Wire:
        """Who would get a conversation of the channel that asked now, and why; changes nothing."""
        wish = Wish(
            channel_id=channel_id,
            contact_id=channel_id,  # nobody's
            requested_at=now(),
            strategy=strategy,
            allowed=tuple(agents) if agents else None,
            team_id=team_id,
            priority=PRIORITIES[priority],
            unavailable=unavailable,
        )
        return simulation_view(*simulate(self.store.database, self.store.read_teams, wish))

    @timer(interval=REPAIR_SECONDS, eager=True)
    def repair(self) -> None:
        """Recount loads and line and serve the line, at the start and every minute: after a crash between two turns, say."""
        for correction in self.store.repair().corrections:
            log.warning("load_repaired", agent_id=correction.agent_id, recorded=correction.recorded, actual=correction.actual)

    @timer(interval=WATCH_SECONDS)
    def watch(self) -> None:
        """Return what agents let wait too long to the line, and take out of it who is not there any more."""
        moment = now()
        try:
            if self.watchfulness.hears(moment):
                self._return_overdue(moment)
            self._dismiss_absent(moment)
            QUEUE_LENGTH.set(self.store.count_line())
        except Exception as error:
            if not is_outage(error):
                raise
            self.watchfulness.hearing.cut_off(moment)
            log.warning("not_watched", reason=type(error).__name__)

    def _return_overdue(self, moment: datetime) -> None:
        for _ in range(BATCHES_AT_ONCE):
            overdue = self.store.lookout.find_overdue(moment)
            if overdue:
                self.store.decide(partial(_requeue_all, overdue, moment), *overdue)
            if len(overdue) < BATCH:
                break

    def _dismiss_absent(self, moment: datetime) -> None:
        if self.watchfulness.absence is None:
            return
        for _ in range(BATCHES_AT_ONCE):
            absent, seen_until = self.store.lookout.find_absent(moment, self.watchfulness.absence)
            if absent:
                self.store.decide(partial(_dismiss_all, absent, seen_until), *absent)
            if len(absent) < BATCH:
                break

    def _show(self, conversation_id: str) -> Wire:
        document = self.store.find_assignment(conversation_id)
        if document is None:
            raise conversation_not_found(conversation_id)
        return assignment_view(document)


def _requeue_all(overdue: Mapping[str, Terms], moment: datetime, desk: Desk) -> None:
    for conversation_id, terms in overdue.items():
        desk.requeue(conversation_id, terms, moment)


def _dismiss_all(absent: Iterable[str], seen_until: datetime, desk: Desk) -> None:
    for conversation_id in absent:
        desk.leave_absent(conversation_id, seen_until)
