"""What `python -m deploy.local` says when it can't run: one sentence, the remedy, status 1, and nothing left running."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.lock import DataLock
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.process import REPOSITORY

OWN = ("FOYER_", "AMQP_URI", "MONGODB_URI")


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def run(data_dir: Path, **variables: object) -> subprocess.CompletedProcess[str]:
    gateway, broker, database = free_ports(3)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    environment |= {"FOYER_DATA": str(data_dir), "FOYER_PORT": f"{gateway}"}
    environment |= {"FOYER_BROKER_PORT": f"{broker}", "FOYER_DATABASE_PORT": f"{database}"}
    environment |= {name: str(value) for name, value in variables.items()}
    command = [sys.executable, "-m", "deploy.local"]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False)


def require_refusal(result: subprocess.CompletedProcess[str], sentence: str, remedy: str) -> None:
    assert result.returncode == 1
    assert sentence in result.stderr
    assert remedy in result.stderr
    assert "Traceback" not in result.stderr + result.stdout
    assert "starting" not in result.stdout


@pytest.mark.parametrize("variable", ["FOYER_PORT", "FOYER_BROKER_PORT", "FOYER_DATABASE_PORT"])
def test_run_names_the_variable_when_a_port_is_in_use(tmp_path: Path, listening: int, variable: str) -> None:
    result = run(tmp_path, **{variable: listening})
    require_refusal(result, f"Port {listening} on 127.0.0.1", f"choose another port: {variable}=")


def test_run_names_the_other_when_the_data_folder_is_taken(tmp_path: Path) -> None:
    with DataLock(tmp_path):
        require_refusal(run(tmp_path), f"Foyer already runs in {tmp_path} (process {os.getpid()})", f"kill {os.getpid()}")


@pytest.mark.parametrize(("variable", "uri"), [("AMQP_URI", "amqp://127.0.0.1:{}/"), ("MONGODB_URI", "mongodb://127.0.0.1:{}/")])
def test_run_names_the_address_when_nothing_answers_there(tmp_path: Path, variable: str, uri: str) -> None:
    (port,) = free_ports(1)
    result = run(tmp_path, **{variable: uri.format(port)})
    require_refusal(result, f"{variable} names 127.0.0.1:{port}, where nothing answers", f"unset {variable}")


def test_run_names_the_setting_when_it_is_no_port(tmp_path: Path) -> None:
    require_refusal(run(tmp_path, FOYER_PORT="eighty"), "FOYER_PORT=eighty is not a port", "FOYER_PORT=8000")


def test_run_offers_another_folder_when_it_cannot_write_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    require_refusal(run(tmp_path / "file" / "data"), "can't be written", "FOYER_DATA=<folder> make run")
