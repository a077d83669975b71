"""Conversations begun and messages posted over RPC."""

from typing import Any

from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.messaging import domain, known_contacts, schemas, views
from services.messaging.entrypoints.visitor_posting import VisitorPost, VisitorPosting
from services.messaging.turn import Turn

Wire = dict[str, Any]


class PostingMethods(VisitorPosting):
    """start_conversation and the three ways to post."""

    @rpc(schemas.StartConversation)
    def start_conversation(self, *, channel_id: str, contact: Wire) -> Wire:
        """The contact's open conversation, else a new one in which the channel's bot has spoken.

        `contact` is the whole resource, or id, name and version alone: then the flow's first blocks know nothing else of it.
        Returns `{conversation, messages}`, the newest 50 of them. Raises CHANNEL_NOT_FOUND, CONTACT_BLOCKED, CONTACT_NOT_FOUND.
        """
        channel = self._find_channel(channel_id)
        self._learn_of(contact | {"channel_id": channel_id})
        self._find_welcome_contact(contact["id"])
        conversation = retry_stale(lambda: self._open_conversation(contact["id"], channel))
        messages = self.store.list_messages(conversation, None, None, 50)
        return {"conversation": views.conversation(conversation), "messages": [views.message(message) for message in messages]}

    @rpc(schemas.PostVisitorMessage)
    def post_visitor_message(self, *, contact_id: str, text: str | None, choice: str | None, client_message_id: str) -> Wire:
        """Post into the contact's open conversation, begun anew if it was archived; a bot in charge answers with it.

        Returns the message; a repeated client_message_id returns the first. Raises CONTACT_NOT_FOUND, CONTACT_BLOCKED,
        CLIENT_MESSAGE_ID_REUSED.
        """
        return views.message(self._post_as_visitor(contact_id, VisitorPost(text, choice, client_message_id)))

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

    def _learn_of(self, contact: Wire) -> None:
        if known_contacts.is_whole(contact):
            self.store.follow_contact(contact["id"], contact["version"], known_contacts.keep(contact))
        else:  # the event of the same version, which says all, must still count as newer
            known = {"name": contact["name"], "channel_id": contact["channel_id"]}
            self.store.follow_contact(contact["id"], contact["version"] - 1, known)
