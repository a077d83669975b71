"""The local Facebook that tests talk to: it answers and signs as the real one documents."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.facebook import DAY, Facebook, running_facebook
from tests.support.facebook_page import AWAY, DROPPED, LATE, Fault, Page, batch, milliseconds, rate_limited


@pytest.fixture(scope="module")
def facebook() -> Iterator[Facebook]:
    yield from running_facebook()


@pytest.fixture
def page(facebook: Facebook) -> Page:
    return facebook.new_page()


@pytest.fixture
def psid(page: Page) -> str:
    """Somebody who has just written."""
    psid = page.new_person()
    page.text(psid, "Hi")
    return psid


def proof(page: Page) -> str:
    return hmac.new(page.app_secret.encode(), page.token.encode(), hashlib.sha256).hexdigest()


def send(facebook: Facebook, page: Page, psid: str, text: str = "Hello", query: dict[str, str] | None = None, **more: Any) -> Any:
    message = {"text": text} | more.pop("message", {})
    body = {"recipient": {"id": psid}, "messaging_type": "RESPONSE", "message": message} | more
    access = {"access_token": page.token, "appsecret_proof": proof(page)} | (query or {})
    return requests.post(f"{facebook.url}/me/messages", params=access, json=body, timeout=5)


def code(response: Any) -> tuple[int, int | None]:
    error = response.json()["error"]
    return error["code"], error.get("error_subcode")


def test_message_is_taken_and_answered_with_its_id(facebook: Facebook, page: Page, psid: str) -> None:
    answer = send(facebook, page, psid, message={"metadata": "m"}).json()
    (sent,) = page.sent
    assert answer == {"recipient_id": psid, "message_id": sent.mid}
    assert (sent.text, sent.metadata, sent.messaging_type) == ("Hello", "m", "RESPONSE")


@pytest.mark.parametrize(
    ("query", "refused"),
    [({"access_token": "EAAother"}, (190, None)), ({"appsecret_proof": "0" * 64}, (100, None))],
)
def test_call_is_refused_when_token_or_proof_is_wrong(
    facebook: Facebook, page: Page, psid: str, query: dict[str, str], refused: tuple[int, int | None]
) -> None:
    assert code(send(facebook, page, psid, query=query)) == refused
    assert page.sent == []


@pytest.mark.parametrize(
    "message",
    [
        {"text": ""},
        {"text": "x" * 2001},
        {"quick_replies": [{"title": "x" * 21, "payload": "p"}]},
        {"quick_replies": [{"title": "x", "payload": "p"}] * 14},
    ],
)
def test_message_is_refused_when_it_is_longer_than_documented(
    facebook: Facebook, page: Page, psid: str, message: dict[str, Any]
) -> None:
    assert code(send(facebook, page, psid, message=message))[0] == 100


def test_message_is_refused_when_nobody_has_that_id(facebook: Facebook, page: Page) -> None:
    assert code(send(facebook, page, "404")) == (100, 2018001)


def test_message_is_refused_when_the_window_is_over(facebook: Facebook, page: Page) -> None:
    psid = page.new_person()
    page.text(psid, "Hi", at=milliseconds() - DAY - 1000)
    assert code(send(facebook, page, psid)) == (10, 2018278)
    tagged: dict[str, Any] = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert code(send(facebook, page, psid, **tagged)) == (10, 2018278)
    page.human_agent = True
    assert send(facebook, page, psid, **tagged).ok


def test_faults_come_one_a_call_and_then_all_is_well(facebook: Facebook, page: Page, psid: str) -> None:
    page.fail(AWAY, rate_limited(page.id, minutes=2))
    assert send(facebook, page, psid).status_code == 503
    limited = send(facebook, page, psid)
    assert code(limited) == (80006, None)
    assert json.loads(limited.headers["X-Business-Use-Case-Usage"])[page.id][0]["estimated_time_to_regain_access"] == 2
    assert send(facebook, page, psid).ok
    assert len(page.sent) == 1


def test_connection_is_dropped_before_or_after_the_message_was_taken(facebook: Facebook, page: Page, psid: str) -> None:
    page.fail(DROPPED, Fault(accepted=True))
    for taken in (0, 1):
        with pytest.raises(requests.ConnectionError):
            send(facebook, page, psid)
        assert len(page.sent) == taken


def test_answer_is_late_when_it_is_told_to_be(facebook: Facebook, page: Page, psid: str) -> None:
    page.fail(Fault(LATE, seconds=0.2))
    answer = send(facebook, page, psid)
    assert answer.elapsed.total_seconds() >= 0.2
    assert answer.json()["message_id"] == page.sent[0].mid


def test_nobody_answers_while_it_is_down(facebook: Facebook, page: Page, psid: str) -> None:
    facebook.stop()
    try:
        with pytest.raises(requests.ConnectionError):
            send(facebook, page, psid)
    finally:
        facebook.start()
    assert send(facebook, page, psid).ok


def test_profile_holds_the_fields_that_were_asked_for(facebook: Facebook, page: Page) -> None:
    psid = page.new_person(first_name="Zoë", locale="fr_FR")
    access = {"access_token": page.token, "fields": "first_name,locale,timezone"}
    answer = requests.get(f"{facebook.url}/{psid}", params=access, timeout=5).json()
    assert answer == {"first_name": "Zoë", "locale": "fr_FR", "id": psid}


def test_body_is_signed_over_its_escaped_bytes(page: Page) -> None:
    body = batch(page.entry(page.text("7", "Zoë ☕")))
    assert "\\u00eb" in body
    wanted = hmac.new(page.app_secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    assert page.sign(body) == f"sha256={wanted}"


def test_events_have_facebooks_forms(facebook: Facebook, page: Page, psid: str) -> None:
    send(facebook, page, psid, message={"metadata": "m"})
    (sent,) = page.sent
    echo, delivered, read = page.echo(sent), page.delivered(sent), page.read(psid, sent.at)
    assert (echo["sender"]["id"], echo["recipient"]["id"], echo["timestamp"]) == (page.id, psid, sent.at)
    assert (echo["message"]["is_echo"], echo["message"]["metadata"]) == (True, "m")
    assert delivered["delivery"] == {"watermark": sent.at, "mids": [sent.mid]}
    assert (read["sender"]["id"], read["read"]) == (psid, {"watermark": sent.at})
    assert page.written_on_facebook(psid, "Hi")["message"].keys() == {"is_echo", "app_id", "mid", "text"}
