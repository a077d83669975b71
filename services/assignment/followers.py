"""What assignment makes of its neighbours' events. Each counts if its version is newer than what was heard."""

from collections.abc import Callable
from functools import cache
from typing import Any

from marshmallow import Schema

from services.assignment import news, schemas
from services.assignment.agents import Assignee, Snapshot, Team
from services.assignment.dependencies import Watchfulness
from services.assignment.desk import Desk
from services.assignment.domain import PRIORITIES, WAIT, Actor, Wish
from services.assignment.store import AssignmentStore
from services.common.envelope import Event
from services.common.events import subscribe
from services.common.times import now
from services.common.validation import load


class Followers:
    """The event handlers of the service."""

    store: AssignmentStore
    watchfulness: Watchfulness

    @subscribe("messaging", "assignment_requested")
    def handle_request(self, event: Event) -> None:
        """Give the conversation to an eligible agent, else let it wait or say that nobody is there."""
        data = self._read(event, news.AssignmentRequested)
        wish = Wish(
            channel_id=data["channel_id"],
            contact_id=data["contact_id"],
            requested_at=event.at,
            requested_by=to_actor(data["requested_by"]) if data["requested_by"] else None,
            strategy=data["strategy"] or "least_busy",
            allowed=tuple(data["agents"]) if data["agents"] else None,
            team_id=data["team_id"],
            priority=PRIORITIES[data["priority"]],
            unavailable=data["unavailable"] or WAIT,
            release=data["release"],
        )
        conversation_id = data["conversation_id"]
        self.store.decide(lambda desk: desk.request(conversation_id, event.version, wish), conversation_id)

    @subscribe("messaging", "conversation_archived")
    def handle_archived(self, event: Event) -> None:
        """Free the agent, or the place in line."""
        data = self._read(event, news.ConversationArchived)
        ids = data["channel"]["id"], data["contact"]["id"]
        actor = to_actor(data["archived_by"]) if data["archived_by"] else None
        self.store.decide(lambda desk: desk.close(data["id"], event.version, *ids, actor), data["id"])

    @subscribe("messaging", "conversation_taken")
    def handle_taken(self, event: Event) -> None:
        """An agent wrote into an unassigned conversation."""
        data = self._read(event, news.ByAgent)
        self._decide(event, data, lambda desk, *ids: desk.take(*ids, Assignee(**data["agent"])))

    @subscribe("messaging", "conversation_returned")
    def handle_returned(self, event: Event) -> None:
        """The bot has the conversation again."""
        data = self._read(event, news.ConversationReturned)
        self._decide(event, data, lambda desk, *ids: desk.give_back(*ids, to_actor(data["actor"])))

    @subscribe("messaging", "answer_awaited")
    def handle_awaited(self, event: Event) -> None:
        """The visitor of a conversation that an agent has awaits an answer."""
        data = self._read(event, news.AnswerAwaited)
        if not self.store.note_awaiting(data["conversation_id"], event.version, data["since"]):
            self._decide(event, data, lambda desk, *ids: desk.hear_awaited(*ids, data["since"]))

    @subscribe("messaging", "answer_given")
    def handle_answer(self, event: Event) -> None:
        """An agent answered; what was taken from them in the meantime is theirs again, unless somebody has it."""
        data = self._read(event, news.ByAgent)
        if not self.store.note_awaiting(data["conversation_id"], event.version, None):
            self._decide(event, data, lambda desk, *ids: desk.hear_answer(*ids, Assignee(**data["agent"])))

    @subscribe("messaging", "channel_created", "channel_updated")
    def follow_channel(self, event: Event) -> None:
        """Remember the channel's kind and its patience."""
        data = self._read(event, news.ChannelNews)
        self.store.lookout.follow_channel(data["id"], event.version, {"kind": data["kind"], **data["reassignment"]})

    @subscribe("messaging", "channel_deleted")
    def forget_channel(self, event: Event) -> None:
        """Remember that there is no such channel, so that older news of it does not bring it back."""
        data = self._read(event, news.Reference)
        self.store.lookout.follow_channel(data["id"], event.version, {"kind": None})

    @subscribe("contacts", "contact_erased")
    def handle_erased(self, event: Event) -> None:
        """Empty the remarks on the contact's conversations; that they are archived, messaging tells."""
        data = self._read(event, news.ContactErased)
        self.store.forget_contact(data["id"], data["at"])

    @subscribe("presence", "agent_created", "agent_updated")
    def handle_agent(self, event: Event) -> None:
        """Remember the agent's newest state; whom it makes eligible is given whoever waits."""
        data = self._read(event, schemas.AgentSchema, version=event.version)
        snapshot = Snapshot(**data)
        if not self.store.note_agent_version(snapshot):
            self.store.decide(lambda desk: desk.learn(snapshot))
            self.store.bring_name(snapshot.id)

    @subscribe("presence", "agent_reachability_changed")
    def handle_reachability(self, event: Event) -> None:
        """Remember whether the agent can be reached; one who can is given whoever waits."""
        data = self._read(event, news.ReachabilityNews)
        agent_id, reachable = data["agent_id"], data["reachable"]
        self.store.decide(lambda desk: desk.learn_reachability(agent_id, event.version, reachable=reachable))

    @subscribe("presence", "team_created", "team_updated")
    def handle_team(self, event: Event) -> None:
        """Remember who belongs to the team; its conversations may be served by others now."""
        data = self._read(event, news.TeamNews)
        team = Team(data["id"], data["name"], frozenset(data["agent_ids"]), version=event.version)
        self.store.decide(lambda desk: desk.learn_team(team))

    @subscribe("presence", "team_deleted")
    def handle_team_deleted(self, event: Event) -> None:
        """Its conversations may be anybody's."""
        data = self._read(event, news.Reference)
        team = Team(data["id"], deleted=True, version=event.version)
        self.store.decide(lambda desk: desk.learn_team(team))

    def _read(self, event: Event, schema: type[Schema], **more: Any) -> dict[str, Any]:
        self.watchfulness.hearing.note(event.at, now())
        return load(_prepared(schema), event.data | more)

    def _decide(self, event: Event, data: dict[str, Any], command: Callable[[Desk, str, int, str, str], None]) -> None:
        """Have a command about the event's conversation decided; it takes the id, the version, and the channel's and contact's ids."""
        key, channel_id, contact_id = data["conversation_id"], data["channel_id"], data["contact_id"]
        self.store.decide(lambda desk: command(desk, key, event.version, channel_id, contact_id), key)


@cache
def _prepared(schema: type[Schema]) -> Schema:
    """Made once: making one takes longer than loading what an event says."""
    return schema()


def to_actor(values: dict[str, Any]) -> Actor:
    """Who does it, without the role."""
    return Actor(values["kind"], values["id"], values["name"])
