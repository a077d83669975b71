"""Where delivered events are put, what the page's own people answer, and how a channel's settings change."""

from typing import Any

from services.common.times import now
from services.messaging.messenger import settings
from services.messaging.messenger.inbox import items_of
from services.messaging.messenger.incoming import read_batch
from services.messaging.messenger.page_answers import page_answers
from tests.support.facebook_page import Page, batch
from tests.unit.messaging.conversations import CHANNEL, begun, committed, data, taken, types, visitor_writes

PAGE = Page("1000")
PSID = "2000"
CHANNELS = {PAGE.id: {"_id": "page"}}


def items(*raw: dict[str, Any], channels: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return items_of(read_batch(batch(PAGE.entry(*raw)).encode(), 1_790_000_000_000), CHANNELS if channels is None else channels)


def test_item_is_the_same_when_the_event_comes_again_in_another_batch() -> None:
    message, postback = PAGE.text(PSID, "Hi", mid="m_1"), PAGE.postback(PSID, "Menu", "MENU")
    del postback["postback"]["mid"]
    alone = [*items(message), *items(postback)]
    together = items(PAGE.text(PSID, "before"), message, postback)
    assert [item["_id"] for item in alone] == [item["_id"] for item in together[1:]]


def test_items_differ_when_kind_or_content_does() -> None:
    at = 1_700_000_000_000
    first, second = PAGE.postback(PSID, "A", "a", at=at), PAGE.postback(PSID, "B", "b", at=at)
    for event in (first, second):
        del event["postback"]["mid"]
    read, delivered = PAGE.read(PSID, at), PAGE.read(PSID, at) | {"delivery": {"watermark": at}}
    del delivered["read"]
    found = items(first, second, read, delivered)
    assert len({item["_id"] for item in found}) == 4


def test_items_of_one_moment_keep_their_places() -> None:
    at = 1_700_000_000_000
    found = items(*(PAGE.text(PSID, str(number), at=at) for number in range(3)), PAGE.text(PSID, "earlier", at=at - 1))
    assert [item["event"]["text"] for item in sorted(found, key=lambda item: item["position"])] == ["earlier", "0", "1", "2"]
    assert len({item["lane"] for item in found}) == 1
    assert PSID not in found[0]["lane"]


def test_page_without_a_channel_is_left_out() -> None:
    assert items(PAGE.text(PSID, "Hi"), channels={}) == []


def test_answer_on_facebook_is_an_answer_and_changes_hands_with_nobody() -> None:
    conversation = committed(visitor_writes(taken(), None, "Anybody?", None, "m1"))
    turn = page_answers(conversation, "Yes, on Facebook.", "fb:1", now())
    assert types(turn) == ["message_posted", "answer_given"]
    assert data(turn, "answer_given")["agent"] == {"id": "ann", "name": "Ann"}
    assert turn.conversation["handler"] == "agent"
    assert turn.conversation["awaiting_answer_since"] is None
    assert turn.messages[0]["delivery"]["state"] == "sent"


def test_answer_on_facebook_leaves_the_bot_in_charge() -> None:
    turn = page_answers(begun(channel=CHANNEL | {"kind": "messenger"}), "Hello", "fb:1", now())
    assert types(turn) == ["message_posted"]
    assert (turn.conversation["handler"], turn.conversation["assignee"]) == ("bot", None)


def test_fault_is_forgotten_when_access_is_renewed_and_kept_otherwise() -> None:
    kept = settings.change({}, PAGE.settings) | {"fault": {"code": "190"}}
    assert settings.change(kept, {"human_agent_tag": True, "verify_token": "v"})["fault"] == {"code": "190"}
    assert settings.change(kept, {"page_access_token": kept["page_access_token"]})["fault"] == {"code": "190"}
    for renewal in ({"page_access_token": "new"}, {"app_secret": "new"}, {"page_id": "7"}):
        assert settings.change(kept, renewal)["fault"] is None


def test_nothing_secret_remains_with_a_deleted_channel() -> None:
    kept = settings.without_secrets({"kind": "messenger", "messenger": settings.change({}, PAGE.settings)})
    assert kept is not None
    assert kept["page_id"] == PAGE.id
    assert [kept[name] for name in settings.SECRETS] == [None, None, None]
    assert settings.without_secrets({"kind": "web"}) is None


def test_view_of_a_channel_from_before_there_were_settings_shows_none() -> None:
    assert settings.view({"kind": "web"}) is None
    shown = settings.view({"kind": "messenger"})
    assert shown is not None
    assert (shown["page_id"], shown["has_app_secret"], shown["fault"]) == (None, False, None)
