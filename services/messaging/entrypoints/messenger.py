"""Facebook Messenger over RPC, and the workers that take in what it delivered and send what is to be said."""

import hmac
from typing import Any

from nameko.extensions import DependencyProvider

from services.common.errors import Forbidden, Invalid
from services.common.lanes import Retry, in_order
from services.common.logs import get_logger
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.messaging.entrypoints.visitor_posting import VisitorPost, VisitorPosting
from services.messaging.messenger import delivery, metrics, schemas, settings
from services.messaging.messenger.asker import Asker
from services.messaging.messenger.graph import Graph
from services.messaging.messenger.inbox import Inbox, items_of
from services.messaging.messenger.incoming import Incoming, NotFacebooks, is_signed, read_batch
from services.messaging.messenger.page_answers import page_answers
from services.messaging.messenger.send_store import SENDS
from services.messaging.messenger.sender import Sender
from services.messaging.messenger.store import INBOX, PROFILES
from services.messaging.settings import MessagingSettings

log = get_logger(__name__)

Wire = dict[str, Any]


class Facebook(DependencyProvider):
    """Graph at the configured address, and for how long an outage of it is waited out."""

    graph: Graph
    retry_seconds: float

    def setup(self) -> None:
        """Read the settings."""
        found = MessagingSettings.read()
        self.graph, self.retry_seconds = Graph(found.graph_url), found.messenger_retry_seconds

    def get_dependency(self, worker_ctx: Any) -> "Facebook":  # noqa: ARG002 - nameko's signature
        """Itself."""
        return self


class MessengerMethods(VisitorPosting):
    """Facebook's webhook, and the work that follows from it."""

    facebook: Facebook

    @rpc(schemas.VerifyWebhook)
    def verify_messenger_webhook(
        self, *, channel_id: str, mode: str | None, verify_token: str | None, challenge: str | None
    ) -> Wire:
        """`{challenge}` for whoever knows the channel's verify token. Raises CHANNEL_NOT_FOUND, FORBIDDEN."""
        wanted = self._settings_of(channel_id)["verify_token"]
        if mode != "subscribe" or not wanted or not hmac.compare_digest((verify_token or "").encode(), wanted.encode()):
            raise Forbidden("This is not the channel's verify token.")
        return {"challenge": challenge or ""}

    @rpc(schemas.ReceiveWebhook)
    def receive_messenger_webhook(self, *, channel_id: str, body: str, signature: str | None) -> Wire:
        """Store what Facebook delivered, to be worked off from then on; a repetition is recognised.

        Events of other pages are taken where a channel has such a page with the same app. Returns `{accepted}`, the number of
        events taken. Raises CHANNEL_NOT_FOUND, FORBIDDEN, SIGNATURE_INVALID, VALIDATION_FAILED (`body`).
        """
        app_secret = self._settings_of(channel_id)["app_secret"]
        if not app_secret:
            raise Forbidden("The channel has no app secret, so nobody can sign for it.")
        raw = body.encode("utf-8", "surrogatepass")
        if not is_signed(raw, signature, app_secret):
            raise Forbidden("The body is not signed with the channel's app secret.", code="SIGNATURE_INVALID")
        try:
            batch = read_batch(raw, delivery.milliseconds(now()))
        except NotFacebooks as error:
            raise Invalid("Some values are not valid.", errors={"body": [f"Not a webhook of Facebook's: {error}."]}) from None
        pages = self.store.messenger.find_pages({event.page_id for event in batch.events}, app_secret)
        items = items_of(batch, pages)
        self.store.messenger.inbox.add(items)
        if skipped := batch.ignored["entry"]:
            log.warning("messenger_entries_skipped", channel_id=channel_id, count=skipped)
        for kind, count in batch.ignored.items():
            metrics.RECEIVED.labels(kind, "ignored").inc(count)
        if len(items) < len(batch.events):
            metrics.RECEIVED.labels("any", "other_page").inc(len(batch.events) - len(items))
        return {"accepted": len(items)}

    def _settings_of(self, channel_id: str) -> Document:
        channel = self._find_channel(channel_id)
        if channel["kind"] != "messenger":
            raise Forbidden("The channel is not one of Messenger.")
        return settings.of_channel(channel)

    # work

    @in_order(INBOX, at_once=16, per_group=8)
    def take_in(self, item: Document) -> Retry | None:
        """What Facebook delivered."""
        inbox = Inbox(self.store.messenger, self._post_from_facebook, self._keep_page_answer)
        return inbox.take(item, self.store.find_channel(item["group"]))

    @in_order(SENDS, at_once=16, per_group=4)
    def send_out(self, item: Document) -> Retry | None:
        """What the bot or an agent said to a visitor."""
        sender = Sender(self.store.messenger, self.facebook.graph, self.facebook.retry_seconds)
        return sender.send(item, self.store.find_channel(item["group"]))

    @in_order(PROFILES, at_once=4, per_group=2)
    def ask_for_profile(self, item: Document) -> Retry | None:
        """Who a visitor is."""
        asker = Asker(self.store.messenger, self.facebook.graph, self.facebook.retry_seconds)
        return asker.ask(item, self.store.find_channel(item["group"]))

    def _post_from_facebook(self, contact_id: str, text: str, choice: str | None, client_message_id: str) -> None:
        self._post_as_visitor(contact_id, VisitorPost(text, choice, client_message_id), user=True)

    def _keep_page_answer(self, contact_id: str, event: Incoming, client_message_id: str) -> bool:
        def keep() -> bool:
            conversation = self.store.find_open_conversation(contact_id)
            if conversation is None:
                return False
            if self.store.find_message_by_client_id(conversation, client_message_id) is None:
                self.store.commit(page_answers(conversation, event.text or "", client_message_id, delivery.moment(event.at)))
            return True

        return retry_stale(keep)
