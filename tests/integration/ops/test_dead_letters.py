"""Letters are seen without what they tell of people, and never get lost."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.ops.addresses import find_surroundings
from deploy.ops.context import Context
from deploy.ops.letter_box import BATCH, settle_letters
from deploy.ops.letters import Letter
from deploy.ops.queues import held, measure, take
from services.common.amqp import Outgoing, Publisher
from services.common.ids import new_id
from services.common.topology import dead_letter_queue, event_exchange, event_queue
from tests.integration.ops.conftest import BareProduct, Ops
from tests.support.events import event_message
from tests.support.product import Product
from tests.support.stack import Stack
from tests.support.waiting import wait_until

DEAD = dead_letter_queue("contacts")


def publish(stack: Stack, *messages: Outgoing) -> None:
    publisher = Publisher(stack.settings.amqp_uri)
    publisher.publish_confirmed(messages, timeout=20)
    publisher.close()


def ids_in(stack: Stack, queue: str) -> list[str]:
    """The ids of what a queue holds, head first."""
    with Context(find_surroundings(stack.environment)) as context, held(context.broker) as channel:
        return [Letter.read("contacts", message).id for message in take(channel, queue)]


def empty(stack: Stack, *queues: str) -> None:
    with Context(find_surroundings(stack.environment)) as context:
        for queue in queues:
            context.broker.channel().queue_purge(queue)


def depth(stack: Stack, queue: str) -> int:
    with Context(find_surroundings(stack.environment)) as context:
        found = measure(context.broker, queue)
        assert found is not None
        return found.messages


def poison(**data: Any) -> Outgoing:
    """An event that contacts can never handle: its data are not what they should be."""
    return event_message("messaging", "field_collected", {"field": "email", **data}, entity=("conversation", "c1", 1))


@pytest.fixture
def letters(product: Product, gateway: object) -> list[str]:
    """Two that contacts has put aside: one it failed on, one that is no event."""
    empty(product, DEAD)
    failing = poison(email="mia@example.com")
    publish(product, failing, Outgoing(event_exchange("messaging"), "field_collected", b"no event of Mia Lund's"))
    wait_until(lambda: depth(product, DEAD) == 2, 30, what="two dead letters")
    return ids_in(product, DEAD)


def test_letters_are_listed_shown_replayed_and_discarded(product: Product, ops: Ops, letters: list[str], tmp_path: Path) -> None:
    [failed] = [each for each in letters if not each.startswith("sha256-")]
    [undecodable] = [each for each in letters if each.startswith("sha256-")]

    listed = ops.must("dead-letters", "list", "--json").json
    assert listed["counts"] == {"messaging": 0, "presence": 0, "assignment": 0, "contacts": 2}
    assert {each["id"]: (each["type"], each["reason"]) for each in listed["letters"]} == {
        failed: ("messaging.field_collected", "failed"),
        undecodable: (None, "undecodable"),
    }
    table = ops.must("dead-letters", "list", "--service", "contacts").out
    assert failed in table
    assert undecodable in table
    assert "mia@example.com" not in table
    assert "Mia Lund" not in table
    assert depth(product, DEAD) == 2

    shown = ops.must("dead-letters", "show", failed).json
    assert shown[0]["body"]["data"]["email"] == "mia@example.com"
    assert ops.run("dead-letters", "show", "nothing").status == 1

    assert ops.run("status").status == 1
    assert "has put 2 events aside" in ops.run("status").out

    # It fails once more, and comes back with a reason of its own.
    ops.must("dead-letters", "replay", failed, "--service", "contacts")
    wait_until(lambda: ids_in(product, DEAD) == [undecodable, failed], 30, what="the letter's return")

    kept = tmp_path / "kept.jsonl"
    assert ops.run("dead-letters", "discard", failed, "--to", str(kept)).status == 1  # nobody confirms
    assert depth(product, DEAD) == 2
    assert not kept.exists()
    ops.must("dead-letters", "discard", failed, "--to", str(kept), "--yes")
    assert ids_in(product, DEAD) == [undecodable]
    [record] = [json.loads(line) for line in kept.read_text().splitlines()]
    assert Letter.from_record(record).event.data["email"] == "mia@example.com"  # type: ignore[union-attr]
    assert kept.stat().st_mode & 0o077 == 0
    ops.must("dead-letters", "discard", "--all", "--yes")
    assert ops.must("dead-letters", "list").out == "There are no dead letters.\n"
    assert ops.run("dead-letters", "replay").status == 2


def test_no_letter_is_lost_when_a_replay_is_killed_in_the_midst(bare: BareProduct, bare_ops: Ops) -> None:
    empty(bare, event_queue("contacts"), DEAD)
    made = [new_id() for _ in range(3_000)]
    messages = [
        event_message("messaging", "field_collected", {}, entity=("conversation", "c", 1), event_id=each) for each in made
    ]
    publish(bare, *(Letter.of("contacts", each.body, {"x-foyer-reason": "failed"}, {}).to_letter(DEAD) for each in messages))
    process = bare_ops.begin("dead-letters", "replay", "--all")
    wait_until(lambda: depth(bare, event_queue("contacts")) >= 200, 30, what="the replay's beginning", interval=0.001)
    process.kill()
    process.communicate()

    def all_are_somewhere() -> bool:
        return {*ids_in(bare, event_queue("contacts")), *ids_in(bare, DEAD)} == set(made)

    wait_until(all_are_somewhere, 20, what="the return of what was in the killed command's hands")
    left = ids_in(bare, DEAD)
    assert 0 < len(left) < len(made)
    assert left == [each for each in made if each in set(left)]  # in their places

    bare_ops.must("dead-letters", "replay", "--all", "--service", "contacts")
    assert depth(bare, DEAD) == 0
    assert set(ids_in(bare, event_queue("contacts"))) == set(made)
    empty(bare, event_queue("contacts"))


def test_letters_stay_where_they_are_when_they_cannot_be_given_back(bare: BareProduct) -> None:
    empty(bare, DEAD)
    made = [new_id() for _ in range(BATCH + 20)]
    messages = [
        event_message("messaging", "field_collected", {}, entity=("conversation", "c", 1), event_id=each) for each in made
    ]
    publish(bare, *(Letter.of("contacts", each.body, {}, {}).to_letter(DEAD) for each in messages))
    given_back: list[str] = []

    def fail_at_second(letters: Sequence[Letter]) -> None:
        if given_back:
            raise ConnectionError("cut off")
        given_back.extend(letter.id for letter in letters)

    with Context(find_surroundings(bare.environment)) as context, pytest.raises(ConnectionError):
        settle_letters(context, "contacts", fail_at_second, None)
    assert given_back == made[:BATCH]
    wait_until(lambda: ids_in(bare, DEAD) == made[BATCH:], what="the rest in its places")
    empty(bare, DEAD)
