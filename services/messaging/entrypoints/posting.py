"""Conversations begun and messages posted over RPC."""

from typing import Any

from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.messaging import domain, errors, known_contacts, schemas, views
from services.messaging.entrypoints.visitor_posting import VisitorPost, VisitorPosting
from services.messaging.post_store import Asked
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
        if not known_contacts.may_begin(self._find_welcome_contact(contact["id"]), contact):
            raise errors.contact_unknown(contact["id"])
        conversation = retry_stale(lambda: self._open_conversation(contact["id"], channel))
        messages = self.store.list_messages(conversation, None, None, 50)
        return {"conversation": views.conversation(conversation), "messages": [views.message(message) for message in messages]}

    @rpc(schemas.PostVisitorMessage)
    def post_visitor_message(
        self, *, contact_id: str, user: bool, text: str | None, choice: str | None, client_message_id: str
    ) -> Wire:
        """Post into the contact's open conversation, begun anew if it was archived; a bot in charge answers with it.

        `user` says that who calls was verified as the website's user whose contact it is; without it such a contact is refused.
        Returns the message; a repeated client_message_id returns the first. Raises CONTACT_NOT_FOUND, CONTACT_BLOCKED,
        CLIENT_MESSAGE_ID_REUSED, TOKEN_INVALID.
        """
        return views.message(self._post_as_visitor(contact_id, VisitorPost(text, choice, client_message_id), user=user))

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
            known = self.store.look_up(Asked(client_message_id, conversation_id=conversation_id))
            if known.conversation is None:
                raise errors.conversation_not_found(conversation_id)
            if known.message is not None:
                return domain.check_repeat(known.message, actor["kind"], actor["id"], text)
            turn: Turn = decide(known.conversation)
            self.store.commit(turn)
            return turn.messages[0]

        return views.message(retry_stale(post))

    def _learn_of(self, contact: Wire) -> None:
        whole = known_contacts.is_whole(contact)
        told = known_contacts.keep(contact) if whole else {"name": contact["name"], "channel_id": contact["channel_id"]}
        self.store.follow_contact(contact["id"], known_contacts.version_told(contact), told)
