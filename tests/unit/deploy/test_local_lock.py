"""One runner per data folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.errors import AlreadyRunning, RunnerError
from deploy.local.lock import DataLock
from deploy.local.process import REPOSITORY

HOLD = """
import sys
from pathlib import Path
from deploy.local.lock import DataLock
with DataLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_runner_is_refused_with_the_holder_when_the_folder_is_taken(tmp_path: Path) -> None:
    with DataLock(tmp_path), pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}") as refusal, DataLock(tmp_path):
        pass
    assert "FOYER_DATA" in refusal.value.remedy


def test_folder_is_free_again_when_its_runner_left(tmp_path: Path) -> None:
    for _ in range(2):
        with DataLock(tmp_path):
            assert (tmp_path / "runner.lock").read_text() == f"{os.getpid()}\n"


def test_folder_is_free_again_when_its_runner_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning), DataLock(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with DataLock(tmp_path):
        pass


def test_folder_is_the_owners_alone_when_it_is_made(tmp_path: Path) -> None:
    with DataLock(tmp_path / "new"):
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_remedy_is_given_when_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunnerError, match="can't be written") as refusal, DataLock(tmp_path / "file" / "data"):
        pass
    assert "FOYER_DATA" in refusal.value.remedy
