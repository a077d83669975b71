"""What messaging takes over from the other services' events, and from its own where the work can follow."""

from typing import Any

from services.common.envelope import Event
from services.common.events import subscribe
from services.common.store import Document, retry_stale
from services.messaging import domain
from services.messaging.domain import Turn
from services.messaging.entrypoints.finders import Finders


class Followers(Finders):
    """Each handler applies the newest version and ignores the rest."""

    @subscribe("contacts", "contact_created", "contact_updated")
    def follow_contact(self, event: Event) -> None:
        """Keep the contact's name, known fields and blocking; bring a new name to its conversations."""
        contact = event.data
        fields: dict[str, Any] = dict(contact["fields"])
        if contact["name_source"] != "generated":
            fields["name"] = contact["name"]
        fields |= {name: contact[name] for name in ("email", "phone") if contact[name]}
        values = {"name": contact["name"], "channel_id": contact["channel_id"], "blocked": contact["blocked"], "fields": fields}
        self.store.follow_contact(contact["id"], event.version, values)
        for conversation_id in self.store.list_conversation_ids(contact["id"]):
            self._commit(conversation_id, lambda found: domain.rename_contact(found, contact["name"], event.version))

    @subscribe("assignment", "assignment_changed")
    def follow_assignment(self, event: Event) -> None:
        """Show who has the conversation, or its place in the queue; let the flow go on when nobody is there."""

        def decide(conversation: Document) -> Turn | None:
            if event.version <= conversation["assignment_version"]:
                return None
            flow = self.store.find_flow(conversation["flow"]["id"])
            return domain.follow_assignment(conversation, event.data, event.version, flow)

        self._commit(event.data["conversation_id"], decide)

    @subscribe("messaging", "visitor_engaged")
    def count_visitor(self, event: Event) -> None:
        """Count a contact's first message ever for its channel."""
        self.store.count_visitor(event.data["contact_id"], event.data["channel_id"])

    @subscribe("messaging", "channel_updated")
    def rename_channel(self, event: Event) -> None:
        """Bring a channel's name to its conversations; the newest name wins, whatever the order of arrival."""
        channel = self.store.find_channel(event.data["id"])
        if channel is not None:
            self.store.rename_channel_in_conversations(channel["_id"], channel["name"])

    def _commit(self, conversation_id: str, decide: Any) -> None:
        def apply() -> None:
            conversation = self.store.find_conversation(conversation_id)
            turn = decide(conversation) if conversation is not None else None
            if turn is not None:
                self.store.commit(turn)

        retry_stale(apply)
