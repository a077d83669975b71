"""Channels and their flows over RPC."""

from dataclasses import asdict
from typing import Any

from services.common.errors import DocumentExists
from services.common.ids import derived_id, fingerprint, new_id
from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now, optional_to_wire
from services.common.validation import PageArguments
from services.messaging import errors, events, hours, schemas, views
from services.messaging.entrypoints.finders import Finders
from services.messaging.flows.check import load_flow
from services.messaging.flows.preview import find_wish

Wire = dict[str, Any]


class ChannelMethods(Finders):
    """create, read, change and delete channels; read and replace their flows."""

    @rpc(schemas.CreateChannel)
    def create_channel(
        self,
        *,
        kind: str,
        name: str,
        allowed_origins: list[str],
        business_hours: Wire | None,
        reassignment: Wire,
        actor: Wire,
        idempotency_key: str | None,
    ) -> Wire:
        """A new channel, without a flow. Raises IDEMPOTENCY_KEY_REUSED."""
        channel_id = derived_id("messaging", "create_channel", actor["id"], idempotency_key) if idempotency_key else new_id()
        channel: Document = {
            "_id": channel_id,
            "kind": kind,
            "name": name.strip(),
            "allowed_origins": allowed_origins,
            "business_hours": business_hours,
            "reassignment": views.REASSIGNMENT | reassignment,
            "flow_id": None,
            "visitor_count": 0,
            "deleted": False,
            "created_at": now(),
        }
        channel["fingerprint"] = _fingerprint(channel, name)
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
        """Change what is named, and within `reassignment` what it names. Raises CHANNEL_NOT_FOUND."""
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

    @rpc(schemas.PreviewAssignment)
    def preview_assignment(self, *, channel_id: str, block: str | None) -> Wire:
        """What the channel's assign block (the named one, else the nearest to the start) would ask for now.

        `{open, opens_at, block, strategy, agents, team, priority, unavailable}`; without such a block, the defaults and block
        None. `opens_at` is None while it is open, and when it never is. Raises CHANNEL_NOT_FOUND, VALIDATION_FAILED (`block`).
        """
        channel = self._find_channel(channel_id)
        try:
            name, wish = find_wish(self.store.find_flow(channel["flow_id"]), block)
        except KeyError:
            raise errors.no_assign_block(block or "") from None
        at, schedule = now(), hours.read_hours(channel.get("business_hours"))
        is_open = hours.is_open(schedule, at)
        opens_at = None if is_open else hours.next_opening(schedule, at)
        return {"open": is_open, "opens_at": optional_to_wire(opens_at), "block": name, **asdict(wish)}

    def _change_channel(self, channel_id: str, changes: Wire) -> Document:
        channel = self._find_channel(channel_id)
        if "reassignment" in changes:
            kept = views.REASSIGNMENT | channel.get("reassignment", {})
            changes = changes | {"reassignment": kept | changes["reassignment"]}
        event = events.channel_changed("channel_updated", channel | changes, channel["version"] + 1)
        return self.store.update("channels", channel, changes, [event])


def _fingerprint(channel: Document, name: str) -> str:
    # What stands at its default is left out, so that a key from before there was a choice still fits.
    later = (("business_hours", None), ("reassignment", views.REASSIGNMENT))
    chosen = {field: channel[field] for field, default in later if channel[field] != default}
    return fingerprint({"kind": channel["kind"], "name": name, "allowed_origins": channel["allowed_origins"]} | chosen)
