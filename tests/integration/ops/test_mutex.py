"""Only one operator's command has messages in its hands, or stops containers, at a time."""

import os
import signal
import socket
from argparse import Namespace

import pytest

from deploy.ops import drain
from deploy.ops.addresses import find_surroundings
from deploy.ops.context import Context
from deploy.ops.errors import Unusable
from deploy.ops.leftovers import left_files
from deploy.ops.mutex import QUEUE, Alone, alone
from deploy.ops.queues import measure
from deploy.ops.snapshot import NOTE, WINDOW
from tests.integration.ops.conftest import BareProduct, Ops
from tests.support.waiting import wait_until


@pytest.fixture
def environment(bare: BareProduct, monkeypatch: pytest.MonkeyPatch) -> None:
    """For commands within this process."""
    for name, value in bare.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("command", [["dead-letters", "list"], ["dead-letters", "replay", "--all"], ["backup", "."]])
def test_second_command_is_told_when_another_is_at_work(bare: BareProduct, bare_ops: Ops, command: list[str]) -> None:
    with Context(find_surroundings(bare.environment)) as context, alone(context):
        said = bare_ops.run(*command)
    assert said.status == 2
    assert "Another operator's command is at work" in said.err
    assert list(bare_ops.folder.iterdir()) == []


@pytest.mark.usefixtures("environment")
def test_drain_stops_nothing_when_another_command_is_at_work(bare: BareProduct, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "require_project", lambda *_, **__: None)
    with (
        Context(find_surroundings(bare.environment)) as context,
        alone(context),
        pytest.raises(Unusable, match="Another operator"),
    ):
        drain.drain(Namespace(target="messaging", force=True))


def hang_up(mutex: Alone) -> None:
    """End its link, as a broker does that starts again."""
    mutex._connection.connection.transport.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


def test_command_stays_alone_when_its_link_is_lost_for_a_moment(bare: BareProduct) -> None:
    with Context(find_surroundings(bare.environment)) as context, alone(context) as mutex:
        before = mutex._connection
        hang_up(mutex)
        wait_until(lambda: mutex._connection not in (None, before), what="another link")
        mutex.require()
        depth = measure(context.broker, QUEUE)
        assert depth is not None
        assert depth.consumers  # as another connection sees what is not its own


def test_command_learns_that_another_began_when_its_link_was_lost(bare: BareProduct) -> None:
    surroundings = find_surroundings(bare.environment)
    with Context(surroundings) as context, alone(context) as mutex, Context(surroundings) as other:
        hang_up(mutex)
        with alone(other):
            wait_until(lambda: mutex._overtaken, what="the news of the other")
        with pytest.raises(Unusable, match="hung up"):
            mutex.require()


def test_command_that_was_killed_keeps_nobody_out_and_what_it_left_is_named_and_removed(bare: BareProduct, bare_ops: Ops) -> None:
    bare.mongo("presence").agents.insert_one({"version": 1, "outbox": [], "filler": os.urandom(4_000_000)})
    process = bare_ops.begin("backup", ".")
    wait_until(lambda: list(bare_ops.folder.glob(".*.unfinished")), 20, what="the unfinished file")
    process.send_signal(signal.SIGSTOP)
    try:
        # Somebody writes it still.
        assert list(left_files(bare_ops.folder)) == []
        assert bare_ops.run("backup", ".").status == 2
    finally:
        process.kill()
        process.communicate()
    client = bare.mongo("presence").client
    client["foyertrial_0123abcd_messaging"].agents.insert_one({})
    # As one leaves it that is killed while it reads.
    client[NOTE].window.replace_one({"_id": WINDOW}, {"usual": 300}, upsert=True)
    client.admin.command({"setParameter": 1, WINDOW: 900})

    visit = bare_ops.run("doctor").out
    [left] = list(left_files(bare_ops.folder))
    assert f"{left.name} (" in visit
    assert "foyertrial_0123abcd_messaging" in visit
    said = bare_ops.must("backup", ".")
    assert "Removed what a killed backup had left: 1 file, 1 database." in said.err
    assert [each.suffix for each in bare_ops.folder.iterdir()] == [".gz"]
    assert not [name for name in client.list_database_names() if name.startswith(("foyertrial_", NOTE))]
    assert client.admin.command({"getParameter": 1, WINDOW: 1})[WINDOW] == 300
