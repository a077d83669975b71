"""The assignment service: its methods, the events it acts upon, and the timer that checks its loads."""

from typing import Any

from nameko.timer import timer

from services.assignment import schemas
from services.assignment.desk import Desk
from services.assignment.domain import WAIT, Actor, Assignee, Snapshot, Wish
from services.assignment.errors import agent_inactive, conversation_not_found
from services.assignment.metrics import count_turn
from services.assignment.store import AssignmentStore
from services.assignment.views import assignment_view, decision_view, place_view
from services.common.envelope import Event
from services.common.events import subscribe
from services.common.logs import get_logger
from services.common.paging import page
from services.common.rpc import rpc
from services.common.service import Service
from services.common.storage import Storage
from services.common.validation import load

log = get_logger(__name__)

REPAIR_SECONDS = 60


class AssignmentService(Service):
    """Decides who gets which conversation; README.md is its contract."""

    name = "assignment"
    store = Storage(AssignmentStore)

    @rpc(schemas.AssignArguments)
    def assign_conversation(
        self, conversation_id: str, channel_id: str, contact_id: str, agent: dict[str, Any], actor: dict[str, Any]
    ) -> dict[str, Any]:
        """Give the conversation to this agent, by hand: whatever its load and availability, whoever had it before.

        Returns the assignment; the same one when the agent already has it. Raises VALIDATION_FAILED for an inactive agent.
        """
        news = Snapshot(**agent)

        def assign(desk: Desk) -> None:
            desk.learn(news)
            if not desk.agents[news.id].active:
                raise agent_inactive(news.name)
            desk.assign(conversation_id, channel_id, contact_id, news.id, _actor(actor))

        self._decide(assign, conversation_id)
        return self._show(conversation_id)

    @rpc(schemas.UnassignArguments)
    def unassign_conversation(self, conversation_id: str, actor: dict[str, Any]) -> dict[str, Any]:
        """Take the conversation from its agent, or out of the line. Returns the assignment. Raises CONVERSATION_NOT_FOUND."""

        def unassign(desk: Desk) -> None:
            if conversation_id not in desk.assignments:
                raise conversation_not_found(conversation_id)
            desk.unassign(conversation_id, _actor(actor))

        self._decide(unassign, conversation_id)
        return self._show(conversation_id)

    @rpc(schemas.ConversationArguments)
    def get_assignment(self, conversation_id: str) -> dict[str, Any]:
        """The assignment as it stands. Raises CONVERSATION_NOT_FOUND when none was ever asked or made."""
        return self._show(conversation_id)

    @rpc(schemas.ListAssignmentsArguments)
    def list_assignments(self, conversation_id: str, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of the decisions on the conversation, newest first; none for one that is unknown. Raises CURSOR_INVALID."""
        found = self.store.list_decisions(conversation_id, cursor, limit)
        return page(found, limit, decision_view, lambda document: [document["seq"]])

    @rpc(schemas.ListQueueArguments)
    def list_queue(self, cursor: str | None, limit: int) -> dict[str, Any]:
        """A page of those who wait, next first. Raises CURSOR_INVALID."""
        found = self.store.list_line(cursor, limit)
        return page(found, limit, place_view, lambda document: [document["place"]])

    @subscribe("messaging", "assignment_requested")
    def handle_request(self, event: Event) -> None:
        """Give the conversation to an eligible agent, else let it wait or say that nobody is there."""
        data = load(schemas.AssignmentRequested(), event.data)
        wish = Wish(
            channel_id=data["channel_id"],
            contact_id=data["contact_id"],
            requested_at=event.at,
            requested_by=_actor(data["requested_by"]) if data["requested_by"] else None,
            strategy=data["strategy"] or "least_busy",
            allowed=tuple(data["agents"]) if data["agents"] else None,
            unavailable=data["unavailable"] or WAIT,
            release=data["release"],
        )
        conversation_id = data["conversation_id"]
        self._decide(lambda desk: desk.request(conversation_id, event.version, wish), conversation_id)

    @subscribe("messaging", "conversation_archived")
    def handle_archived(self, event: Event) -> None:
        """Free the agent, or the place in line."""
        data = load(schemas.ConversationArchived(), event.data)
        ids = data["channel"]["id"], data["contact"]["id"]
        self._decide(lambda desk: desk.close(data["id"], event.version, *ids), data["id"])

    @subscribe("messaging", "conversation_taken")
    def handle_taken(self, event: Event) -> None:
        """An agent wrote into an unassigned conversation."""
        data = load(schemas.ConversationTaken(), event.data)
        ids = data["conversation_id"], event.version, data["channel_id"], data["contact_id"]
        self._decide(lambda desk: desk.take(*ids, Assignee(**data["agent"])), data["conversation_id"])

    @subscribe("messaging", "conversation_returned")
    def handle_returned(self, event: Event) -> None:
        """The bot has the conversation again."""
        data = load(schemas.ConversationReturned(), event.data)
        ids = data["conversation_id"], event.version, data["channel_id"], data["contact_id"]
        self._decide(lambda desk: desk.give_back(*ids, _actor(data["actor"])), data["conversation_id"])

    @subscribe("presence", "agent_created", "agent_updated")
    def handle_agent(self, event: Event) -> None:
        """Remember the agent's newest state; whom it makes eligible is given whoever waits."""
        news = Snapshot(**load(schemas.AgentSchema(), event.data | {"version": event.version}))
        if not self.store.note_agent_version(news):
            self._decide(lambda desk: desk.learn(news))
            self.store.bring_name(news.id)

    @timer(interval=REPAIR_SECONDS, eager=True)
    def repair_loads(self) -> None:
        """Recount the loads and serve the line, at the start and every minute: after a crash between two turns, say."""
        desk = self.store.repair_loads()
        count_turn(desk)
        for correction in desk.corrections:
            log.warning("load_repaired", agent_id=correction.agent_id, recorded=correction.recorded, actual=correction.actual)

    def _decide(self, command: Any, conversation_id: str | None = None) -> None:
        count_turn(self.store.decide(command, conversation_id))

    def _show(self, conversation_id: str) -> dict[str, Any]:
        document = self.store.find_assignment(conversation_id)
        if document is None:
            raise conversation_not_found(conversation_id)
        return assignment_view(document)


def _actor(values: dict[str, Any]) -> Actor:
    return Actor(values["kind"], values["id"], values["name"])
