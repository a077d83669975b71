"""A visitor's message, from whichever side it came: posted into the open conversation, or opening one."""

from datetime import timedelta
from typing import NamedTuple

from services.common.errors import DocumentExists, StaleDocument
from services.common.store import Document, retry_stale
from services.common.times import now
from services.messaging import domain, errors
from services.messaging.entrypoints.finders import Finders
from services.messaging.store import opens_second
from services.messaging.turn import Turn

# Longer than any client goes on repeating.
REPEATED_WITHIN = timedelta(minutes=15)


class VisitorPost(NamedTuple):
    """What a visitor sends: text, or the value of a pressed button; the button's label as text if only that is known outside."""

    text: str | None
    choice: str | None
    client_message_id: str


class VisitorPosting(Finders):
    """What the calls of the widget and Facebook's messages have in common."""

    def _post_as_visitor(self, contact_id: str, post: VisitorPost) -> Document:
        """Post; a bot in charge answers with it. A repeated client_message_id returns the first message.

        Without an open conversation, on the web one is begun in which the bot has greeted before; elsewhere the visitor's message
        opens it. Raises CONTACT_NOT_FOUND, CONTACT_BLOCKED, CHANNEL_NOT_FOUND, CLIENT_MESSAGE_ID_REUSED.
        """
        return retry_stale(lambda: self._try_to_post(contact_id, post))

    def _open_conversation(self, contact_id: str, channel: Document) -> Document:
        """The contact's open conversation, else a new one in which the bot has spoken."""
        conversation = self.store.find_open_conversation(contact_id)
        if conversation is not None:
            return conversation
        contact = self._find_welcome_contact(contact_id)
        flow = self.store.find_flow(channel["flow_id"])
        turn = domain.begin_conversation(channel, contact, flow, facts=self._facts(channel["_id"], contact_id))
        try:
            self.store.commit(turn)
        except DocumentExists as error:
            # Another session of the same visitor was faster.
            if not opens_second(error):
                raise
            found = self.store.find_open_conversation(contact_id)
            if found is None:  # and archived again since
                raise StaleDocument(contact_id) from None
            return found
        return retry_stale(lambda: self._with_newest_name(turn.conversation["_id"], contact_id))

    def _find_welcome_contact(self, contact_id: str) -> Document:
        contact = self._find_contact(contact_id)
        if contact.get("blocked"):
            raise errors.contact_blocked()
        return contact

    def _try_to_post(self, contact_id: str, post: VisitorPost) -> Document:
        conversation = self.store.find_open_conversation(contact_id)
        repeated = self._find_repeated(contact_id, conversation, post)
        if repeated is not None:
            return repeated
        contact = self._find_welcome_contact(contact_id)
        if conversation is None:
            channel = self._find_channel(contact["channel_id"])
            if channel["kind"] != "web":
                return self._begin_by_post(channel, contact, post)
            conversation = self._open_conversation(contact_id, channel)
        flow = self.store.find_flow(conversation["flow"]["id"]) if conversation["handler"] == "bot" else None
        turn = domain.visitor_writes(conversation, flow, *post, facts=self._facts_of(conversation))
        self.store.commit(turn)
        return turn.messages[0]

    def _begin_by_post(self, channel: Document, contact: Document, post: VisitorPost) -> Document:
        text, key = post.text or post.choice or "", post.client_message_id
        flow, facts = self.store.find_flow(channel["flow_id"]), self._facts(channel["_id"], contact["_id"])
        turn: Turn = domain.visitor_begins(channel, contact, flow, text, key, facts=facts)
        try:
            self.store.commit(turn)
        except DocumentExists as error:
            if not opens_second(error):
                raise
            raise StaleDocument(contact["_id"]) from None
        retry_stale(lambda: self._with_newest_name(turn.conversation["_id"], contact["_id"]))
        return turn.messages[0]

    def _find_repeated(self, contact_id: str, conversation: Document | None, post: VisitorPost) -> Document | None:
        if conversation is not None:
            found = self.store.find_message_by_client_id(conversation, post.client_message_id)
            if found is not None:
                return domain.check_repeat(found, "visitor", contact_id, post.text, post.choice)
            if conversation["created_at"] < now() - REPEATED_WITHIN:
                return None
        # The repeat of a message whose conversation was archived before its answer came. Other posts may use its id again.
        archived = self.store.find_latest_conversation(contact_id, status="archived")
        if archived is None or archived["archived_at"] < now() - REPEATED_WITHIN:
            return None
        found = self.store.find_message_by_client_id(archived, post.client_message_id)
        return found if found is not None and domain.is_repeat(found, "visitor", contact_id, post.text, post.choice) else None

    def _with_newest_name(self, conversation_id: str, contact_id: str) -> Document:
        # A rename that was followed between the reading of the contact and the insert didn't find this conversation.
        conversation, contact = self._find_conversation(conversation_id), self._find_contact(contact_id)
        return self.store.commit(domain.rename_contact(conversation, contact["name"]))
