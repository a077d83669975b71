"""Who is told to end while still starting ends at once, also as a container's first process, which has no default for signals."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
KEY = "a-key-that-nobody-can-guess-0123456789"
# Instead of a module that takes its time.
SLOW_MODULE = "import pathlib, time; pathlib.Path({reached!r}).touch(); time.sleep(60)"
# Read by every interpreter before anything else: the one that becomes gunicorn tells itself to end at once.
END_AT_ONCE = "import os, signal, sys\nif 'gunicorn' in sys.orig_argv: os.kill(os.getpid(), signal.SIGTERM)"


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """A process that ignores SIGTERM until it says otherwise, and finds modules in `folder` first."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),  # noqa: PLW1509 - as good as alone in there
    )


def status_of(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(20)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("arguments", "module"), [(["-m", "services.contacts"], "eventlet"), (["-m", "deploy.setup", "database"], "pymongo")]
)
def test_process_ends_when_it_is_told_to_while_it_imports(tmp_path: Path, arguments: list[str], module: str) -> None:
    reached = tmp_path / "reached"
    (tmp_path / f"{module}.py").write_text(SLOW_MODULE.format(reached=str(reached)))
    process = start(tmp_path, *arguments)
    try:
        wait_until(reached.exists, 20, what="the import")
        process.send_signal(signal.SIGTERM)
    finally:
        status = status_of(process)
    assert status == 128 + signal.SIGTERM


def test_gateway_ends_when_it_is_told_to_before_gunicorn_listens(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(END_AT_ONCE)
    process = start(tmp_path, "-m", "gateway", FOYER_SECRET_KEY=KEY, FOYER_PORT=str(free_port()), AMQP_URI="amqp://127.0.0.1:1/")
    assert status_of(process) == 0
