"""Messenger in the database: threads with visitors, what Facebook delivered (`messenger_inbox`), and profiles yet to be asked for.

A thread is a page's talk with one visitor; it is named by a hash of both and says which contact the visitor is. What was delivered is
emptied once it is done; its id stays for a week, so that a repetition is recognised. What is sent is in `send_store.py`.

What was delivered belongs to the contact that its thread is with at the moment of delivery. When that contact is erased, first all that waits
in the thread's lane is done with, then the thread goes: whoever reads another thread, or none, and looks at its item afterwards sees
that the item is not to be worked off any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.common.envelope import NewEvent
from services.common.errors import DocumentExists
from services.common.ids import derived_id, new_id
from services.common.lanes import LaneStore
from services.common.store import Document, Store, retry_stale
from services.common.times import now, to_wire
from services.messaging import events
from services.messaging.messenger import settings
from services.messaging.messenger.send_store import SENDS, SendStore

THREADS = "messenger_threads"
INBOX = "messenger_inbox"
PROFILES = "messenger_profiles"
ENTITIES = (SENDS, THREADS)
PAGE = "channel_of_page"
# Facebook repeats what it could not deliver for about a day and a half.
REPEATS_KNOWN_FOR = timedelta(days=7)
MAX_MIDS = 50
ERASED = "erased"

PAGES = IndexModel(
    [("messenger.page_id", ASCENDING)],
    name=PAGE,
    unique=True,
    partialFilterExpression={"messenger.page_id": {"$type": "string"}, "deleted": False},
)


class Forgotten(Exception):
    """The visitor was erased after what is in hand was delivered."""


class MessengerStore:
    """An outlet of messaging's store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = store.database[THREADS]
        self._channels = store.database["channels"]
        self.sends = SendStore(store)
        self.inbox = LaneStore(store.database, INBOX)
        self.profiles = LaneStore(store.database, PROFILES)
        self.lanes: Mapping[str, Any] = {SENDS: self.sends.lanes, INBOX: self.inbox, PROFILES: self.profiles}
        self.indexes: Mapping[str, Sequence[IndexModel]] = self._all_indexes()

    def collect(self, collection: str, entries: Sequence[Document]) -> None:
        """Keep a send for each message that is queued."""
        if collection == "conversations":
            self.sends.collect(entries)

    def forget_contact(self, contact_id: str) -> None:
        """Neither thread nor profile, nor what was sent to it or delivered so far; the visitor's next message begins with another contact."""
        for thread in list(self._threads.find({"contact_id": contact_id}, {"_id": 1})):
            self.inbox.items.update_many({"lane": thread["_id"], "waiting": True}, {"$set": _done(ERASED)})
            self._threads.delete_one({"_id": thread["_id"], "contact_id": contact_id})
            self.inbox.wake(thread["_id"])  # which may have been waiting for what is done now
        self.profiles.items.update_many(
            {"_id": contact_id}, {"$set": {"waiting": False, "psid": None, "thread_id": None, "done_at": now()}}
        )
        self.sends.forget_contact(contact_id)

    # channels

    def find_pages(self, page_ids: Iterable[str], app_secret: str) -> dict[str, Document]:
        """The channels of some pages of one app, by page."""
        page = {"$in": list(page_ids), "$type": "string"}  # without its type the partial index would not be used
        query = {"messenger.page_id": page, "messenger.app_secret": app_secret, "deleted": False}
        return {channel["messenger"]["page_id"]: channel for channel in self._channels.find(query)}

    def note_fault(self, channel_id: str, token: str | None, fault: Mapping[str, str] | None) -> None:
        """Show on a channel that Facebook refuses its token, or that it takes it again; nothing if that is shown, or the token changed."""

        def note() -> None:
            channel = self._channels.find_one({"_id": channel_id, "deleted": False})
            if channel is None or (access := settings.of_channel(channel))["page_access_token"] != token:
                return
            shown = access["fault"]
            if (shown and shown["code"]) == (fault and fault["code"]):
                return
            changed = {"messenger": access | {"fault": fault and {**fault, "since": to_wire(now())}}}
            event = events.channel_changed("channel_updated", channel | changed, channel["version"] + 1)
            self._store.update("channels", channel, changed, [event])

        retry_stale(note)

    def pause_channel(self, channel_id: str, seconds: float) -> None:
        """Leave a channel's sends alone for a while: Facebook counts its calls together."""
        until = now() + timedelta(seconds=seconds)
        self._channels.update_one({"_id": channel_id}, {"$max": {"messenger_paused_until": until}})
        self.sends.lanes.postpone_group(channel_id, seconds)

    def renew_access(self, channel_id: str) -> None:
        """Try again at once what waited for another token."""
        self._channels.update_one({"_id": channel_id}, {"$unset": {"messenger_paused_until": ""}})
        self.sends.lanes.wake_group(channel_id)
        self.profiles.wake_group(channel_id)

    # threads

    def find_thread(self, thread_id: str) -> Document | None:
        """A thread."""
        return self._threads.find_one({"_id": thread_id})

    def find_thread_of(self, contact_id: str) -> Document | None:
        """The thread with a contact."""
        return self._threads.find_one({"contact_id": contact_id})

    def find_thread_for(self, item: Document) -> Document | None:
        """The thread of what was delivered. Raises Forgotten."""
        thread = self.find_thread(item["lane"])
        self._require_waiting(item)
        return thread

    def meet(self, item: Document, psid: str) -> Document:
        """The thread with a visitor; a new one tells of a contact that nobody has met, and has its profile asked for. Raises Forgotten."""
        thread_id, channel_id = item["lane"], item["group"]
        thread = self.find_thread_for(item) or self._begin_thread(item, psid)
        if not thread["profile_asked"]:
            contact_id = thread["contact_id"]
            asked = {"_id": contact_id, "lane": contact_id, "group": channel_id, "position": 0, "waiting": True}
            self.profiles.add([asked | {"thread_id": thread_id, "psid": psid, "asked_at": now()}])
            self._threads.update_one({"_id": thread_id}, {"$set": {"profile_asked": True}})
        return thread

    def _begin_thread(self, item: Document, psid: str) -> Document:
        thread = {
            "_id": item["lane"],
            "channel_id": item["group"],
            "psid": psid,
            "contact_id": new_id(),
            "profile_asked": False,
            "last_visitor_at": None,
            "delivered_until": 0,
            "read_until": 0,
            "mids": [],
        }
        try:
            return self._store.insert(THREADS, thread, [visitor_met(thread, {})])
        except DocumentExists:
            return self.find_thread_for(item) or self._begin_thread(item, psid)

    def _require_waiting(self, item: Document) -> None:
        if self.inbox.items.find_one({"_id": item["_id"], "waiting": True}, {"_id": 1}) is None:
            raise Forgotten

    def note_visitor(self, thread_id: str, at: datetime) -> None:
        """The visitor wrote at a moment, which begins the time in which Facebook lets the page answer."""
        self._threads.update_one({"_id": thread_id}, {"$max": {"last_visitor_at": min(at, now())}})

    def note_marks(
        self, thread_id: str, *, delivered_until: int = 0, read_until: int = 0, mids: Sequence[str] = ()
    ) -> Document | None:
        """Keep how far the visitor's device has received and the visitor has read; returns the thread."""
        marks: Document = {"$max": {"delivered_until": delivered_until, "read_until": read_until}}
        if mids:
            marks["$push"] = {"mids": {"$each": list(mids), "$slice": -MAX_MIDS}}
        self._threads.update_one({"_id": thread_id}, marks)
        return self.find_thread(thread_id)

    def tell_profile(self, thread_id: str, contact_id: str, profile: Mapping[str, Any]) -> None:
        """Tell what Facebook says of a visitor, unless the thread is another contact's by now."""

        def tell() -> None:
            thread = self.find_thread(thread_id)
            if thread is not None and thread["contact_id"] == contact_id:
                self._store.update(THREADS, thread, {}, [visitor_met(thread, profile)])

        retry_stale(tell)

    # the inbox

    def wake_contact(self, contact_id: str) -> None:
        """Go on with what waited for a contact to be known."""
        if (thread := self.find_thread_of(contact_id)) is not None:
            self.inbox.wake(thread["_id"])

    def finish(self, lanes: LaneStore, item: Document, outcome: str) -> None:
        """An item is done: its id stays for recognising a repetition, its content goes."""
        lanes.items.update_one({"_id": item["_id"]}, {"$set": _done(outcome)})

    def _all_indexes(self) -> dict[str, list[IndexModel]]:
        found = {THREADS: [IndexModel([("contact_id", ASCENDING)])], "channels": [PAGES]}
        seconds = int(REPEATS_KNOWN_FOR.total_seconds())
        done = [IndexModel([("done_at", ASCENDING)], expireAfterSeconds=seconds)]
        for indexes in (*(lanes.indexes for lanes in self.lanes.values()), {INBOX: done, PROFILES: done}, self.sends.indexes):
            for name, models in indexes.items():
                found.setdefault(name, []).extend(models)
        return found


def _done(outcome: str) -> Document:
    return {"waiting": False, "done_at": now(), "outcome": outcome, "event": None, "psid": None}


def thread_of(channel_id: str, psid: str) -> str:
    """The id of the thread with a visitor, which doesn't tell who that is."""
    return derived_id("messenger", channel_id, psid)


def visitor_met(thread: Mapping[str, Any], profile: Mapping[str, Any]) -> NewEvent:
    """Somebody wrote to a page: a contact to be made, or its name as Facebook knows it."""
    data = {
        "contact_id": thread["contact_id"],
        "channel_id": thread["channel_id"],
        "name": profile.get("name"),
        "locale": profile.get("locale"),
        "time_zone": profile.get("time_zone"),
        "at": to_wire(now()),
    }
    return NewEvent("visitor_met", "visitor", data, contact_id=thread["contact_id"], entity_id=thread["contact_id"])
