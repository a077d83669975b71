"""What may happen to webhooks and deliveries, and when the next attempt is."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from services.common.errors import Forbidden
from services.messaging.webhooks import domain
from services.messaging.webhooks.domain import Outcome, judge

MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)
SCHEDULE = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0)
VALUES: dict[str, Any] = {
    "url": "https://hooks.example",
    "events": ["message.created"],
    "channel_ids": None,
    "description": " x ",
}


def webhook(**values: Any) -> dict[str, Any]:
    return domain.make_webhook("w", VALUES, "whsec_AAAA", MOMENT) | values


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_delivery_is_done_when_the_receiver_answers_2xx(status: int) -> None:
    verdict = judge(webhook(), 3, Outcome(status), MOMENT, SCHEDULE)
    assert (verdict.pause, verdict.failing, verdict.disable) == (None, False, None)
    assert verdict.delivery["state"] == "delivered"
    assert verdict.delivery["delivered_at"] == MOMENT
    assert verdict.delivery["waiting"] is False
    assert verdict.delivery["last_error"] is None


@pytest.mark.parametrize(
    "outcome", [Outcome(error="No connection."), *(Outcome(status, "x") for status in (100, 301, 302, 400, 404, 429, 500, 503))]
)
def test_delivery_waits_on_when_the_receiver_answers_anything_else(outcome: Outcome) -> None:
    verdict = judge(webhook(), 1, outcome, MOMENT, SCHEDULE)
    assert verdict.pause is not None
    assert 4.5 <= verdict.pause <= 5.5
    assert verdict.failing
    assert "state" not in verdict.delivery
    assert verdict.delivery["next_attempt_at"] == MOMENT + timedelta(seconds=verdict.pause)
    assert (verdict.delivery["last_status"], verdict.delivery["last_error"]) == (outcome.status, outcome.error)


def test_pauses_follow_the_schedule_and_then_the_delivery_fails() -> None:
    for attempt, planned in enumerate(SCHEDULE, 1):
        pause = judge(webhook(), attempt, Outcome(500, "x"), MOMENT, SCHEDULE).pause
        assert pause is not None
        assert 0.9 * planned <= pause <= 1.1 * planned
    last = judge(webhook(), len(SCHEDULE) + 1, Outcome(500, "x"), MOMENT, SCHEDULE)
    assert (last.pause, last.disable) == (None, None)
    assert last.delivery["state"] == "failed"
    assert last.delivery["waiting"] is False


def test_pauses_differ_so_that_not_all_come_at_once() -> None:
    assert len({judge(webhook(), 1, Outcome(500, "x"), MOMENT, SCHEDULE).pause for _ in range(20)}) > 10


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("60", 60),
        (" 120 ", 120),
        ("99999999999999999999", 3600),
        ("86400", 3600),
        (format_datetime(MOMENT + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(MOMENT + timedelta(days=9), usegmt=True), 3600),
    ],
)
def test_longer_retry_after_is_heeded_up_to_an_hour(retry_after: str, seconds: float) -> None:
    assert judge(webhook(), 1, Outcome(429, "x", retry_after), MOMENT, SCHEDULE).pause == seconds


@pytest.mark.parametrize(
    "retry_after", [None, "", "1", "-5", "soon", "٣", "1e9", format_datetime(MOMENT - timedelta(days=1), usegmt=True), "Mon, 99"]
)
def test_shorter_or_senseless_retry_after_changes_nothing(retry_after: str | None) -> None:
    pause = judge(webhook(), 1, Outcome(503, "x", retry_after), MOMENT, SCHEDULE).pause
    assert pause is not None
    assert 4.5 <= pause <= 5.5


def test_webhook_is_disabled_at_once_when_the_receiver_is_gone() -> None:
    verdict = judge(webhook(), 1, Outcome(410, "Answered 410."), MOMENT, SCHEDULE)
    assert verdict.disable == "The receiver answered 410 Gone."
    assert verdict.delivery["state"] == "failed"
    assert verdict.delivery["last_status"] == 410


def test_webhook_is_disabled_when_nothing_was_delivered_for_three_days() -> None:
    since = MOMENT - timedelta(days=3)
    assert judge(webhook(failing_since=since), 1, Outcome(500, "x"), MOMENT, SCHEDULE).disable is not None
    assert judge(webhook(failing_since=since), 1, Outcome(200), MOMENT, SCHEDULE).disable is None
    later = webhook(failing_since=since + timedelta(seconds=1))
    assert judge(later, 1, Outcome(500, "x"), MOMENT, SCHEDULE).disable is None


def test_attempt_is_counted_when_somebody_was_asked() -> None:
    assert judge(webhook(), 3, Outcome(500, "x"), MOMENT, SCHEDULE).delivery["tries"] == 3
    assert judge(webhook(), 3, Outcome(200), MOMENT, SCHEDULE).delivery["tries"] == 3


def test_nothing_is_counted_when_there_was_no_room_for_an_attempt() -> None:
    failing = webhook(failing_since=MOMENT - timedelta(days=9))
    verdict = judge(failing, 99, Outcome(error="Too many names.", untried=True), MOMENT, SCHEDULE)
    assert (verdict.failing, verdict.disable) == (None, None)
    assert verdict.pause is not None
    assert verdict.pause < 5
    assert set(verdict.delivery) == {"last_error", "next_attempt_at"}


def test_fault_of_ours_counts_for_the_delivery_and_not_for_the_webhook() -> None:
    verdict = domain.judge_fault(1, KeyError("secret"), MOMENT, SCHEDULE)
    assert (verdict.failing, verdict.disable, verdict.delivery["tries"]) == (None, None, 1)
    assert verdict.pause is not None
    last = domain.judge_fault(len(SCHEDULE) + 1, KeyError("secret"), MOMENT, SCHEDULE)
    assert (last.pause, last.delivery["state"], last.delivery["waiting"]) == (None, "failed", False)
    assert last.delivery["last_error"] == "An attempt failed within Foyer (KeyError)."


@pytest.mark.parametrize("outcome", [Outcome(200), Outcome(410, "x"), Outcome(500, "x")])
def test_log_keeps_a_delivery_for_seven_days_from_its_end(outcome: Outcome) -> None:
    ended = judge(webhook(), len(SCHEDULE) + 1, outcome, MOMENT, SCHEDULE)
    assert ended.delivery["kept_until"] == MOMENT + timedelta(days=7)
    assert "kept_until" not in judge(webhook(), 1, Outcome(500, "x"), MOMENT, SCHEDULE).delivery
    assert domain.give_up("disabled", MOMENT)["kept_until"] == MOMENT + timedelta(days=7)


def test_error_is_cut_to_300_characters() -> None:
    assert len(judge(webhook(), 1, Outcome(error="x" * 1000), MOMENT, SCHEDULE).delivery["last_error"]) == 300


def test_answer_is_described_for_people() -> None:
    assert domain.describe(302, b"moved") == "Answered 302: redirects are not followed."
    assert domain.describe(500, b"") == "Answered 500."
    assert domain.describe(500, b"no\x00 \xff database\n") == "Answered 500: no  \ufffd database"


def test_webhook_begins_enabled_with_its_values_in_order() -> None:
    made = domain.make_webhook("w", VALUES | {"events": ["b", "a", "b"], "channel_ids": ["2", "1", "2"]}, "s", MOMENT)
    assert (made["enabled"], made["events"], made["channel_ids"], made["description"]) == (True, ["a", "b"], ["1", "2"], "x")


def test_change_says_only_what_differs() -> None:
    assert domain.change_webhook(webhook(), {"url": "https://hooks.example", "description": " x ", "channel_ids": None}) == {}
    assert domain.change_webhook(webhook(), {"channel_ids": ["b", "a"]}) == {"channel_ids": ["a", "b"]}


def test_webhook_has_three_days_again_when_it_is_enabled_anew() -> None:
    disabled = webhook(enabled=False, failing_since=MOMENT, disabled_reason="Gone.")
    assert domain.change_webhook(disabled, {"enabled": True}) == {"enabled": True, "failing_since": None, "disabled_reason": None}
    failing = webhook(failing_since=MOMENT)
    assert domain.change_webhook(failing, {"enabled": True}) == {}


def test_webhook_has_three_days_again_when_it_leads_elsewhere() -> None:
    failing = webhook(failing_since=MOMENT)
    elsewhere = {"url": "https://elsewhere.example"}
    assert domain.change_webhook(failing, elsewhere) == elsewhere | {"failing_since": None}
    assert domain.change_webhook(failing, {"url": "https://hooks.example"}) == {}


@pytest.mark.parametrize(
    "actor", [{"kind": "agent", "role": "agent"}, {"kind": "bot", "role": None}, {"kind": "visitor", "role": "admin"}]
)
def test_webhooks_are_managed_by_admins_alone(actor: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        domain.check_may_manage(actor)
    domain.check_may_manage({"kind": "agent", "role": "admin"})
