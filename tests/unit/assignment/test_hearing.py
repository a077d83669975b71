"""Whether silence means that nothing was said."""

from datetime import timedelta

import pytest

from services.assignment.hearing import LONGEST_PAUSE, RECOVERY, SETTLING, Hearing
from services.assignment.settings import read_absence
from services.common.settings import InvalidSetting
from tests.unit.assignment.builders import START, moment


def test_silence_counts_when_events_are_fresh() -> None:
    hearing = Hearing()
    hearing.note(moment(0), moment(1))
    assert hearing.is_current(moment(1))


def test_silence_does_not_count_when_events_of_long_ago_still_come() -> None:
    hearing = Hearing()
    for second in range(20):
        hearing.note(moment(second - 30), moment(second))
        assert not hearing.is_current(moment(second + 1))
    assert hearing.is_current(moment(19) + SETTLING)


def test_silence_does_not_count_when_the_process_has_just_begun() -> None:
    hearing = Hearing()
    hearing.fall_behind(START)
    assert not hearing.is_current(moment(1))
    assert hearing.is_current(START + SETTLING)


def test_silence_counts_after_all_when_every_event_seems_late() -> None:
    hearing = Hearing()
    for second in range(120):
        hearing.note(moment(second - 30), moment(second))
        assert hearing.is_current(moment(second)) == (timedelta(seconds=second) >= LONGEST_PAUSE)


def test_silence_does_not_count_however_long_nothing_can_be_heard() -> None:
    hearing = Hearing()
    for second in range(120):
        hearing.cut_off(moment(second))
        hearing.note(moment(second), moment(second))
        assert not hearing.is_current(moment(second + 1))
    assert not hearing.is_current(moment(119) + RECOVERY - timedelta(seconds=1))  # agents give again what was refused
    assert hearing.is_current(moment(119) + RECOVERY)


@pytest.mark.parametrize(("text", "absence"), [("", timedelta(seconds=120)), ("0", None), ("7.5", timedelta(seconds=7.5))])
def test_absence_is_read_when_the_process_begins(text: str, absence: timedelta | None) -> None:
    assert read_absence({"FOYER_VISITOR_ABSENCE_SECONDS": text}) == absence


@pytest.mark.parametrize("text", ["-1", "soon", "86401"])
def test_absence_is_refused_when_it_is_no_sensible_number(text: str) -> None:
    with pytest.raises(InvalidSetting, match="FOYER_VISITOR_ABSENCE_SECONDS"):
        read_absence({"FOYER_VISITOR_ABSENCE_SECONDS": text})
