"""Facebook's webhook, spoken by somebody who can sign and knows no shame: nothing breaks, and what is true beside it arrives."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from services.common.ids import new_id
from services.messaging.messenger.inbox import items_of
from services.messaging.messenger.incoming import LATEST, NotFacebooks, read_batch
from tests.strangers.logbook import Logbook
from tests.support.facebook import Facebook
from tests.support.facebook_page import Page, batch, new_mid
from tests.support.product import Gateway, Product
from tests.support.waiting import wait_until
from tests.unit.messaging.flows import ACME

HUGE = 10**400
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["", "\0", "a\0b", "\ud83d", "x\udc00", "😀", "\u202e", "x" * 1001, "{name}", "$where"]
)
ATOMS = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 2**31, 2**53, 2**63, 2**64, HUGE, -HUGE, 1e308, -0.0, 0.5, float("nan"), float("inf")])
    | TEXTS
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def messy(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with these parts, each there or not; or something else altogether, and something beside."""
    mostly = st.fixed_dictionaries({}, optional={name: part | VALUES for name, part in parts.items()})
    return st.builds(lambda first, more: {**more, **first}, mostly, st.dictionaries(TEXTS, ATOMS, max_size=1)) | VALUES


def events(page_id: str, psids: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Events of Facebook's kinds with values of any kind in any place."""
    side = messy(id=psids | st.just(page_id))
    mids = st.builds(new_mid) | TEXTS
    attachment = messy(type=TEXTS, payload=messy(url=TEXTS, title=TEXTS, coordinates=messy(lat=ATOMS, long=ATOMS)), title=TEXTS)
    message = messy(
        mid=mids,
        text=TEXTS,
        is_echo=st.booleans(),
        metadata=TEXTS,
        quick_reply=messy(payload=TEXTS),
        attachments=st.lists(attachment, max_size=3),
    )
    return messy(
        sender=side,
        recipient=side,
        timestamp=ATOMS,
        message=message,
        postback=messy(mid=mids, title=TEXTS, payload=TEXTS),
        delivery=messy(mids=st.lists(mids | ATOMS, max_size=3), watermark=ATOMS),
        read=messy(watermark=ATOMS),
    )


def bodies(page_id: str, psids: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    entry = messy(
        id=st.just(page_id) | TEXTS,
        time=ATOMS,
        messaging=st.lists(events(page_id, psids), max_size=4),
        standby=VALUES,
        changes=VALUES,
    )
    return messy(object=st.just("page"), entry=st.lists(entry, max_size=3))


def storable(value: Any) -> bool:
    """Whether the database takes it: a text without half characters, a number of 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() == value
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, dict):
        return all(storable(each) for pair in value.items() for each in pair)
    return all(map(storable, value)) if isinstance(value, list | tuple) else value is None or isinstance(value, bool)


@settings(max_examples=800, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(body=bodies("77", st.sampled_from(["1", "2", 3, 2**64])))
def test_whatever_a_body_says_becomes_what_can_be_stored_or_is_left_aside(body: Any) -> None:
    raw = json.dumps(body).encode()
    try:
        found = read_batch(raw, 1)
    except NotFacebooks:
        return
    items = items_of(found, {"77": {"_id": "channel"}})
    assert all(storable(asdict(event)) and 0 <= event.at <= LATEST for event in found.events)
    assert all(storable(item["position"]) and item["lane"] and item["_id"] for item in items)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00",
        b"[" * 400_000,
        b'{"object":' * 60_000,
        b'{"object": "page", "entry": [' + b'{"id": "77", "messaging": [' * 500 + b"]}" * 500 + b"]}",
        b'{"object": "page", "entry": ' + b"9" * 5_000 + b"}",
        b'{"object": "page", "entry": [' + b"[" * 1_020 + b"]" * 1_020 + b"]}",
        b'{"object": "page", "entry": ["\\ud800", ' + b"[" * 5_000 + b"]" * 5_000 + b"]}",
        b'{"object": "page", "object": "user", "entry": []}',
        b'\xef\xbb\xbf{"object": "page", "entry": []}',
    ],
    ids=range(10),
)
def test_body_of_any_depth_is_read_or_refused(raw: bytes) -> None:
    try:
        found = [str(event) for event in read_batch(raw, 1).events]
    except NotFacebooks as error:
        found = [str(error)] if len(str(error)) > 500 else []
    assert found == []


class Channel:
    """A channel of Messenger with the Acme flow, and the way in for what is signed with its secret."""

    def __init__(self, gateway: Gateway, admin: str, page: Page) -> None:
        self.gateway = gateway
        self.page = page
        created = gateway.ask(
            "POST", "/v1/channels", {"kind": "messenger", "name": "Page", "messenger": page.settings}, token=admin
        )
        self.id: str = created["id"]
        gateway.ask("PUT", f"/v1/channels/{self.id}/flow", ACME, token=admin)

    def deliver(self, body: str | bytes, signature: str | None = None) -> tuple[int, str]:
        """The answer's status, and its problem's code if it has one."""
        raw = body.encode() if isinstance(body, str) else body
        headers = {"X-Hub-Signature-256": self.page.sign(raw.decode()) if signature is None else signature}
        headers["Content-Type"] = "application/json"
        answer = self.gateway.send("POST", f"/v1/webhooks/messenger/{self.id}", data=raw, headers=headers)
        return answer.status_code, "" if answer.ok else answer.json()["code"]


@pytest.fixture(scope="module")
def channel(gateway: Gateway, admin: str, facebook: Facebook) -> Channel:
    return Channel(gateway, admin, facebook.new_page())


@pytest.fixture(autouse=True)
def all_well(request: pytest.FixtureRequest) -> Iterator[None]:
    """No process has met what nobody thought of, and a person who writes afterwards is answered."""
    if "channel" not in request.fixturenames:
        yield
        return
    product: Product = request.getfixturevalue("product")
    channel: Channel = request.getfixturevalue("channel")
    book = Logbook(product)
    yield
    person = channel.page.new_person()
    assert channel.deliver(batch(channel.page.entry(channel.page.text(person, "Hello")))) == (200, "")
    channel.page.wait_for(person, 1, 20)
    inbox = product.mongo("messaging").messenger_inbox
    wait_until(lambda: not inbox.count_documents({"group": channel.id, "waiting": True}), 30, what="an inbox without rests")
    assert book.faults() == []
    assert [line["event"] for line in book.lines() if line["level"] == "error"] == []


def test_any_signed_body_is_stored_whole_or_refused_as_a_whole(product: Product, channel: Channel) -> None:
    """What it says of people who exist, and of such as don't, is worked off to the end; nothing of it is tried for ever."""
    people = [channel.page.new_person() for _ in range(3)]
    answers: set[tuple[int, str]] = set()

    @settings(
        max_examples=100,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(body=bodies(channel.page.id, st.sampled_from([*people, "unknown", "\0", 5])))
    @example(body={"object": "page", "entry": [channel.page.entry(channel.page.text(people[0], "\ud83d half"))]})
    @example(body={"object": "page", "entry": [channel.page.entry(channel.page.text("\0", "NUL", at=HUGE))]})
    def deliver(body: Any) -> None:
        answers.add(channel.deliver(json.dumps(body)))

    deliver()
    assert answers == {(200, ""), (422, "VALIDATION_FAILED")}


def test_true_event_arrives_when_everything_around_it_in_its_batch_is_odd(product: Product, channel: Channel) -> None:
    person = channel.page.new_person()
    odd: list[Any] = [None, 5, [], {"sender": 1}, {"sender": {"id": {}}, "message": []}, {"message": {"mid": HUGE}}, "x" * 1000]
    entries: list[Any] = [None, [], {"id": None}, channel.page.entry(*odd, channel.page.text(person, "Hello"), *odd), {"id": {}}]
    assert channel.deliver(json.dumps({"object": "page", "entry": entries})) == (200, "")
    channel.page.wait_for(person, 1)
    stored = product.mongo("messaging")
    (contact_id,) = stored.messenger_threads.distinct("contact_id", {"channel_id": channel.id, "psid": person})
    (conversation_id,) = stored.conversations.distinct("_id", {"contact.id": contact_id})
    said = stored.messages.find({"conversation_id": conversation_id, "author.kind": "visitor"})
    assert [message["text"] for message in said] == ["Hello"]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"", (422, "VALIDATION_FAILED")),
        (b"[" * 300_000, (422, "VALIDATION_FAILED")),
        (b'{"object":' * 50_000, (422, "VALIDATION_FAILED")),
        (b"9" * 100_000, (422, "VALIDATION_FAILED")),
        (b'{"object": "page", "entry": []}' + b" " * 999_000, (413, "BODY_TOO_LARGE")),
    ],
    ids=["empty", "deep", "deeper", "number", "large"],
)
def test_signed_body_beyond_all_measure_is_refused(channel: Channel, body: bytes, answer: tuple[int, str]) -> None:
    body = body if answer[0] != 413 else body + b" " * 2_000
    assert channel.deliver(body) == answer


@pytest.mark.parametrize("raw", [b"\xff\xfe", b'{"object": "\xed\xa0\x80"}', b'{"object": "page", "entry": "\xc3"}'])
def test_body_that_is_no_text_is_refused_whatever_its_signature(channel: Channel, raw: bytes) -> None:
    assert channel.deliver(raw, "sha256=" + "0" * 64) == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        "sha1=" + "0" * 40,
        "sha256=" + "g" * 64,
        "sha256=" + "0" * 63,
        "sha256=" + "0" * 65,
        "x" * 5_000,
        "sha256=" + "\N{ARABIC-INDIC DIGIT ZERO}" * 64,
        "sha256=" + "0" * 64,
    ],
    ids=range(9),
)
def test_body_with_a_signature_that_is_none_is_refused_and_stores_nothing(
    product: Product, channel: Channel, signature: str
) -> None:
    person = channel.page.new_person()
    text = new_id()
    body = batch(channel.page.entry(channel.page.text(person, text)))
    assert channel.deliver(body, signature.encode().decode("latin-1")) == (403, "SIGNATURE_INVALID")
    assert product.mongo("messaging").messenger_inbox.find_one({"event.text": text}) is None


@pytest.mark.parametrize("place", ["hub.mode", "hub.verify_token", "hub.challenge"])
@pytest.mark.parametrize("value", ["", "\0", "é", "x" * 1001, "a\r\nSet-Cookie: b", "\ud800", "<script>"])
def test_challenge_is_answered_with_nothing_but_what_is_plain(gateway: Gateway, channel: Channel, place: str, value: str) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": channel.page.verify_token, "hub.challenge": "42", place: value}
    raw = {name: text.encode("utf-8", "surrogatepass") for name, text in query.items()}
    answer = gateway.send("GET", f"/v1/webhooks/messenger/{channel.id}", params=raw)
    assert "Set-Cookie" not in answer.headers
    if answer.status_code == 200:  # Facebook's rule is to answer with whatever comes: so never as markup
        assert place == "hub.challenge"
        assert answer.text.isprintable()
        assert answer.text.isascii()
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    else:
        assert answer.status_code in {403, 422}
