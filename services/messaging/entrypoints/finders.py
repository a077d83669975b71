"""What every group of entrypoints looks up: the thing itself, or the error that says there is none."""

from services.common.store import Document
from services.messaging import errors, known_contacts
from services.messaging.entrypoints.facts import StoredFacts
from services.messaging.flows.facts import Facts
from services.messaging.store import MessagingStore


class Finders:
    """The base of the groups of entrypoints."""

    store: MessagingStore

    def _find_channel(self, channel_id: str) -> Document:
        channel = self.store.find_channel(channel_id)
        if channel is None:
            raise errors.channel_not_found(channel_id)
        return channel

    def _find_conversation(self, conversation_id: str) -> Document:
        conversation = self.store.find_conversation(conversation_id)
        if conversation is None:
            raise errors.conversation_not_found(conversation_id)
        return conversation

    def _find_contact(self, contact_id: str) -> Document:
        contact = self.store.find_contact(contact_id)
        if contact is None or contact.get("erased"):
            raise errors.contact_unknown(contact_id)
        return contact

    def _check_visitors(self, contact_id: str, *, user: bool) -> None:
        """Raise TOKEN_INVALID where the contact is a website's user and who calls was not verified as one."""
        if not user:
            check_anonymous(self.store.find_contact(contact_id))

    def _facts(self, channel_id: str, contact_id: str) -> Facts:
        """What the bot's turn with this contact may ask of the world; read when it is asked for."""
        return StoredFacts(self.store, channel_id, contact_id)

    def _facts_of(self, conversation: Document) -> Facts:
        return self._facts(conversation["channel"]["id"], conversation["contact"]["id"])


def check_anonymous(contact: Document | None) -> None:
    """Raise TOKEN_INVALID where the contact is a website's user.

    Whoever had the token of a visitor who signed in later, on a computer that both used, is not that user.
    """
    if known_contacts.is_user(contact):
        raise errors.token_of_nobody()
