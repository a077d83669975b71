"""Sends a conversation's messages through Facebook, one after the other, each until it is there or can never be."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.common.errors import StaleDocument
from services.common.lanes import Retry, backoff
from services.common.logs import get_logger
from services.common.store import Document, retry_stale
from services.common.times import now
from services.messaging.messenger import delivery, metrics, sending, settings, window
from services.messaging.messenger.answers import UNREADABLE, Refusal
from services.messaging.messenger.graph import Graph
from services.messaging.messenger.store import MessengerStore

log = get_logger(__name__)

# A call without an answer may have succeeded: by then its echo has mostly come.
UNKNOWN_SECONDS = 10.0
# Facebook, or something on the way, says that all went well: the visitor would get the message with each repetition.
UNREADABLE_ATTEMPTS = 2
VISITOR_GONE = {"code": "VISITOR_GONE", "message": "There is no Messenger thread with this visitor."}
CHANNEL_GONE = {"code": "CHANNEL_GONE", "message": "The channel was deleted."}


class _Hopeless(Exception):
    """The message can never be sent."""

    def __init__(self, reason: Mapping[str, str]) -> None:
        super().__init__(reason["code"])
        self.reason = reason


class Sender:
    """Works off what is to be sent."""

    def __init__(self, store: MessengerStore, graph: Graph, retry_seconds: float) -> None:
        self._store = store
        self._sends = store.sends
        self._graph = graph
        self._retry = timedelta(seconds=retry_seconds)

    def send(self, send: Document, channel: Document | None) -> Retry | None:
        """Take a message one step further: send its next part, or note that it is done with."""
        try:
            return self._go_on(send, channel)
        except _Hopeless as error:
            self._sends.fail(send["_id"], error.reason)
            log.warning("messenger_message_failed", message_id=send["_id"], code=error.reason["code"])
            return None
        except StaleDocument:  # an echo told of it at this moment, or the visitor was erased: it is looked at again
            return Retry(0)

    def _go_on(self, send: Document, channel: Document | None) -> Retry | None:
        if channel is None:
            raise _Hopeless(CHANNEL_GONE)
        message, thread = self._sends.find_message(send["_id"]), self._store.find_thread_of(send["contact_id"])
        if message is None or thread is None:
            raise _Hopeless(VISITOR_GONE)
        parts, number = sending.parts_of(message["text"], message["choices"]), len(send["parts"])
        if number >= len(parts):
            self._complete(send, thread)
            return None
        if (wait := _seconds_to_wait(send, channel)) > 0:
            return Retry(wait)
        human_agent_tag = settings.of_channel(channel)["human_agent_tag"]
        envelope = window.declare(thread["last_visitor_at"], send["author_kind"], now(), human_agent_tag=human_agent_tag)
        if envelope is None:
            raise _Hopeless(window.OUTSIDE_WINDOW)
        metadata = sending.metadata_of(send["_id"], number)
        body = sending.request_body(thread["psid"], parts[number], envelope, metadata)
        return self._attempt(send, channel, body, len(parts))

    def _attempt(self, send: Document, channel: Document, body: dict[str, Any], total: int) -> Retry | None:
        access, number, at = settings.of_channel(channel), len(send["parts"]), now()
        if not access["page_access_token"]:
            return self._refused(send, channel, settings.NOT_CONFIGURED)
        send = self._sends.update(send, {"attempted_at": at, "total": total})
        answer = self._graph.send(access, body)
        metrics.SENDS.labels(answer.kind if isinstance(answer, Refusal) else "sent").inc()
        if isinstance(answer, Refusal):
            return self._refused(send, channel, answer)
        if access["fault"]:
            self._store.note_fault(channel["_id"], access["page_access_token"], None)
        part = {"mid": answer.mid, "at": delivery.milliseconds(at)}
        if number + 1 < total:
            retry_stale(lambda: self._note_sent(send["_id"], number, part))
            return Retry(0)
        self._complete(send, self._store.find_thread_of(send["contact_id"]), part)
        return None

    def _note_sent(self, message_id: str, number: int, part: Document) -> None:
        send = self._sends.find(message_id)
        if send is not None and send["waiting"] and len(send["parts"]) == number:  # else the echo told of it
            self._sends.update(send, {"parts": [*send["parts"], part], "attempted_at": None, "failures": 0, "unreadable": 0})

    def _complete(self, send: Document, thread: Document | None, last: Document | None = None) -> None:
        """Facebook has the whole message; `last` is its last part, unless an echo has told of it."""
        message_id, number = send["_id"], len(send["parts"])

        def complete() -> None:
            found = self._sends.find(message_id)
            if found is None or not found["waiting"]:
                return
            parts = [*found["parts"], last] if last is not None and len(found["parts"]) == number else found["parts"]
            marked = delivery.marked(parts, thread) if thread is not None else None
            self._sends.finish(found, marked or delivery.state("sent", now()), {"parts": parts})

        retry_stale(complete)
        # The visitor's device may have told at this moment of what was not noted yet.
        if (newest := self._store.find_thread_of(send["contact_id"])) is not None:
            self._sends.apply_marks(newest)

    def _refused(self, send: Document, channel: Document, refusal: Refusal) -> Retry | None:
        if refusal.kind == "token":
            self._store.note_fault(channel["_id"], settings.of_channel(channel)["page_access_token"], refusal.reason)
        if refusal.kind == "final" or now() - send["queued_at"] > self._retry or _is_unreadable_again(send, refusal):
            raise _Hopeless(refusal.reason)
        seconds = max(refusal.pause or 0.0, backoff(send["failures"] + 1))
        if refusal.kind == "rate":
            self._store.pause_channel(channel["_id"], seconds)
        retry_stale(lambda: self._note_refusal(send, refusal))
        return Retry(max(seconds, UNKNOWN_SECONDS) if refusal.kind == "unknown" else seconds)

    def _note_refusal(self, attempted: Document, refusal: Refusal) -> None:
        send = self._sends.find(attempted["_id"])
        if send is None or not send["waiting"] or len(send["parts"]) != len(attempted["parts"]):
            return  # an echo tells that it arrived after all, or the visitor was erased
        # What is unknown keeps the time of its attempt, so that nobody repeats it too early.
        attempted_at = send["attempted_at"] if refusal.kind == "unknown" else None
        unreadable = send.get("unreadable", 0) + (refusal.code == UNREADABLE)
        try_again = {"failures": send["failures"] + 1, "attempted_at": attempted_at, "unreadable": unreadable}
        self._sends.update(send, try_again, send["delivery"] | {"state": "queued", "reason": refusal.reason})


def _is_unreadable_again(send: Document, refusal: Refusal) -> bool:
    return refusal.code == UNREADABLE and send.get("unreadable", 0) + 1 >= UNREADABLE_ATTEMPTS


def _seconds_to_wait(send: Document, channel: Document) -> float:
    """Until the outcome of the last attempt may be taken for a failure, and the channel's pause is over."""
    times = [channel.get("messenger_paused_until")]
    if send["attempted_at"] is not None:
        times.append(send["attempted_at"] + timedelta(seconds=UNKNOWN_SECONDS))
    return max(((at - now()).total_seconds() for at in times if at is not None), default=0.0)
