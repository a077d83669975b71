"""Conversations begun and messages posted over RPC."""

from datetime import timedelta
from typing import Any, NamedTuple

from services.common.errors import DocumentExists, StaleDocument
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.messaging import domain, errors, schemas, views
from services.messaging.entrypoints.finders import Finders
from services.messaging.store import opens_second
from services.messaging.turn import Turn

Wire = dict[str, Any]


# Longer than any client goes on repeating.
REPEATED_WITHIN = timedelta(minutes=15)


class VisitorPost(NamedTuple):
    """What a visitor sends: text, or the value of a pressed button."""

    text: str | None
    choice: str | None
    client_message_id: str


class PostingMethods(Finders):
    """start_conversation and the three ways to post."""

    @rpc(schemas.StartConversation)
    def start_conversation(self, *, channel_id: str, contact: Wire) -> Wire:
        """The contact's open conversation, else a new one in which the channel's bot has spoken.

        Returns `{conversation, messages}`, the newest 50 of them. Raises CHANNEL_NOT_FOUND.
        """
        channel = self._find_channel(channel_id)
        # The caller knows the name alone: the event of the same version, which says all, must still count as newer.
        known = {"name": contact["name"], "channel_id": channel_id}
        self.store.follow_contact(contact["id"], contact["version"] - 1, known)
        conversation = retry_stale(lambda: self._open_conversation(contact["id"], channel))
        messages = self.store.list_messages(conversation, None, None, 50)
        return {"conversation": views.conversation(conversation), "messages": [views.message(message) for message in messages]}

    @rpc(schemas.PostVisitorMessage)
    def post_visitor_message(self, *, contact_id: str, text: str | None, choice: str | None, client_message_id: str) -> Wire:
        """Post into the contact's open conversation, begun anew if it was archived; a bot in charge answers with it.

        Returns the message; a repeated client_message_id returns the first. Raises CONTACT_NOT_FOUND, CONTACT_BLOCKED,
        CLIENT_MESSAGE_ID_REUSED.
        """

        def post() -> Document:
            conversation = self.store.find_open_conversation(contact_id)
            repeated = self._find_repeated(contact_id, conversation, VisitorPost(text, choice, client_message_id))
            if repeated is not None:
                return repeated
            contact = self._find_contact(contact_id)
            if contact.get("blocked"):
                raise errors.contact_blocked()
            conversation = conversation or self._open_conversation(contact_id, self._find_channel(contact["channel_id"]))
            flow = self.store.find_flow(conversation["flow"]["id"]) if conversation["handler"] == "bot" else None
            is_open = self._opening(conversation["channel"]["id"])
            turn = domain.visitor_writes(conversation, flow, text, choice, client_message_id, is_open=is_open)
            self.store.commit(turn)
            return turn.messages[0]

        return views.message(retry_stale(post))

    @rpc(schemas.PostAgentMessage)
    def post_agent_message(self, *, conversation_id: str, text: str, client_message_id: str, actor: Wire) -> Wire:
        """An agent's message; into a conversation that nobody has, the agent takes it. A repeat returns the first.

        Raises CONVERSATION_NOT_FOUND, CONVERSATION_ARCHIVED, CLIENT_MESSAGE_ID_REUSED.
        """
        return self._post(
            conversation_id,
            actor,
            text,
            client_message_id,
            lambda found: domain.agent_writes(found, actor, text, client_message_id),
        )

    @rpc(schemas.PostBotMessage)
    def post_bot_message(
        self, *, conversation_id: str, text: str, choices: list[dict[str, str]] | None, client_message_id: str, actor: Wire
    ) -> Wire:
        """An external bot's message. Raises as post_agent_message."""
        return self._post(
            conversation_id,
            actor,
            text,
            client_message_id,
            lambda found: domain.bot_writes(found, actor, text, choices, client_message_id),
        )

    def _post(self, conversation_id: str, actor: Wire, text: str, client_message_id: str, decide: Any) -> Wire:
        def post() -> Document:
            conversation = self._find_conversation(conversation_id)
            repeated = self.store.find_message_by_client_id(conversation, client_message_id)
            if repeated is not None:
                return domain.check_repeat(repeated, actor["kind"], actor["id"], text)
            turn: Turn = decide(conversation)
            self.store.commit(turn)
            return turn.messages[0]

        return views.message(retry_stale(post))

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

    def _open_conversation(self, contact_id: str, channel: Document) -> Document:
        conversation = self.store.find_open_conversation(contact_id)
        if conversation is not None:
            return conversation
        contact = self._find_contact(contact_id)
        turn = domain.begin_conversation(channel, contact, self.store.find_flow(channel["flow_id"]))
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

    def _with_newest_name(self, conversation_id: str, contact_id: str) -> Document:
        # A rename that was followed between the reading of the contact and the insert didn't find this conversation.
        conversation, contact = self._find_conversation(conversation_id), self._find_contact(contact_id)
        return self.store.commit(domain.rename_contact(conversation, contact["name"]))

    def _find_contact(self, contact_id: str) -> Document:
        contact = self.store.find_contact(contact_id)
        if contact is None:
            raise errors.contact_unknown(contact_id)
        return contact
