"""What is sent to Facebook: parts, quick replies, the window, answers, and how states move."""

import json
from datetime import timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.ids import new_id
from services.common.times import now
from services.messaging.messenger import delivery, window
from services.messaging.messenger.answers import Refusal, read_answer
from services.messaging.messenger.profiles import read_profile
from services.messaging.messenger.sending import (
    MAX_LENGTH,
    MAX_QUICK_REPLIES,
    MAX_TITLE,
    Part,
    metadata_of,
    parts_of,
    read_metadata,
    request_body,
    split,
)
from services.messaging.messenger.window import Envelope
from tests.support.facebook_page import AWAY, NOT_AVAILABLE, TOKEN_EXPIRED, Fault, rate_limited


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def options(*labels: str) -> list[dict[str, str]]:
    return [{"label": label, "value": f"v{number}"} for number, label in enumerate(labels, 1)]


def test_short_text_is_one_part() -> None:
    assert parts_of("Hello", None) == [Part("Hello")]


def test_long_text_is_cut_between_paragraphs_then_sentences_then_words() -> None:
    first, second = "a" * 1500, "b" * 1000
    assert split(f"{first}\n\n{second}") == [first, second]
    assert split(f"{first}. {second}") == [f"{first}.", second]
    assert split(f"{first} {second}") == [first, second]
    assert split("c" * 2500) == ["c" * 2000, "c" * 500]


def test_emoji_counts_twice_and_is_not_torn() -> None:
    parts = split("👩‍👧" * 700)
    assert all(units(part) <= MAX_LENGTH for part in parts)
    assert "".join(parts) == "👩‍👧" * 700
    assert all(part.startswith("👩") for part in parts)


@given(
    st.text(st.characters(codec="utf-8") | st.sampled_from(" \n.😀\u0301\u200d"), min_size=1, max_size=300), st.integers(4, 60)
)
def test_parts_fit_and_hold_everything_but_blanks(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(units(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert len(parts) == 1 or all(parts)


def test_choices_are_quick_replies_of_the_last_part() -> None:
    parts = parts_of("x" * 3000, options("A quote", "Just looking"))
    assert [bool(part.quick_replies) for part in parts] == [False, True]
    assert parts[-1].quick_replies == (
        {"content_type": "text", "title": "A quote", "payload": "v1"},
        {"content_type": "text", "title": "Just looking", "payload": "v2"},
    )


def test_long_labels_are_listed_in_the_text_with_numbers() -> None:
    (part,) = parts_of("Which?", options("Short", "A label of more than twenty characters"))
    assert part.text == "Which?\n\n1. Short\n2. A label of more than twenty characters"
    assert [reply["title"] for reply in part.quick_replies] == ["1. Short", "2. A label of more…"]


def test_many_choices_are_a_numbered_list_alone() -> None:
    (part,) = parts_of("Which?", options(*(f"Option {number}" for number in range(1, 15))))
    assert part.quick_replies == ()
    assert part.text.endswith("14. Option 14")


@given(
    st.text(min_size=1, max_size=3000).filter(str.strip),
    st.lists(st.text(min_size=1, max_size=60).filter(str.strip), max_size=20),
)
def test_every_message_fits_into_what_facebook_takes(text: str, labels: list[str]) -> None:
    for part in parts_of(text, options(*labels)):
        assert 0 < units(part.text) <= MAX_LENGTH
        assert len(part.quick_replies) <= MAX_QUICK_REPLIES
        assert all(0 < units(reply["title"]) <= MAX_TITLE for reply in part.quick_replies)


def test_request_is_declared_and_marked() -> None:
    part = Part("Hi", ({"content_type": "text", "title": "A", "payload": "a"},))
    assert request_body("7", part, Envelope("MESSAGE_TAG", "HUMAN_AGENT"), "m") == {
        "recipient": {"id": "7"},
        "messaging_type": "MESSAGE_TAG",
        "tag": "HUMAN_AGENT",
        "message": {"text": "Hi", "metadata": "m", "quick_replies": [{"content_type": "text", "title": "A", "payload": "a"}]},
    }


def test_metadata_names_message_and_part() -> None:
    message_id = new_id()
    assert metadata_of(message_id, 0) == message_id
    assert read_metadata(message_id) == (message_id, 0)
    assert read_metadata(metadata_of(message_id, 3)) == (message_id, 3)


@pytest.mark.parametrize(
    "metadata", [None, "", "campaign", "x" * 33, "a" * 32 + ".", "a" * 32 + ".x", "a" * 32 + ".1234", "a" * 31 + "-"]
)
def test_metadata_of_others_is_not_ours(metadata: str | None) -> None:
    assert read_metadata(metadata) is None


@pytest.mark.parametrize(
    ("hours", "author", "tag", "declared"),
    [
        (0, "bot", False, Envelope("RESPONSE")),
        (24, "agent", False, Envelope("RESPONSE")),
        (24.01, "bot", True, None),
        (24.01, "agent", False, None),
        (24.01, "agent", True, Envelope("MESSAGE_TAG", "HUMAN_AGENT")),
        (168, "agent", True, Envelope("MESSAGE_TAG", "HUMAN_AGENT")),
        (168.01, "agent", True, None),
        (-1, "bot", False, Envelope("RESPONSE")),
    ],
)
def test_window_is_a_day_and_for_humans_with_leave_a_week(
    hours: float, author: str, tag: bool, declared: Envelope | None
) -> None:
    at = now()
    assert window.declare(at - timedelta(hours=hours), author, at, human_agent_tag=tag) == declared


def test_window_is_closed_when_nobody_wrote() -> None:
    assert window.declare(None, "agent", now(), human_agent_tag=True) is None


def answered(fault: Fault) -> Refusal:
    body = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
    answer = read_answer(fault.status, dict(fault.headers), body)
    assert isinstance(answer, Refusal)
    return answer


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (TOKEN_EXPIRED, "token", "190"),
        (Fault.error(102, "Session key invalid"), "token", "102"),
        (Fault.error(100, "Invalid appsecret_proof provided in the API argument"), "token", "100"),
        (AWAY, "transient", "2"),
        (Fault.error(1, "An unknown error occurred"), "transient", "1"),
        (Fault.error(1200, "Temporary send message failure."), "transient", "1200"),
        (Fault.error(9, "Odd", transient=True), "transient", "9"),
        (Fault.error(9, "Odd", status=500), "transient", "9"),
        (rate_limited("1"), "rate", "80006"),
        (Fault.error(4, "Application request limit reached"), "rate", "4"),
        (Fault.error(613, "Calls to this API have exceeded the rate limit"), "rate", "613"),
        (Fault.error(9, "Slow down", status=429), "rate", "9"),
        (NOT_AVAILABLE, "final", "551"),
        (Fault.error(10, "(#10) This message is sent outside of allowed window.", subcode=2018278), "final", "10"),
        (Fault.error(100, "(#100) No matching user found", subcode=2018001), "final", "100"),
        (Fault(502, b"<html>Bad gateway</html>"), "transient", "HTTP_502"),
        (Fault(404, b"not here"), "transient", "HTTP_404"),
        (Fault(429, b""), "rate", "HTTP_429"),
        (Fault(302, b""), "transient", "HTTP_302"),
        (Fault(200, b"{"), "unknown", "UNREADABLE"),
        (Fault(200, b"[]"), "unknown", "UNREADABLE"),
    ],
)
def test_refusal_is_of_its_kind(fault: Fault, kind: str, code: str) -> None:
    refusal = answered(fault)
    assert (refusal.kind, refusal.code) == (kind, code)
    assert refusal.reason["message"]


TOKEN, SECRET, PROOF = "EAAGm0PX4ZCpsBAKZDtoken", "f3e1d5b2appsecret", "0a1b2c3dproof"


@pytest.mark.parametrize("quoted", [TOKEN, SECRET, PROOF, "EAAother", quote("odd/token+=", safe=""), "1517776481860111|AbC-dEf"])
@pytest.mark.parametrize("code", [190, 100, 551, 2])
def test_nothing_secret_is_in_a_refusal_when_facebook_quotes_it(code: int, quoted: str) -> None:
    long_way = "x" * (290 - len("Malformed access token "))
    for message in (f"Malformed access token {quoted}", f"Malformed access token {long_way} {quoted} indeed"):
        fault = Fault.error(code, message)
        answer = read_answer(400, {}, json.dumps(fault.body).encode(), (TOKEN, SECRET, PROOF, "odd/token+="))
        assert isinstance(answer, Refusal)
        assert answer.code == str(code)
        assert answer.message
        assert quoted[:6] not in str(answer.reason)


def test_refused_token_is_explained_in_words_of_ours() -> None:
    assert answered(TOKEN_EXPIRED).message == "The page access token has expired."
    assert answered(Fault.error(190, "Malformed access token x")).message == "Facebook refuses the page access token."


def test_pause_is_what_facebook_asks_for() -> None:
    assert answered(rate_limited("1", minutes=3)).pause == 180
    assert answered(rate_limited("1")).pause is None
    assert answered(Fault(429, b"", (("Retry-After", "7"),))).pause == 7
    assert answered(Fault(429, b"", (("Retry-After", "soon"),))).pause is None
    assert answered(rate_limited("1", minutes=100_000)).pause == 3600
    assert answered(Fault(429, b"", (("X-Business-Use-Case-Usage", "{"),))).pause is None


def test_success_is_its_object() -> None:
    assert read_answer(200, {}, b"{}") == {}
    assert read_answer(200, {}, b'{"recipient_id": "1", "message_id": "m"}') == {"recipient_id": "1", "message_id": "m"}


ORDER = ["queued", "failed", "sent", "delivered", "read"]


@given(st.sampled_from(ORDER), st.sampled_from(ORDER))
def test_state_moves_only_forward(present: str, new: str) -> None:
    told = delivery.advance(delivery.state(present, now()), delivery.state(new, now()))
    assert (told is not None) == (ORDER.index(new) > ORDER.index(present))


def test_another_reason_while_queued_is_told_and_the_same_is_not() -> None:
    reason = {"code": "2", "message": "Away"}
    first, second = delivery.state("queued", now()), delivery.state("queued", now(), reason)
    assert delivery.advance(first, second) == second
    assert delivery.advance(second, delivery.state("queued", now(), reason)) is None


@pytest.mark.parametrize(
    ("marks", "state"),
    [
        ({}, None),
        ({"delivered_until": 1_999, "read_until": 1_999}, None),
        ({"delivered_until": 2_000}, "delivered"),
        ({"mids": ["m_2"]}, "delivered"),
        ({"mids": ["m_1"]}, None),
        ({"read_until": 2_000}, "read"),
        ({"read_until": 2_500, "delivered_until": 1_000}, "read"),
    ],
)
def test_marks_speak_for_what_was_sent_before_them(marks: dict[str, object], state: str | None) -> None:
    marked = delivery.marked([{"mid": "m_1", "at": 1_000}, {"mid": "m_2", "at": 2_000}], marks)
    assert (marked and marked["state"]) == state


def test_profile_is_read_as_far_as_it_is_told() -> None:
    told = {"first_name": "Mia", "last_name": "Lund", "locale": "da_DK", "timezone": 2, "id": "7"}
    assert read_profile(told) == {"name": "Mia Lund", "locale": "da-DK", "time_zone": "Etc/GMT-2"}
    assert read_profile({"id": "7"}) == {"name": None, "locale": None, "time_zone": None}
    assert read_profile({"last_name": " Lund \n", "timezone": -7})["time_zone"] == "Etc/GMT+7"
    assert read_profile({"first_name": 7, "timezone": 5.5, "locale": 1}) == {"name": None, "locale": None, "time_zone": None}
    assert read_profile({"timezone": 0})["time_zone"] == "Etc/GMT"
