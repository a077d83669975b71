"""Channels over RPC."""

from typing import Any

from services.common.errors import DocumentExists
from services.common.ids import derived_id, fingerprint, new_id
from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import PageArguments
from services.messaging import channel_schemas, errors, events, views
from services.messaging.entrypoints.finders import Finders
from services.messaging.messenger import settings
from services.messaging.messenger.store import PAGE

Wire = dict[str, Any]


class ChannelMethods(Finders):
    """create, read, change and delete channels."""

    @rpc(channel_schemas.CreateChannel)
    def create_channel(
        self,
        *,
        kind: str,
        name: str,
        allowed_origins: list[str],
        business_hours: Wire | None,
        reassignment: Wire,
        messenger: Wire | None,
        actor: Wire,
        idempotency_key: str | None,
    ) -> Wire:
        """A new channel, without a flow. Raises IDEMPOTENCY_KEY_REUSED."""
        _check_messenger(kind, messenger)
        channel_id = derived_id("messaging", "create_channel", actor["id"], idempotency_key) if idempotency_key else new_id()
        channel: Document = {
            "_id": channel_id,
            "kind": kind,
            "name": name.strip(),
            "allowed_origins": allowed_origins,
            "business_hours": business_hours,
            "reassignment": views.REASSIGNMENT | reassignment,
            "messenger": settings.of_new_channel(kind, messenger),
            "flow_id": None,
            "flow_version": None,
            "last_flow_version": 0,
            "visitor_count": 0,
            "deleted": False,
            "created_at": now(),
        }
        channel["fingerprint"] = _fingerprint(channel, name)
        try:
            created = self.store.insert("channels", channel, [events.channel_changed("channel_created", channel, 1)])
        except DocumentExists as error:
            if error.index == PAGE and self.store.find_channel(channel_id) is None:
                raise errors.page_taken() from None
            created = self._find_channel(channel_id)
            if created["fingerprint"] != channel["fingerprint"]:
                raise errors.idempotency_key_reused() from None
        return views.channel(created)

    @rpc(channel_schemas.ChannelId)
    def get_channel(self, *, channel_id: str) -> Wire:
        """A channel. Raises CHANNEL_NOT_FOUND."""
        return views.channel(self._find_channel(channel_id))

    @rpc(PageArguments)
    def list_channels(self, *, cursor: str | None, limit: int) -> Wire:
        """Channels, oldest first."""
        return page(
            self.store.list_channels(cursor, limit), limit, views.channel, lambda found: (found["created_at"], found["_id"])
        )

    @rpc(channel_schemas.UpdateChannel)
    def update_channel(self, *, channel_id: str, changes: Wire, actor: Wire) -> Wire:  # noqa: ARG002 - recorded by the gateway's log
        """Change what is named, and within `reassignment` and `messenger` what they name. Raises CHANNEL_NOT_FOUND."""
        if "name" in changes:
            changes["name"] = changes["name"].strip()
        try:
            changed = retry_stale(lambda: self._change_channel(channel_id, changes))
        except DocumentExists:
            raise errors.page_taken() from None
        if "messenger" in changes:
            self.store.messenger.renew_access(channel_id)
        return views.channel(changed)

    @rpc(channel_schemas.DeleteChannel)
    def delete_channel(self, *, channel_id: str, actor: Wire) -> Wire:  # noqa: ARG002
        """Delete a channel, its secrets included; its archived conversations stay readable. Raises CHANNEL_NOT_FOUND, CHANNEL_IN_USE."""

        def delete() -> None:
            channel = self._find_channel(channel_id)
            if count := self.store.count_open_conversations(channel_id):
                raise errors.channel_in_use(count)
            gone = {"deleted": True, "messenger": settings.without_secrets(channel), "identity_secret": None}
            self.store.update("channels", channel, gone, [events.channel_deleted(channel)])

        retry_stale(delete)
        return {"id": channel_id}

    def _change_channel(self, channel_id: str, changes: Wire) -> Document:
        channel = self._find_channel(channel_id)
        if "reassignment" in changes:
            kept = views.REASSIGNMENT | channel.get("reassignment", {})
            changes = changes | {"reassignment": kept | changes["reassignment"]}
        if "messenger" in changes:
            _check_messenger(channel["kind"], changes["messenger"])
            changes = changes | {"messenger": settings.change(settings.of_channel(channel), changes["messenger"])}
        event = events.channel_changed("channel_updated", channel | changes, channel["version"] + 1)
        return self.store.update("channels", channel, changes, [event])


def _check_messenger(kind: str, wanted: Wire | None) -> None:
    if wanted is not None and kind != "messenger":
        raise errors.not_messenger()


def _fingerprint(channel: Document, name: str) -> str:
    # What stands at its default is left out, so that a key from before there was a choice still fits.
    later = (
        ("business_hours", None),
        ("reassignment", views.REASSIGNMENT),
        ("messenger", settings.of_new_channel(channel["kind"], None)),
    )
    chosen = {field: channel[field] for field, default in later if channel[field] != default}
    return fingerprint({"kind": channel["kind"], "name": name, "allowed_origins": channel["allowed_origins"]} | chosen)
