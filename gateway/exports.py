"""A contact's export: paged out of the services into one bounded document.

What is taken is kept as the bytes that it is sent as, so that its size is known while it grows. Nothing is answered before all of it
is there: a service that fails makes a problem, not half a file.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from gateway.context import call
from services.common.times import now, to_wire
from services.common.wire import encode_to_keep

MAX_MESSAGES = 10_000
MAX_OTHERS = 10_000
MAX_BYTES = 16_000_000
MAX_SECONDS = 20.0  # who waits for longer, gives up, or a proxy does
PAGE = 100
MESSAGE_PAGE = 200
KINDS = ("history", "ignored", "notes", "tickets", "comments", "conversations", "messages", "assignments")

Record = dict[str, Any]


class Export:
    """Counts what is taken, and says when it is enough."""

    def __init__(self) -> None:
        self.counts = Counter(dict.fromkeys(KINDS, 0))
        self.truncated = False
        self._bytes = 0
        self._until = time.monotonic() + MAX_SECONDS

    def take(self, kind: str, record: Record) -> orjson.Fragment | None:
        """The record as it is sent; None when there is no room for it."""
        encoded = encode_to_keep(record)
        if self._is_full(kind) or self._bytes + len(encoded) > MAX_BYTES or time.monotonic() > self._until:
            self.truncated = True
            return None
        self.counts[kind] += 1
        self._bytes += len(encoded)
        return orjson.Fragment(encoded)

    def take_all(self, kind: str, records: Iterable[Record]) -> list[orjson.Fragment]:
        """The records as they are sent, as far as there is room; once there was none, nothing is asked for."""
        taken: list[orjson.Fragment] = []
        for record in () if self.truncated else records:
            fragment = self.take(kind, record)
            if fragment is None:
                break
            taken.append(fragment)
        return taken

    def _is_full(self, kind: str) -> bool:
        if kind == "messages":
            return self.counts[kind] >= MAX_MESSAGES
        return self.counts.total() - self.counts["messages"] >= MAX_OTHERS


def export_contact(contact_id: str) -> Record:
    """Everything that is kept about a contact, for orjson to encode. Raises DomainError."""
    export = Export()
    contact = call("contacts", "get_contact", contact_id=contact_id)
    parts = {
        "history": export.take_all("history", _pages("contacts", "list_history", contact_id=contact_id)),
        "ignored": export.take_all("ignored", call("contacts", "list_ignored", contact_id=contact_id)["items"]),
        "notes": export.take_all("notes", _pages("contacts", "list_notes", contact_id=contact_id)),
        "tickets": list(_tickets(export, contact_id)),
        "conversations": list(_conversations(export, contact_id)),
    }
    head = {"exported_at": to_wire(now()), "contact": contact}
    return {**head, **parts, "counts": dict(export.counts), "truncated": export.truncated}


def _tickets(export: Export, contact_id: str) -> Iterator[Record]:
    for ticket in _with_room(export, "tickets", _pages("contacts", "list_tickets", contact_id=contact_id)):
        comments = export.take_all("comments", _pages("contacts", "list_comments", ticket_id=ticket["id"]))
        yield {**ticket, "comments": comments}


def _conversations(export: Export, contact_id: str) -> Iterator[Record]:
    """Those that no more messages are taken of still say by `last_seq` how many they have."""
    for conversation in _with_room(export, "conversations", _listed(contact_id)):
        messages = export.take_all("messages", _messages(conversation["id"]))
        decisions = _pages("assignment", "list_assignments", conversation_id=conversation["id"])
        assignments = export.take_all("assignments", map(_without_candidates, decisions))
        yield {**conversation, "messages": messages, "assignments": assignments}


def _listed(contact_id: str) -> Iterator[Record]:
    """Each conversation once, also one that is archived while the open ones are read."""
    seen: set[str] = set()
    for folder in ("all", "archived"):
        for conversation in _pages("messaging", "list_conversations", folder=folder, contact_id=contact_id):
            if conversation["id"] not in seen:
                seen.add(conversation["id"])
                yield conversation


def _with_room(export: Export, kind: str, records: Iterator[Record]) -> Iterator[Record]:
    for record in records:
        if export.take(kind, record) is None:
            return
        yield record


def _without_candidates(decision: Record) -> Record:
    # Who was busy or away is about the agents.
    return {name: value for name, value in decision.items() if name != "candidates"}


def _messages(conversation_id: str) -> Iterator[Record]:
    position: dict[str, Any] = {"after_seq": 0}
    while position:
        page = call("messaging", "list_messages", conversation_id=conversation_id, limit=MESSAGE_PAGE, **position)
        yield from page["items"]
        position = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}


def _pages(service: str, method: str, **arguments: Any) -> Iterator[Record]:
    position: dict[str, Any] = {}
    while True:
        page = call(service, method, **arguments, **position, limit=PAGE)
        yield from page["items"]
        if not page["next_cursor"]:
            return
        position = {"cursor": page["next_cursor"]}
