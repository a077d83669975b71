"""A visitor's message, from whichever side it came: posted into the open conversation, or opening one."""

from typing import NamedTuple

from services.common.errors import DocumentExists, StaleDocument
from services.common.store import Document, retry_stale
from services.messaging import domain, errors
from services.messaging.entrypoints.finders import Finders, check_anonymous
from services.messaging.post_store import Asked, Known
from services.messaging.store import opens_second
from services.messaging.turn import Turn


class VisitorPost(NamedTuple):
    """What a visitor sends: text, or the value of a pressed button; the button's label as text if only that is known outside."""

    text: str | None
    choice: str | None
    client_message_id: str


class VisitorPosting(Finders):
    """What the calls of the widget and Facebook's messages have in common."""

    def _post_as_visitor(self, contact_id: str, post: VisitorPost, *, user: bool) -> Document:
        """Post; a bot in charge answers with it. A repeated client_message_id returns the first message.

        `user` says that who writes is known to be the website's user whose contact it is, should it be one's.
        Without an open conversation, on the web one is begun in which the bot has greeted before; elsewhere the visitor's message
        opens it. Raises CONTACT_NOT_FOUND, CONTACT_BLOCKED, CHANNEL_NOT_FOUND, CLIENT_MESSAGE_ID_REUSED, TOKEN_INVALID.
        """
        return retry_stale(lambda: self._try_to_post(contact_id, post, user=user))

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
        return _welcome(contact_id, self.store.find_contact(contact_id))

    def _try_to_post(self, contact_id: str, post: VisitorPost, *, user: bool) -> Document:
        known = self.store.look_up(Asked(post.client_message_id, contact_id=contact_id))
        if not user:
            check_anonymous(known.contact)
        repeated = _find_repeated(contact_id, known, post)
        if repeated is not None:
            return repeated
        contact, conversation = _welcome(contact_id, known.contact), known.conversation
        if conversation is None:
            channel = self._find_channel(contact["channel_id"])
            if channel["kind"] != "web":
                return self._begin_by_post(channel, contact, post)
            conversation = self._open_conversation(contact_id, channel)
            # If not this attempt opened it but an earlier one whose answer is late, that one may have posted, too.
            posted = self.store.find_message_by_client_id(conversation, post.client_message_id)
            if posted is not None:
                return domain.check_repeat(posted, "visitor", contact_id, post.text, post.choice)
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

    def _with_newest_name(self, conversation_id: str, contact_id: str) -> Document:
        # A rename that was followed between the reading of the contact and the insert didn't find this conversation.
        conversation, contact = self._find_conversation(conversation_id), self._find_contact(contact_id)
        return self.store.commit(domain.rename_contact(conversation, contact["name"]))


def _find_repeated(contact_id: str, known: Known, post: VisitorPost) -> Document | None:
    if known.message is not None:
        return domain.check_repeat(known.message, "visitor", contact_id, post.text, post.choice)
    # The repeat of a message whose conversation was archived before its answer came. Other posts may use its id again.
    found = known.archived
    return found if found is not None and domain.is_repeat(found, "visitor", contact_id, post.text, post.choice) else None


def _welcome(contact_id: str, contact: Document | None) -> Document:
    """The contact, who may write. Raises CONTACT_NOT_FOUND, CONTACT_BLOCKED."""
    if contact is None or contact.get("erased"):
        raise errors.contact_unknown(contact_id)
    if contact.get("blocked"):
        raise errors.contact_blocked()
    return contact
