"""Facebook's webhook taken apart: signatures, batches, and what a message says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.validation import MAX_TEXT
from services.messaging.messenger.content import UNSUPPORTED
from services.messaging.messenger.inbox import items_of
from services.messaging.messenger.incoming import Incoming, NotFacebooks, is_signed, read_batch
from tests.support.facebook_page import Page, Sent, batch

PAGE = Page("1000")
ARRIVED = 1_790_000_000_000
PSID = "2000"


def events(*raw: dict[str, Any], page: Page = PAGE) -> list[Incoming]:
    return read_batch(batch(page.entry(*raw)).encode(), ARRIVED).events


def only(raw: dict[str, Any]) -> Incoming:
    (event,) = events(raw)
    return event


def test_signature_is_good_when_it_is_the_bodys_with_the_apps_secret() -> None:
    body = batch(PAGE.entry(PAGE.text(PSID, "Zoë ☕")))
    assert is_signed(body.encode(), PAGE.sign(body), PAGE.app_secret)


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha1=abc", "sha256=" + "0" * 64, "sha256=ü"])
def test_signature_is_bad_when_it_is_another(signature: str | None) -> None:
    assert not is_signed(b"{}", signature, PAGE.app_secret)


def test_signature_is_bad_when_a_byte_differs_or_the_secret_does() -> None:
    body = batch(PAGE.entry(PAGE.text(PSID, "Hi")))
    assert not is_signed((body + " ").encode(), PAGE.sign(body), PAGE.app_secret)
    assert not is_signed(body.encode(), PAGE.sign(body), "another")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"page"',
        b'{"object": "instagram", "entry": []}',
        b'{"object": "page"}',
        b'{"object": "page", "entry": {}}',
        b"\xff\xfe",
    ],
)
def test_body_is_refused_when_it_is_not_facebooks(body: bytes) -> None:
    with pytest.raises(NotFacebooks):
        read_batch(body, ARRIVED)


def test_batch_keeps_order_pages_and_users_apart() -> None:
    other = Page("1001")
    body = batch(
        PAGE.entry(PAGE.text("1", "a"), PAGE.text("2", "b")), other.entry(other.text("1", "c")), PAGE.entry(PAGE.text("1", "d"))
    )
    found = [(event.page_id, event.psid, event.text) for event in read_batch(body.encode(), ARRIVED).events]
    assert found == [("1000", "1", "a"), ("1000", "2", "b"), ("1001", "1", "c"), ("1000", "1", "d")]


def test_entry_without_a_page_is_skipped_and_counted_beside_good_ones() -> None:
    entries = [
        "x",
        PAGE.entry(PAGE.text("1", "a")),
        {"messaging": [PAGE.text("1", "b")]},
        {"id": ""},
        PAGE.entry(PAGE.text("1", "c")),
    ]
    found = read_batch(json.dumps({"object": "page", "entry": entries}).encode(), ARRIVED)
    assert [event.text for event in found.events] == ["a", "c"]
    assert found.ignored == {"entry": 3}


def test_text_message_is_read() -> None:
    event = only(PAGE.text(PSID, "hello, world!", mid="m_1", at=1_458_692_752_478))
    assert event == Incoming("message", "1000", PSID, 1_458_692_752_478, "m_1", "hello, world!")


def test_quick_reply_is_a_choice_with_its_title_as_text() -> None:
    event = only(PAGE.quick_reply(PSID, "A quote", "quote"))
    assert (event.kind, event.text, event.choice) == ("message", "A quote", "quote")


def test_postback_is_a_choice_with_its_title_as_text() -> None:
    event = only(PAGE.postback(PSID, "Get started", "GET_STARTED"))
    assert (event.kind, event.text, event.choice) == ("postback", "Get started", "GET_STARTED")


def test_postback_of_an_older_form_is_known_by_its_content() -> None:
    raw = PAGE.postback(PSID, "Menu", "MENU", at=1_700_000_000_000)
    del raw["postback"]["mid"]
    assert only(raw).mid is None


@pytest.mark.parametrize(
    ("attachment", "line"),
    [
        ({"type": "image", "payload": {"url": "https://cdn.example/a.jpg"}}, "[image] https://cdn.example/a.jpg"),
        ({"type": "file", "payload": {"url": "https://cdn.example/b.pdf"}}, "[file] https://cdn.example/b.pdf"),
        (
            {"type": "image", "payload": {"url": "https://cdn.example/like.png", "sticker_id": 369239263222822}},
            "[sticker] https://cdn.example/like.png",
        ),
        ({"type": "location", "payload": {"coordinates": {"lat": 52.52, "long": 13.405}}}, "[location] 52.52,13.405"),
        (
            {"type": "location", "title": "Mia's place", "payload": {"coordinates": {"lat": 52.52, "long": 13.405}}},
            "[location] 52.52,13.405 Mia's place",
        ),
        (
            {"type": "fallback", "title": "A page", "url": "https://example.org/x", "payload": None},
            "[link] A page https://example.org/x",
        ),
        ({"type": "fallback"}, "[link]"),
        (
            {"type": "reel", "payload": {"url": "https://cdn.example/r", "title": "Look\nhere"}},
            "[reel] Look here https://cdn.example/r",
        ),
        ({"type": 7, "payload": []}, "[attachment]"),
    ],
)
def test_attachment_is_a_line_of_the_text(attachment: dict[str, Any], line: str) -> None:
    assert only(PAGE.text(PSID, None, attachments=[attachment])).text == line


def test_attachments_follow_the_words_and_a_sticker_told_twice_is_shown_once() -> None:
    payload = {"url": "https://cdn.example/s.png", "sticker_id": 1}
    attachments = [{"type": "sticker", "payload": payload}, {"type": "image", "payload": payload}]
    assert only(PAGE.text(PSID, "Look:", attachments=attachments)).text == "Look:\n[sticker] https://cdn.example/s.png"


def test_message_says_so_when_facebook_shows_nothing_of_it() -> None:
    assert only(PAGE.text(PSID, None, is_unsupported=True)).text == UNSUPPORTED


def test_long_text_is_cut_and_nul_is_left_out() -> None:
    assert only(PAGE.text(PSID, "\x00" + "x" * (MAX_TEXT + 5))).text == "x" * MAX_TEXT


def test_batch_survives_half_an_emoji() -> None:
    body = batch(PAGE.entry(PAGE.text(PSID, "cut here "), PAGE.text(PSID, "and on"))).replace("here ", "here \\ud83d")
    assert [event.text for event in read_batch(body.encode(), ARRIVED).events] == ["cut here \ufffd", "and on"]


def test_reply_to_another_message_is_a_message() -> None:
    assert only(PAGE.text(PSID, "Yes", reply_to={"mid": "m_0"})).text == "Yes"


def test_echo_goes_to_the_visitor_whichever_way_round_it_is_told() -> None:
    sent = Sent("m_9", PSID, 1_700_000_000_000, "Hello", "a" * 32, [], "RESPONSE", None)
    event = only(PAGE.echo(sent))
    assert (event.kind, event.psid, event.mid, event.metadata, event.at) == ("echo", PSID, "m_9", "a" * 32, sent.at)
    swapped = PAGE.echo(sent) | {"sender": {"id": PSID}, "recipient": {"id": PAGE.id}}
    assert only(swapped).psid == PSID


def test_delivery_is_read_with_or_without_ids_and_without_a_time() -> None:
    sent = Sent("m_9", PSID, 1_700_000_000_000, "Hello", None, [], "RESPONSE", None)
    event = only(PAGE.delivered(sent))
    assert (event.kind, event.mids, event.watermark) == ("delivery", ("m_9",), sent.at)
    assert event.at > 0
    assert only(PAGE.delivered(sent, mids=False)).mids == ()


def test_read_is_read() -> None:
    event = only(PAGE.read(PSID, 1_700_000_000_000))
    assert (event.kind, event.watermark) == ("read", 1_700_000_000_000)


def test_times_come_as_text_and_in_seconds_too() -> None:
    raw = PAGE.postback(PSID, "Menu", "MENU") | {"timestamp": "1527459824"}
    assert only(raw).at == 1_527_459_824_000


def test_event_without_any_time_is_of_its_arrival_and_the_same_when_it_comes_again() -> None:
    timeless = PAGE.postback(PSID, "Menu", "MENU")
    del timeless["timestamp"]
    del timeless["postback"]["mid"]
    entry = PAGE.entry(timeless)
    assert read_batch(batch(entry).encode(), ARRIVED).events[0].at == entry["time"]
    del entry["time"]
    first, again = (read_batch(batch(entry).encode(), arrived) for arrived in (ARRIVED, ARRIVED + 5000))
    assert [event.at for event in (*first.events, *again.events)] == [ARRIVED, ARRIVED + 5000]
    channels = {PAGE.id: {"_id": "channel"}}
    assert items_of(first, channels)[0]["_id"] == items_of(again, channels)[0]["_id"]


def test_other_events_are_left_aside_and_counted() -> None:
    side = {"sender": {"id": PSID}, "recipient": {"id": PAGE.id}, "timestamp": 1}
    others = [
        side | {"reaction": {"reaction": "love", "mid": "m_1"}},
        side | {"optin": {}},
        side | {"message": {"text": "no id"}},
        side | {"read": {}},
        {"message": {"mid": "m_1", "text": "from nobody"}},
        {"sender": {"user_ref": "x"}, "postback": {"payload": "y"}},
        side | {"surprise": 1},
        "text",
        None,
    ]
    entry = PAGE.entry() | {"messaging": others, "standby": [{}], "changes": [{}, {}]}
    found = read_batch(json.dumps({"object": "page", "entry": [entry]}).encode(), ARRIVED)
    assert found.events == []
    assert found.ignored == {
        "reaction": 1,
        "optin": 1,
        "message": 2,
        "read": 1,
        "postback": 1,
        "other": 3,
        "standby": 1,
        "changes": 2,
    }


NAMES = [
    "id",
    "sender",
    "recipient",
    "message",
    "mid",
    "text",
    "attachments",
    "payload",
    "type",
    "url",
    "quick_reply",
    "delivery",
]
NAMES += ["mids", "watermark", "read", "postback", "title", "timestamp", "is_echo", "metadata", "coordinates", "lat", "long"]
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


@given(st.lists(anything, max_size=5))
def test_whatever_an_event_holds_it_is_read_or_left_aside(raw: list[Any]) -> None:
    found = read_batch(json.dumps({"object": "page", "entry": [{"id": "1000", "messaging": raw}]}).encode(), ARRIVED)
    assert len(found.events) + found.ignored.total() == len(raw)
    for event in found.events:
        assert event.at >= 0
        assert event.kind in {"message", "postback", "echo", "delivery", "read"}
        assert event.text is None or len(event.text) <= MAX_TEXT
