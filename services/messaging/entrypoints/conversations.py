"""Conversations read, listed and acted upon over RPC."""

from collections.abc import Callable
from typing import Any, ClassVar

from services.common.errors import DocumentExists, Forbidden
from services.common.paging import decode_cursor, encode_cursor, page
from services.common.rpc import rpc
from services.common.sharing import Shared
from services.common.store import Document, retry_stale
from services.common.transient import TransientEvents
from services.messaging import domain, errors, events, handovers, schemas, views
from services.messaging.entrypoints.finders import Finders
from services.messaging.flows.engine import AssignmentWanted
from services.messaging.turn import Turn

Wire = dict[str, Any]


class ConversationMethods(Finders):
    """What agents, visitors and bots do with a conversation besides posting."""

    transient: TransientEvents
    # When streams begin anew, after a gateway's end say, every agent's console asks for the same list at once.
    _lists: ClassVar[Shared[Wire]] = Shared()

    @rpc(schemas.ConversationId)
    def get_conversation(self, *, conversation_id: str) -> Wire:
        """A conversation. Raises CONVERSATION_NOT_FOUND."""
        return views.conversation(self._find_conversation(conversation_id))

    @rpc(schemas.GetContactConversation)
    def get_contact_conversation(self, *, contact_id: str, user: bool) -> Wire:
        """The contact's open conversation, else its newest; `user` as for post_visitor_message.

        Raises CONVERSATION_NOT_FOUND, TOKEN_INVALID.
        """
        self._check_visitors(contact_id, user=user)
        conversation = self.store.find_open_conversation(contact_id) or self.store.find_latest_conversation(contact_id)
        if conversation is None:
            raise errors.no_conversation_of(contact_id)
        return views.conversation(conversation)

    @rpc(schemas.ListConversations)
    def list_conversations(
        self,
        *,
        folder: str,
        channel_id: str | None,
        agent_id: str | None,
        contact_id: str | None,
        viewer_id: str | None,
        q: str | None,
        cursor: str | None,
        limit: int,
    ) -> Wire:
        """Conversations, last active first. Folders hold open ones, except `archived`; `mine` is what `viewer_id` has."""
        query: Document = {"status": "archived" if folder == "archived" else "open"}
        if folder == "unassigned":
            query["assignee.id"] = None
        elif folder == "assigned":
            query["assignee.id"] = {"$gt": ""}
        elif folder == "mine":
            query["assignee.id"] = viewer_id
        if agent_id is not None:
            # `mine` of another agent is nobody's.
            query = {"$and": [query, {"assignee.id": agent_id}]}
        if channel_id is not None:
            query["channel.id"] = channel_id
        if contact_id is not None:
            query["contact.id"] = contact_id

        def read() -> Wire:
            found = self.store.list_conversations(query, q, cursor, limit)
            return page(found, limit, views.conversation, lambda last: (last["active_at"], last["_id"]))

        return self._lists((repr(query), q, cursor, limit), read)

    @rpc(schemas.ListMessages)
    def list_messages(
        self, *, conversation_id: str, after_seq: int | None, before_seq: int | None, limit: int, cursor: str | None
    ) -> Wire:
        """Messages in ascending order of seq: those behind `after_seq`, those before `before_seq`, or the newest.

        `next_cursor` goes on in the same direction. Raises CONVERSATION_NOT_FOUND, CURSOR_INVALID.
        """
        if cursor is not None:
            direction, seq = decode_cursor(cursor, str, int)
            after_seq, before_seq = (seq, None) if direction == "after" else (None, seq)
        conversation = self._find_conversation(conversation_id)
        messages = self.store.list_messages(conversation, after_seq, before_seq, limit)
        next_cursor = None
        if messages and after_seq is not None and messages[-1]["seq"] < conversation["last_seq"]:
            next_cursor = encode_cursor("after", messages[-1]["seq"])
        elif messages and after_seq is None and messages[0]["seq"] > 1:
            next_cursor = encode_cursor("before", messages[0]["seq"])
        return {"items": [views.message(message) for message in messages], "next_cursor": next_cursor}

    @rpc(schemas.SetStatus)
    def set_status(self, *, conversation_id: str, status: str, actor: Wire) -> Wire:
        """Archive or reopen; the status it has already changes nothing.

        Raises CONVERSATION_NOT_FOUND, CONVERSATION_OPEN_ELSEWHERE, and CONTACT_NOT_FOUND for reopening one of an erased contact.
        """

        def decide(conversation: Document) -> Turn:
            if status == "archived":
                return domain.archive(conversation, actor)
            if (self.store.find_contact(conversation["contact"]["id"]) or {}).get("erased"):
                raise errors.contact_unknown(conversation["contact"]["id"])
            return domain.reopen(conversation)

        try:
            return self._act(conversation_id, decide)
        except DocumentExists:
            raise errors.open_elsewhere() from None

    @rpc(schemas.MarkRead)
    def mark_read(self, *, conversation_id: str, seq: int, actor: Wire) -> Wire:
        """Move the read marker of the actor's side forward to `seq`. Raises CONVERSATION_NOT_FOUND."""

        def decide(conversation: Document) -> Turn:
            self._check_visitor(conversation, actor)
            unread = 0 if actor["kind"] == "visitor" else self.store.count_unread(conversation, seq)
            return domain.mark_read(conversation, actor["kind"], seq, unread)

        return self._act(conversation_id, decide)

    @rpc(schemas.SignalTyping)
    def signal_typing(self, *, conversation_id: str, typing: bool, actor: Wire) -> Wire:
        """Tell the other side at once; kept nowhere. Raises CONVERSATION_NOT_FOUND, CONTACT_BLOCKED."""
        conversation = self._find_conversation(conversation_id)
        self._check_visitor(conversation, actor)
        if actor["kind"] == "visitor" and self._is_blocked(actor["id"]):
            raise errors.contact_blocked()
        author = {"kind": actor["kind"], "id": actor["id"], "name": actor["name"]}
        self.transient.publish(events.typing_signalled(conversation, author, typing=typing), conversation_id)
        return {}

    @rpc(schemas.ActOnConversation)
    def return_to_bot(self, *, conversation_id: str, actor: Wire) -> Wire:
        """Give the conversation back to the bot. Raises CONVERSATION_NOT_FOUND, CONVERSATION_ARCHIVED."""

        def decide(conversation: Document) -> Turn:
            flow = self.store.find_flow(conversation["flow"]["id"])
            return handovers.return_to_bot(conversation, flow, actor, facts=self._facts_of(conversation))

        return self._act(conversation_id, decide)

    @rpc(schemas.RequestAssignment)
    def request_assignment(
        self,
        *,
        conversation_id: str,
        strategy: str | None,
        agents: list[str] | None,
        team: str | None,
        priority: str,
        actor: Wire,
    ) -> Wire:
        """Ask for an agent, whatever the hour. Raises CONVERSATION_NOT_FOUND, CONVERSATION_ARCHIVED."""
        wanted = AssignmentWanted(strategy or "least_busy", agents, team, priority)
        return self._act(conversation_id, lambda found: handovers.request_assignment(found, actor, wanted))

    def _act(self, conversation_id: str, decide: Callable[[Document], Turn]) -> Wire:
        return views.conversation(retry_stale(lambda: self.store.commit(decide(self._find_conversation(conversation_id)))))

    def _check_visitor(self, conversation: Document, actor: Wire) -> None:
        if actor["kind"] == "visitor" and actor["id"] != conversation["contact"]["id"]:
            raise Forbidden("This is another visitor's conversation.")

    def _is_blocked(self, contact_id: str) -> bool:
        contact = self.store.find_contact(contact_id)
        return contact is not None and bool(contact.get("blocked"))
