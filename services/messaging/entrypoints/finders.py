"""What every group of entrypoints looks up: the thing itself, or the error that says there is none."""

from functools import cache

from services.common.store import Document
from services.common.times import now
from services.messaging import errors, hours
from services.messaging.flows.engine import IsOpen
from services.messaging.store import MessagingStore


class Finders:
    """The base of the groups of entrypoints."""

    store: MessagingStore

    def _find_channel(self, channel_id: str) -> Document:
        channel = self.store.find_channel(channel_id)
        if channel is None:
            raise errors.channel_not_found(channel_id)
        return channel

    def _opening(self, channel_id: str) -> IsOpen:
        """Whether the channel is open now: read when it is asked for, and once. One that is gone closes nobody out."""

        @cache
        def is_open() -> bool:
            channel = self.store.find_channel(channel_id) or {}
            return hours.is_open(hours.read_hours(channel.get("business_hours")), now())

        return is_open

    def _find_conversation(self, conversation_id: str) -> Document:
        conversation = self.store.find_conversation(conversation_id)
        if conversation is None:
            raise errors.conversation_not_found(conversation_id)
        return conversation
