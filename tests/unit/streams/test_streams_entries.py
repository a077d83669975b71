"""Ids, encodings and the catalogue."""

import tracemalloc
from typing import Any

import orjson
import pytest

from gateway.streams.catalogue import CATALOGUE, to_entry
from gateway.streams.entries import Audience, Payload, sse_heartbeat, websocket_heartbeat
from gateway.streams.positions import Position
from gateway.streams.subscriber import Viewer
from services.common.envelope import Event
from services.common.times import now

AT = Position("1a20c921741", 7)


def event(source: str, kind: str, data: dict[str, Any], contact_id: str | None = "contact-1") -> Event:
    return Event(id="e", type=kind, source=source, kind="k", entity_id="x", version=1, at=now(), data=data, contact_id=contact_id)


@pytest.mark.parametrize("offset", [0, 1, 10542, 10**18])
def test_position_is_read_back_when_it_was_written(offset: int) -> None:
    position = Position("1a20c921741", offset)
    assert Position.parse(str(position)) == position


@pytest.mark.parametrize(
    "text",
    ["", "-", "abc", "abc-", "-1", "abc--1", "abc-01", "abc-1 ", "abc-1\n", "abc-1.5", "abc-1e3", "ab_c-1", "abc-" + "9" * 20],
)
def test_text_is_refused_when_it_is_no_position(text: str) -> None:
    assert Position.parse(text) is None


def test_payload_is_one_block_when_its_text_holds_line_breaks() -> None:
    payload = to_entry(event("messaging", "message_posted", {"text": "a\nb\r\n\n: é \u2028"}), AT).payloads[Audience.AGENTS]  # type: ignore[union-attr]
    lines = payload.sse().split(b"\n")
    assert lines[:2] == [b"id: 1a20c921741-7", b"event: message.created"]
    assert lines[3:] == [b"", b""]
    assert orjson.loads(lines[2].removeprefix(b"data: ")) == {"text": "a\nb\r\n\n: é \u2028"}
    assert b"\r" not in payload.sse()


def test_websocket_text_carries_the_same_envelope_when_the_event_is_sent_both_ways() -> None:
    payload = to_entry(event("messaging", "message_posted", {"text": 'a "b" é'}), AT).payloads[Audience.AGENTS]  # type: ignore[union-attr]
    assert orjson.loads(payload.text()) == {"id": str(AT), "event": "message.created", "data": {"text": 'a "b" é'}}


def test_encoding_is_made_once_when_many_clients_get_the_event() -> None:
    payload = Payload("e-1", "x", b"{}")
    assert payload.sse() is payload.sse()
    assert payload.text() is payload.text()


def test_entries_occupy_no_more_than_they_are_reckoned_at_when_they_are_kept() -> None:
    data = {"id": "m", "conversation_id": "c", "seq": 7, "author": {"kind": "visitor"}, "text": "It came on Monday, in blue." * 4}
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = [entry for _ in range(500) if (entry := to_entry(event("messaging", "message_posted", data), AT)) is not None]
    for entry in kept:
        for payload in entry.payloads.values():
            payload.chunk()
    occupied, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept[0].payloads) == 2
    assert occupied - before < sum(entry.cost for entry in kept)


def test_heartbeat_names_the_position_when_it_is_known() -> None:
    assert sse_heartbeat(None) == b": heartbeat\n\n"
    assert sse_heartbeat("e-9") == b": heartbeat\nid: e-9\n\n"
    assert orjson.loads(websocket_heartbeat("e-9")) == {"id": "e-9", "event": "stream.heartbeat", "data": {"position": "e-9"}}


def test_internal_events_reach_nobody_when_they_are_not_in_the_catalogue() -> None:
    for source, kind in [
        ("presence", "session_revoked"),
        ("presence", "agent_reachability_changed"),
        ("messaging", "assignment_requested"),
        ("messaging", "answer_awaited"),
        ("messaging", "answer_given"),
        ("messaging", "field_collected"),
        ("messaging", "ticket_wanted"),
        ("messaging", "visitor_met"),
        ("assignment", "agent_load_changed"),
        ("contacts", "message_posted"),
    ]:
        assert to_entry(event(source, kind, {}), AT) is None


FULL: dict[str, Any] = {
    "id": "c-1",
    "status": "open",
    "handler": "agent",
    "assignee": {"id": "agent-9", "name": "Ana"},
    "contact": {"id": "contact-1", "name": "Teal Otter"},
    "author": {"kind": "agent", "id": "agent-9", "name": "Ana"},
    "read_seq": 4,
    "unread_count": 2,
    "delivery": {"state": "sent", "reason": None},
    "queue": {"position": 2, "estimated_wait_seconds": 40, "team_id": "team-5"},
    "awaiting_answer_since": "2026-11-24T07:31:47.120Z",
    "archived_by": {"kind": "agent", "id": "agent-9", "name": "Ana"},
    "decision": {"candidates": [{"agent_id": "agent-9"}]},
}
VISIBLE = {"conversation.created", "conversation.updated", "conversation.assigned", "conversation.archived"} | {
    "message.created",
    "message.updated",
    "conversation.typing",
}


@pytest.mark.parametrize(("source", "kind"), CATALOGUE)
def test_visitor_sees_nothing_private_whatever_the_event_is(source: str, kind: str) -> None:
    data = {name: FULL[name] for name in ("id", "author", "delivery")} if kind in {"message_posted", "message_updated"} else FULL
    entry = to_entry(event(source, kind, data), AT)
    assert entry is not None
    agents = entry.payloads[Audience.AGENTS]
    assert orjson.loads(agents.json) == data
    shown = Viewer.visitor("contact-1").payload(entry)
    if agents.name not in VISIBLE:
        assert shown is None
        return
    assert shown is not None
    assert shown.name == agents.name
    for private in (b"agent-9", b"team-5", b"delivery", b"unread_count", b'"read_seq"', b"awaiting", b"archived_by", b"decision"):
        assert private not in shown.json
    if agents.name.startswith("conversation.") and agents.name != "conversation.typing":
        assert orjson.loads(shown.json)["queue"] == {"position": 2, "estimated_wait_seconds": 40}


@pytest.mark.parametrize("contact_id", ["contact-2", None])
def test_visitor_sees_nothing_when_the_event_is_not_about_them(contact_id: str | None) -> None:
    entry = to_entry(event("messaging", "message_posted", FULL, contact_id), AT)
    assert entry is not None
    assert Viewer.visitor("contact-1").payload(entry) is None


def test_visitor_sees_a_bots_typing_as_the_bots() -> None:
    author = {"kind": "bot", "id": "token-1", "name": "Helper"}
    entry = to_entry(event("messaging", "typing_signalled", {"conversation_id": "c", "author": author, "typing": True}), AT)
    assert entry is not None
    assert orjson.loads(entry.payloads[Audience.VISITOR].json)["author"] == {"kind": "bot", "name": "Helper"}


@pytest.mark.parametrize("kind", ["visitor", "system", None])
def test_visitor_sees_no_typing_when_it_is_not_an_agents_or_a_bots(kind: str | None) -> None:
    entry = to_entry(event("messaging", "typing_signalled", {"author": {"kind": kind}, "typing": True}), AT)
    assert entry is not None
    assert Audience.VISITOR not in entry.payloads
