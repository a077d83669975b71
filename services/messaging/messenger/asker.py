"""Asks Facebook who wrote: the name, and where Facebook tells them the locale and the time zone."""

from datetime import timedelta

from services.common.lanes import Retry, backoff
from services.common.store import Document
from services.common.times import now
from services.messaging.messenger import profiles, settings
from services.messaging.messenger.answers import Refusal
from services.messaging.messenger.graph import Graph
from services.messaging.messenger.store import MessengerStore


class Asker:
    """Works off the profiles to be asked for. A refusal is final, an outage is waited for."""

    def __init__(self, store: MessengerStore, graph: Graph, retry_seconds: float) -> None:
        self._store = store
        self._graph = graph
        self._retry = timedelta(seconds=retry_seconds)

    def ask(self, item: Document, channel: Document | None) -> Retry | None:
        """Ask for a visitor's profile and tell it."""
        thread = self._store.find_thread(item["thread_id"])
        if channel is None or thread is None or thread["contact_id"] != item["_id"]:
            self._store.finish(self._store.profiles, item, "gone")
            return None
        answer = self._find(channel, item["psid"])
        if isinstance(answer, Refusal):
            return self._refused(item, channel, answer)
        profile = profiles.read_profile(answer)
        if any(profile.values()):
            self._store.tell_profile(thread["_id"], item["_id"], profile)
        self._store.finish(self._store.profiles, item, "told")
        return None

    def _find(self, channel: Document, psid: str) -> dict[str, object] | Refusal:
        access = settings.of_channel(channel)
        if not access["page_access_token"]:
            return settings.NOT_CONFIGURED
        answer = self._graph.find_profile(access, psid, profiles.ALL_FIELDS)
        if isinstance(answer, Refusal) and answer.kind == "final":
            answer = self._graph.find_profile(access, psid, profiles.NAME_FIELDS)
        return answer

    def _refused(self, item: Document, channel: Document, refusal: Refusal) -> Retry | None:
        if refusal.kind == "token":
            self._store.note_fault(channel["_id"], settings.of_channel(channel)["page_access_token"], refusal.reason)
        if refusal.kind == "final" or now() - item["asked_at"] > self._retry:
            self._store.finish(self._store.profiles, item, "refused")
            return None
        return Retry(max(refusal.pause or 0.0, backoff(item["attempts"])))
