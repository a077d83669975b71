"""Webhooks over RPC, what they hear of contacts, and their deliveries."""

from datetime import datetime
from typing import Any

from nameko.extensions import DependencyProvider

from services.common.envelope import Event
from services.common.errors import DocumentExists
from services.common.events import subscribe
from services.common.guard import Guard, Refused
from services.common.ids import derived_id, fingerprint, new_id
from services.common.lanes import Retry, in_order
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.outgoing import check_target
from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import PageArguments
from services.messaging import errors
from services.messaging.entrypoints.finders import Finders
from services.messaging.settings import MessagingSettings
from services.messaging.webhooks import domain, schemas, signing, told, views
from services.messaging.webhooks import errors as webhook_errors
from services.messaging.webhooks.delivery_store import DELIVERIES, ORDER
from services.messaging.webhooks.sending import send

log = get_logger(__name__)

Wire = dict[str, Any]

# In one call, so that it ends in time; a repetition goes on with what is left.
MAX_REPLAYED = 5_000


class Receivers(DependencyProvider):
    """How other people's servers are reached."""

    guard: Guard
    retry_seconds: tuple[float, ...]
    deadline_seconds: float

    def setup(self) -> None:
        """Read the settings."""
        found = MessagingSettings.read()
        self.guard = Guard(found.webhook_private_networks)
        self.retry_seconds, self.deadline_seconds = found.webhook_retry_seconds, found.webhook_deadline_seconds

    def get_dependency(self, worker_ctx: Any) -> "Receivers":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self


class WebhookMethods(Finders):
    """Create, read, change and delete webhooks; their log and its replay; and the work itself."""

    receivers: Receivers

    @rpc(schemas.CreateWebhook)
    def create_webhook(self, *, actor: Wire, idempotency_key: str | None, **values: Any) -> Wire:
        """A new webhook, enabled, with its `secret`, which is shown this once.

        Raises FORBIDDEN, VALIDATION_FAILED (`url`, `channel_ids`), CONFLICT (50 are enough), IDEMPOTENCY_KEY_REUSED.
        """
        domain.check_may_manage(actor)
        self._check(values)
        key = idempotency_key
        webhook_id = derived_id("messaging", "create_webhook", actor["id"], key) if key else new_id()
        made = domain.make_webhook(webhook_id, values, signing.make_secret(), now()) | {"fingerprint": fingerprint(values)}
        if key and (found := self.store.webhooks.find(webhook_id)):
            return self._made_before(found, made)
        try:
            if not self.store.webhooks.insert(made):
                raise webhook_errors.too_many(domain.MAX_WEBHOOKS)
        except DocumentExists:
            return self._made_before(self._find_webhook(webhook_id), made)
        self.store.webhooks.outlast_memories()
        return views.webhook_with_secret(made)

    @rpc(schemas.WebhookId)
    def get_webhook(self, *, webhook_id: str) -> Wire:
        """A webhook. Raises WEBHOOK_NOT_FOUND."""
        return views.webhook(self._find_webhook(webhook_id))

    @rpc(PageArguments)
    def list_webhooks(self, *, cursor: str | None, limit: int) -> Wire:
        """Webhooks, oldest first."""
        found = self.store.webhooks.list_oldest(cursor, limit)
        return page(found, limit, views.webhook, lambda each: (each["created_at"], each["_id"]))

    @rpc(schemas.UpdateWebhook)
    def update_webhook(self, *, webhook_id: str, changes: Wire, actor: Wire) -> Wire:
        """Change what is named. Enabled again, it hears of what happens from then on.

        Raises FORBIDDEN, WEBHOOK_NOT_FOUND, VALIDATION_FAILED (`url`, `channel_ids`).
        """
        domain.check_may_manage(actor)
        self._find_webhook(webhook_id)
        self._check(changes)

        def change() -> Document:
            webhook = self._find_webhook(webhook_id)
            return self.store.webhooks.update(webhook, domain.change_webhook(webhook, changes))

        changed = retry_stale(change)
        if changes.keys() & {"url", "enabled"}:
            self.store.webhooks.deliveries.wake(webhook_id)
        self.store.webhooks.outlast_memories()
        return views.webhook(changed)

    @rpc(schemas.ActOnWebhook)
    def rotate_webhook_secret(self, *, webhook_id: str, actor: Wire) -> Wire:
        """A new `secret`, shown this once; what it replaces signs too for 24 hours. Raises FORBIDDEN, WEBHOOK_NOT_FOUND."""
        domain.check_may_manage(actor)

        def rotate() -> Document:
            webhook = self._find_webhook(webhook_id)
            return self.store.webhooks.update(webhook, signing.rotate(webhook, now()))

        return views.webhook_with_secret(retry_stale(rotate))

    @rpc(schemas.ActOnWebhook)
    def delete_webhook(self, *, webhook_id: str, actor: Wire) -> Wire:
        """Delete a webhook; what waits for it isn't sent any more. Raises FORBIDDEN, WEBHOOK_NOT_FOUND."""
        domain.check_may_manage(actor)

        def delete() -> None:
            webhook = self._find_webhook(webhook_id)
            no_secrets: Document = {"secret": None, "old_secrets": []}
            self.store.webhooks.update(webhook, {"deleted": True, "enabled": False} | no_secrets)

        retry_stale(delete)
        self.store.webhooks.deliveries.wake(webhook_id)
        return {"id": webhook_id}

    @rpc(schemas.ActOnWebhook)
    def ping_webhook(self, *, webhook_id: str, actor: Wire) -> Wire:
        """A delivery of type `ping`, beside all others. Raises FORBIDDEN, WEBHOOK_NOT_FOUND, CONFLICT (disabled)."""
        domain.check_may_manage(actor)
        webhook = self._find_enabled(webhook_id)
        data = {"webhook_id": webhook_id}
        ping = told.Told(told.PING, new_id(), now(), data, contact_id=None, channel_id=None, position=0)
        delivery = told.make_delivery(webhook, ping, now())
        self.store.webhooks.deliveries.add([delivery])
        return views.delivery(delivery)

    @rpc(schemas.ListDeliveries)
    def list_deliveries(self, *, webhook_id: str, state: str | None, cursor: str | None, limit: int) -> Wire:
        """A webhook's deliveries of the last seven days, newest first. Raises WEBHOOK_NOT_FOUND."""
        self._find_webhook(webhook_id)
        found = self.store.webhooks.deliveries.list_newest(webhook_id, state, cursor, limit)
        return page(found, limit, views.delivery, lambda each: [each[name] for name in ORDER])

    @rpc(schemas.GetDelivery)
    def get_delivery(self, *, webhook_id: str, delivery_id: str) -> Wire:
        """One delivery with its payload. Raises WEBHOOK_NOT_FOUND, DELIVERY_NOT_FOUND."""
        self._find_webhook(webhook_id)
        delivery = self.store.webhooks.deliveries.find(webhook_id, delivery_id)
        if delivery is None:
            raise webhook_errors.delivery_not_found(delivery_id)
        return views.delivery_with_payload(delivery)

    @rpc(schemas.ReplayDeliveries)
    def replay_deliveries(
        self, *, webhook_id: str, actor: Wire, delivery_ids: list[str] | None, state: str, since: datetime | None
    ) -> Wire:
        """Send deliveries again under their ids, the oldest first: the named ones that have ended, else all of a state since then.

        `{replayed}`; at most 5,000 in one call. Those that wait anyway, and those whose contact was erased, are not counted.
        Raises FORBIDDEN, WEBHOOK_NOT_FOUND, DELIVERY_NOT_FOUND, CONFLICT (disabled).
        """
        domain.check_may_manage(actor)
        self._find_enabled(webhook_id)
        deliveries = self.store.webhooks.deliveries
        query: Document = {"webhook_id": webhook_id}
        if delivery_ids is not None:
            known = deliveries.find_known(webhook_id, delivery_ids)
            for missing in (each for each in delivery_ids if each not in known):
                raise webhook_errors.delivery_not_found(missing)
            query["_id"] = {"$in": delivery_ids}
        else:
            query |= {"state": state} | ({"created_at": {"$gte": since}} if since else {})
        return {"replayed": deliveries.replay(query, MAX_REPLAYED)}

    @subscribe("contacts", "ticket_created", "ticket_updated")
    def follow_ticket(self, event: Event) -> None:
        """Nothing of tickets concerns messaging itself."""
        self.store.webhooks.follow(event)

    @in_order(DELIVERIES, at_once=32, per_group=4)
    def deliver(self, delivery: Document) -> Retry | None:
        """One attempt to deliver. A fault of ours counts as one, so that it never holds up the lane for good."""
        try:
            return self._deliver(delivery)
        except Exception as error:
            if is_outage(error):  # nothing was decided: the lane tries again
                raise
            log.exception("delivery_faulty", delivery=delivery["_id"], reason=f"{type(error).__name__}: {error}"[:300])
            verdict = domain.judge_fault(delivery["tries"] + 1, error, now(), self.receivers.retry_seconds)
            self.store.webhooks.deliveries.write(delivery, verdict.delivery)
            return None if verdict.pause is None else Retry(verdict.pause)

    def _deliver(self, delivery: Document) -> Retry | None:
        webhooks = self.store.webhooks
        webhook = webhooks.find(delivery["webhook_id"])
        if webhook is None or not webhook["enabled"]:
            webhooks.deliveries.end_lane(delivery["lane"], domain.DISABLED)
            return None
        if delivery["body"] is None:
            webhooks.deliveries.write(delivery, domain.give_up(domain.ERASED, now()))
            return None
        outcome = send(webhook, delivery, now(), self.receivers.guard, self.receivers.deadline_seconds)
        verdict = domain.judge(webhook, delivery["tries"] + 1, outcome, now(), self.receivers.retry_seconds)
        webhooks.deliveries.write(delivery, verdict.delivery)
        if verdict.disable is not None:
            webhooks.disable(webhook, verdict.disable)
        elif verdict.failing is not None and verdict.failing != (webhook["failing_since"] is not None):
            webhooks.note_failing(webhook, verdict.delivery["last_attempt_at"] if verdict.failing else None)
        return None if verdict.pause is None else Retry(verdict.pause)

    def _check(self, values: Wire) -> None:
        """Refuse targets that requests may not be sent to, and channels that aren't there."""
        if (url := values.get("url")) is not None:
            try:
                check_target(url, self.receivers.guard)
            except Refused as error:
                raise webhook_errors.refused_url(str(error)) from None
        if unknown := [each for each in values.get("channel_ids") or [] if self.store.find_channel(each) is None]:
            raise webhook_errors.unknown_channels(unknown)

    def _find_webhook(self, webhook_id: str) -> Document:
        webhook = self.store.webhooks.find(webhook_id)
        if webhook is None:
            raise webhook_errors.webhook_not_found(webhook_id)
        return webhook

    def _find_enabled(self, webhook_id: str) -> Document:
        webhook = self._find_webhook(webhook_id)
        if not webhook["enabled"]:
            raise webhook_errors.disabled()
        return webhook

    def _made_before(self, found: Document, wanted: Document) -> Wire:
        if found["fingerprint"] != wanted["fingerprint"]:
            raise errors.idempotency_key_reused()
        return views.webhook_with_secret(found)
