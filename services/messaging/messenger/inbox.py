"""Works off what Facebook delivered: messages become the visitor's posts, marks and echoes move what was sent."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from services.common.errors import Forbidden, Invalid, NotFound
from services.common.ids import derived_id
from services.common.lanes import Retry
from services.common.store import Document
from services.messaging.messenger import delivery, metrics, sending
from services.messaging.messenger.incoming import Batch, Incoming
from services.messaging.messenger.store import ERASED, Forgotten, MessengerStore, thread_of

# A contact that the contacts service has yet to make is mostly known within 50 ms, and whoever waits is woken then.
FIRST_LOOK = 0.2
LONGEST_LOOK = 5.0
# Within one position: the place in the batch that brought it.
PLACES = 1000

Post = Callable[[str, str, str | None, str], None]
KeepPageAnswer = Callable[[str, Incoming, str], bool]


def items_of(batch: Batch, channels: Mapping[str, Document]) -> list[Document]:
    """What of a batch is to be worked off, in the lanes of its threads; pages without a channel are left out."""
    return [
        _item(channels[event.page_id]["_id"], event, place)
        for place, event in enumerate(batch.events)
        if event.page_id in channels
    ]


def _item(channel_id: str, event: Incoming, place: int) -> Document:
    # What has no id of Facebook's is the same when all of it is.
    at = str(event.at if event.timed else 0)
    parts = (event.mid,) if event.mid else (event.psid, at, event.choice, event.text, str(event.watermark), *event.mids)
    return {
        "_id": derived_id("messenger", channel_id, event.kind, *parts),
        "lane": thread_of(channel_id, event.psid),
        "group": channel_id,
        "position": event.at * PLACES + min(place, PLACES - 1),
        "waiting": True,
        "event": asdict(event),
    }


class Inbox:
    """Takes one item at a time. `post` posts as a visitor: (contact, text, choice, client_message_id).

    `keep_page_answer` keeps in a contact's conversation what the page's people wrote on Facebook, and says whether there is one.
    """

    def __init__(self, store: MessengerStore, post: Post, keep_page_answer: KeepPageAnswer) -> None:
        self._store = store
        self._post = post
        self._keep_page_answer = keep_page_answer

    def take(self, item: Document, channel: Document | None) -> Retry | None:
        """Do what the item says, if it can be done by now; a repetition of it does nothing more."""
        event = Incoming(**(item["event"] | {"mids": tuple(item["event"]["mids"])}))
        try:
            outcome = "channel_gone" if channel is None else self._do(item, event)
        except Forgotten:
            outcome = ERASED
        if outcome == "waits":
            return Retry(min(FIRST_LOOK * 2 ** min(item["attempts"] - 1, 10), LONGEST_LOOK))
        self._store.finish(self._store.inbox, item, outcome)
        metrics.RECEIVED.labels(event.kind, outcome).inc()
        return None

    def _do(self, item: Document, event: Incoming) -> str:
        if event.kind in {"message", "postback"}:
            return self._take_message(item, event)
        thread = self._store.find_thread_for(item)
        if thread is None:
            return "unknown_visitor"
        return self._take_echo(item, event, thread) if event.kind == "echo" else self._take_marks(thread["_id"], event)

    def _take_message(self, item: Document, event: Incoming) -> str:
        thread = self._store.meet(item, event.psid)
        self._store.note_visitor(thread["_id"], delivery.moment(event.at))
        try:
            self._post(thread["contact_id"], event.text or "", event.choice, f"fb:{item['_id']}")
        except NotFound:  # not known yet, or being erased at this moment
            return "waits"
        except Forbidden:
            return "blocked"
        except Invalid:
            return "repeated"
        return "posted"

    def _take_echo(self, item: Document, event: Incoming, thread: Document) -> str:
        if self._is_ours(thread, event):
            return "ours"
        return "kept" if self._keep_page_answer(thread["contact_id"], event, f"fb:{item['_id']}") else "no_conversation"

    def _is_ours(self, thread: Document, event: Incoming) -> bool:
        sends, mid, contact_id = self._store.sends, event.mid or "", thread["contact_id"]
        named = sending.read_metadata(event.metadata)
        if named is not None and sends.is_forgotten(named[0]):
            return True  # it was said to the contact that the visitor was before it was erased
        # Whatever an app puts into an echo's metadata, it speaks for this visitor's messages alone.
        if named is None or sends.note_part(contact_id, *named, mid, event.at) is None:
            named = sends.find_part(contact_id, mid)
            if named is None or sends.note_part(contact_id, *named, mid, event.at) is None:
                return False
        sends.apply_marks(thread)
        return True

    def _take_marks(self, thread_id: str, event: Incoming) -> str:
        until = {"read_until" if event.kind == "read" else "delivered_until": event.watermark or 0}
        thread = self._store.note_marks(thread_id, mids=event.mids, **until)
        if thread is None:
            return "unknown_visitor"
        self._store.sends.apply_marks(thread)
        return "noted"
