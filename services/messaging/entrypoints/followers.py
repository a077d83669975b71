"""What messaging takes over from the other services' events, and from its own where the work can follow."""

from collections.abc import Callable
from typing import Any

from services.common.envelope import Event
from services.common.events import subscribe
from services.common.store import Document, retry_stale
from services.messaging import domain, handovers, known_contacts
from services.messaging.entrypoints.finders import Finders
from services.messaging.turn import Turn


class Followers(Finders):
    """Each handler applies the newest version and ignores the rest."""

    @subscribe("contacts", "contact_created", "contact_updated")
    def follow_contact(self, event: Event) -> None:
        """Keep what flows may ask of the contact, and whether it is blocked; bring a new name to its conversations."""
        contact = event.data
        self.store.follow_contact(contact["id"], event.version, known_contacts.keep(contact))
        self.store.webhooks.follow(event)
        if event.type == "contact_created":
            self.store.messenger.wake_contact(contact["id"])

        def find_name() -> str | None:
            known = self.store.find_contact(contact["id"]) or {}
            return known.get("name")

        def write(name: str) -> None:
            for conversation_id in self.store.find_misnamed_conversations(contact["id"], name):
                self._commit(conversation_id, lambda found: domain.rename_contact(found, name))

        _bring(find_name, write)

    @subscribe("assignment", "assignment_changed")
    def follow_assignment(self, event: Event) -> None:
        """Show who has the conversation, or its place in the queue; let the flow go on when nobody is there or the visitor left the queue."""

        def decide(conversation: Document) -> Turn | None:
            if event.version <= conversation["assignment_version"]:
                return None
            flow = self.store.find_flow(conversation["flow"]["id"])
            return handovers.follow_assignment(conversation, event.data, event.version, flow, facts=self._facts_of(conversation))

        self._commit(event.data["conversation_id"], decide)
        assignee = event.data["assignee"]
        if assignee is not None:  # perhaps by a name that the agent had when this was decided
            self._bring_agent_name(assignee["id"], shown=assignee["name"])

    @subscribe("presence", "agent_created", "agent_updated")
    def follow_agent(self, event: Event) -> None:
        """Keep whether an agent is there; bring its name to its conversations, if it may be a new one: mostly its load changed."""
        if self.store.follow_agent(event.data["id"], event.version, event.data["name"], event.data):
            self._bring_agent_name(event.data["id"])

    @subscribe("presence", "team_created", "team_updated")
    def follow_team(self, event: Event) -> None:
        """Keep who belongs to a team."""
        self.store.follow_team(event.data["id"], event.version, event.data["agent_ids"])

    @subscribe("presence", "team_deleted")
    def forget_team(self, event: Event) -> None:
        """What was a deleted team's is everybody's, as for the assignment service."""
        self.store.follow_team(event.data["id"], event.version, None)

    @subscribe("messaging", "channel_updated")
    def rename_channel(self, event: Event) -> None:
        """Bring a channel's name to its conversations, if one shows another: mostly visitors were counted."""
        channel_id = event.data["id"]

        def find_name() -> str | None:
            channel = self.store.find_channel(channel_id)
            return channel["name"] if channel is not None else None

        name = find_name()
        if name is not None and self.store.shows_other_channel_name(channel_id, name):
            _bring(find_name, lambda newest: self.store.rename_channel_in_conversations(channel_id, newest))

    def _bring_agent_name(self, agent_id: str, shown: str | None = None) -> None:
        _bring(
            lambda: self.store.find_agent_name(agent_id),
            lambda name: self.store.rename_agent_in_conversations(agent_id, name),
            shown,
        )

    def _commit(self, conversation_id: str, decide: Any) -> None:
        def apply() -> None:
            conversation = self.store.find_conversation(conversation_id)
            turn = decide(conversation) if conversation is not None else None
            if turn is not None:
                self.store.commit(turn)

        retry_stale(apply)


def _bring(find_name: Callable[[], str | None], write: Callable[[str], None], shown: str | None = None) -> None:
    # Two renames may be handled at once: whoever wrote looks again, so the newest name is the last one written.
    while (name := find_name()) not in (None, shown):
        write(name)
        shown = name
