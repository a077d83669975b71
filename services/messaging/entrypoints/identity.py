"""Websites' signed-in users over RPC: the channel's secret, and whether what came is signed by it."""

from typing import Any

from services.common.rpc import rpc
from services.common.store import retry_stale
from services.messaging import channel_schemas, events, identity
from services.messaging.entrypoints.finders import Finders

Wire = dict[str, Any]


class IdentityMethods(Finders):
    """Make, take away and go by a channel's identity secret."""

    @rpc(channel_schemas.KeepIdentitySecret)
    def create_identity_secret(self, *, channel_id: str, actor: Wire) -> Wire:
        """`{identity_secret}`, shown this once; what was signed by the one before is no longer good.

        Raises CHANNEL_NOT_FOUND, FORBIDDEN, CONFLICT (not a website).
        """
        secret = identity.make_secret()
        self._keep(channel_id, secret, actor)
        return {"identity_secret": secret}

    @rpc(channel_schemas.KeepIdentitySecret)
    def delete_identity_secret(self, *, channel_id: str, actor: Wire) -> Wire:
        """Take the secret away, if there is one: nobody is a signed-in user from then on. Raises as create_identity_secret."""
        self._keep(channel_id, None, actor)
        return {"id": channel_id}

    @rpc(channel_schemas.VerifyIdentity)
    def verify_identity(self, *, channel_id: str, user_id: str, hash: str) -> Wire:  # noqa: A002 - the name on the wire
        """`{}` when the hash is the website's for this id. Raises CHANNEL_NOT_FOUND, IDENTITY_NOT_VERIFIED."""
        identity.check(self._find_channel(channel_id), user_id, hash)
        return {}

    def _keep(self, channel_id: str, secret: str | None, actor: Wire) -> None:
        def keep() -> None:
            channel = self._find_channel(channel_id)
            identity.check_may_keep(channel, actor)
            if secret is None and channel.get("identity_secret") is None:
                return
            changed = {"identity_secret": secret}
            event = events.channel_changed("channel_updated", channel | changed, channel["version"] + 1)
            self.store.update("channels", channel, changed, [event])

        retry_stale(keep)
