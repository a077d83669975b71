"""Which dialogues a run plays: each once, or round and round for a time."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.replay import performance
from deploy.replay.dialogues import Dialogue, Turn
from deploy.replay.performance import Performance
from deploy.replay.stage import Stage

DIALOGUES = [Dialogue(name, (Turn("visitor", "Hello"),)) for name in ("a", "b")]


class StubPlay:
    """Notes what would be played, and ends the run once `enough` were."""

    played: list[str]
    enough = 5

    def __init__(self, stage: Any, dialogue: Dialogue, _number: int) -> None:
        self.stage = stage
        self.record = SimpleNamespace(dialogue=dialogue, finished=True)

    def run(self) -> None:
        self.played.append(self.record.dialogue.id)
        if len(self.played) >= self.enough:
            self.stage.gateway.stop.set()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(StubPlay, "played", names, raising=False)
    monkeypatch.setattr(performance, "Play", StubPlay)
    return names


def stage() -> Stage:
    return cast("Stage", SimpleNamespace(gateway=SimpleNamespace(stop=threading.Event())))


def test_every_dialogue_is_played_once_without_a_time(played: list[str]) -> None:
    Performance(stage(), DIALOGUES, 1).run(lambda _: None)
    assert played == ["a", "b"]


def test_dialogues_are_played_round_and_round_when_a_time_is_given(played: list[str]) -> None:
    Performance(stage(), DIALOGUES, 1, seconds=60).run(lambda _: None)
    assert played == ["a#1", "b#1", "a#2", "b#2", "a#3"]


def test_none_is_begun_when_the_time_is_over(played: list[str]) -> None:
    Performance(stage(), DIALOGUES, 1, seconds=1e-9).run(lambda _: None)
    assert played == []
