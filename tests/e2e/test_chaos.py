"""A few rounds of `make chaos`: parts are killed under load, and what became of everything that clients were told is checked."""

from typing import ClassVar

import pytest

from services.common.ids import new_id
from tests.chaos.faults import Fault
from tests.chaos.faults.catalogue import FAULTS
from tests.chaos.rounds import Round, Run, plan
from tests.chaos.world import World
from tests.support.waiting import wait_until

# What each of the others rests on. `make chaos` plays all kinds, many times.
KINDS = ("kill-messaging", "kill-assignment-one", "kill-gateway", "kill-broker", "kill-database")
SEED = 7


@pytest.mark.slow
@pytest.mark.timeout(420)  # five rounds take two minutes where nothing else runs
def test_nothing_is_lost_doubled_or_stuck_when_parts_are_killed_under_load() -> None:
    played: list[Round] = []
    run = Run(SEED, say=print, done=played.append)
    run.play_all(plan(KINDS, len(KINDS), SEED), FAULTS)
    assert [f"{each.fault}: {violation}" for each in played for violation in each.violations] == []
    assert sorted(each.fault for each in played) == sorted(KINDS)
    for each in played:
        assert each.notes, "the fault says whom it hit"
        assert each.told["messages"] > 0, "a round without confirmed messages proves nothing"
        assert each.recovery is not None


class Sabotage(Fault):
    """What no product would do: a stored message is taken away, and a stored note is copied."""

    name: ClassVar[str] = "sabotage"
    title: ClassVar[str] = "a confirmed message is deleted, a note is doubled"
    seconds: ClassVar[float] = 0.0

    def apply(self, world: World) -> None:
        history, messages = world.history, world.product.mongo("messaging").messages
        notes = world.product.mongo("contacts").notes
        wait_until(lambda: history.said, 30, what="a confirmed message")
        message_id = history.said[0].message_id
        wait_until(lambda: messages.delete_one({"_id": message_id}).deleted_count, 30, what="its filing")
        wait_until(lambda: history.notes, 30, what="a confirmed note")
        note_id = history.notes[0].note_id
        copy = notes.find_one({"_id": note_id})
        assert copy is not None
        notes.insert_one(copy | {"_id": new_id()})
        world.note(f"deleted message {message_id}, copied note {note_id}")

    def heal(self, world: World) -> None:
        """It stays so."""


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_a_message_taken_away_and_a_note_doubled_are_found() -> None:
    played: list[Round] = []
    run = Run(SEED, say=print, done=played.append, settling=3.0)
    run.play_all(["sabotage"], {"sabotage": Sabotage})
    (only,) = played
    message, note = only.notes[0].removeprefix("deleted message ").split(", copied note ")
    assert any(each.kind == "lost" and message in each.detail for each in only.violations), only.violations
    assert any(each.kind == "doubled" and note in each.detail for each in only.violations), only.violations
