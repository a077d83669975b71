"""Child processes, and knowing one again."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.errors import ProcessFailed
from deploy.local.process import ChildProcess, Identity, stop_recorded
from deploy.local.waiting import wait_until

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def child(tmp_path: Path, code: str) -> ChildProcess:
    return ChildProcess("tiny", [sys.executable, "-Sc", code], log_path=tmp_path / "tiny.log", record=tmp_path / "tiny.pid")


def test_identity_differs_when_a_pid_is_reused(tmp_path: Path) -> None:
    mine = Identity.of(os.getpid())
    assert mine is not None
    assert mine.alive
    mine.save(tmp_path / "record")
    assert Identity.load(tmp_path / "record") == mine
    assert not replace(mine, started=mine.started - 1).alive
    assert not replace(mine, boot="another").alive


@pytest.mark.parametrize("content", ["", "{}", "[1]", "not json", '{"pid": 1}'])
def test_record_counts_as_none_when_unreadable(tmp_path: Path, content: str) -> None:
    (tmp_path / "record").write_text(content)
    assert Identity.load(tmp_path / "record") is None
    assert not stop_recorded(tmp_path / "record")
    assert not (tmp_path / "record").exists()


def test_process_is_left_alone_when_the_record_is_of_another_with_its_pid(tmp_path: Path) -> None:
    process = child(tmp_path, "import time; time.sleep(600)")
    process.start()
    try:
        assert process.pid is not None
        mine = Identity.of(process.pid)
        assert mine is not None
        replace(mine, started=mine.started - 1).save(tmp_path / "old.pid")
        assert not stop_recorded(tmp_path / "old.pid")
        assert process.running
    finally:
        process.kill()


def test_leftover_is_stopped_when_recorded(tmp_path: Path) -> None:
    process = child(tmp_path, "import time; time.sleep(600)")
    process.start()
    assert stop_recorded(tmp_path / "tiny.pid")
    assert process.wait(5)
    assert process.returncode == -signal.SIGTERM
    process.kill()


def test_process_is_killed_when_it_outlives_its_grace(tmp_path: Path) -> None:
    process = child(tmp_path, STUBBORN)
    process.start()
    assert wait_until(lambda: "up" in process.log_tail(), 10)
    assert not process.stop(grace=0.05)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "tiny.pid").exists()


def test_failure_carries_the_end_of_the_log_when_it_ended(tmp_path: Path) -> None:
    process = child(tmp_path, "print('no such luck'); raise SystemExit(3)")
    process.start()
    assert process.wait(10)
    with pytest.raises(ProcessFailed, match=r"(?s)tiny ended with 3.*no such luck"):
        process.require_running()
    process.kill()
