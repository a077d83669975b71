"""Channels and their flows over RPC."""

from typing import Any

from services.common.errors import DocumentExists
from services.common.ids import derived_id, fingerprint, new_id
from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import PageArguments
from services.messaging import errors, events, schemas, views
from services.messaging.entrypoints.finders import Finders
from services.messaging.flows.check import load_flow

Wire = dict[str, Any]


class ChannelMethods(Finders):
    """create, read, change and delete channels; read and replace their flows."""

    @rpc(schemas.CreateChannel)
    def create_channel(
        self, *, kind: str, name: str, allowed_origins: list[str], actor: Wire, idempotency_key: str | None
    ) -> Wire:
        """A new channel, without a flow. Raises IDEMPOTENCY_KEY_REUSED."""
        channel_id = derived_id("messaging", "create_channel", actor["id"], idempotency_key) if idempotency_key else new_id()
        channel: Document = {
            "_id": channel_id,
            "kind": kind,
            "name": name.strip(),
            "allowed_origins": allowed_origins,
            "flow_id": None,
            "visitor_count": 0,
            "deleted": False,
            "created_at": now(),
            "fingerprint": fingerprint({"kind": kind, "name": name, "allowed_origins": allowed_origins}),
        }
        try:
            created = self.store.insert("channels", channel, [events.channel_changed("channel_created", channel, 1)])
        except DocumentExists:
            created = self._find_channel(channel_id)
            if created["fingerprint"] != channel["fingerprint"]:
                raise errors.idempotency_key_reused() from None
        return views.channel(created)

    @rpc(schemas.ChannelId)
    def get_channel(self, *, channel_id: str) -> Wire:
        """A channel. Raises CHANNEL_NOT_FOUND."""
        return views.channel(self._find_channel(channel_id))

    @rpc(PageArguments)
    def list_channels(self, *, cursor: str | None, limit: int) -> Wire:
        """Channels, oldest first."""
        return page(
            self.store.list_channels(cursor, limit), limit, views.channel, lambda found: (found["created_at"], found["_id"])
        )

    @rpc(schemas.UpdateChannel)
    def update_channel(self, *, channel_id: str, changes: Wire, actor: Wire) -> Wire:  # noqa: ARG002 - recorded by the gateway's log
        """Change a channel's name or allowed origins. Raises CHANNEL_NOT_FOUND."""
        if "name" in changes:
            changes["name"] = changes["name"].strip()
        return views.channel(retry_stale(lambda: self._change_channel(channel_id, changes)))

    @rpc(schemas.DeleteChannel)
    def delete_channel(self, *, channel_id: str, actor: Wire) -> Wire:  # noqa: ARG002
        """Delete a channel; its archived conversations stay readable. Raises CHANNEL_NOT_FOUND, CHANNEL_IN_USE."""

        def delete() -> None:
            channel = self._find_channel(channel_id)
            if count := self.store.count_open_conversations(channel_id):
                raise errors.channel_in_use(count)
            self.store.update("channels", channel, {"deleted": True}, [events.channel_deleted(channel)])

        retry_stale(delete)
        return {"id": channel_id}

    @rpc(schemas.ChannelId)
    def get_flow(self, *, channel_id: str) -> Wire:
        """`{flow}`, None when the channel has none. Raises CHANNEL_NOT_FOUND."""
        channel = self._find_channel(channel_id)
        return {"flow": self.store.find_flow(channel["flow_id"])}

    @rpc(schemas.PutFlow)
    def put_flow(self, *, channel_id: str, flow: Wire, actor: Wire) -> Wire:  # noqa: ARG002
        """Replace a channel's flow; running conversations finish on theirs. Raises CHANNEL_NOT_FOUND, INVALID_FLOW."""
        self._find_channel(channel_id)
        loaded, problems = load_flow(flow)
        if problems:
            raise errors.invalid_flow(problems)

        flow_id = self.store.keep_flow(channel_id, loaded)
        return views.channel(retry_stale(lambda: self._change_channel(channel_id, {"flow_id": flow_id})))

    def _change_channel(self, channel_id: str, changes: Wire) -> Document:
        channel = self._find_channel(channel_id)
        event = events.channel_changed("channel_updated", channel | changes, channel["version"] + 1)
        return self.store.update("channels", channel, changes, [event])
