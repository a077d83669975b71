"""Loopback ports."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.errors import PortInUse, RunnerError
from deploy.local.ports import LOOPBACK, accepts, free_port, free_ports, is_free, next_free, require_free


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        yield server.getsockname()[1]


def test_port_is_free_when_nothing_listens() -> None:
    port = free_port()
    assert is_free(port)
    assert not accepts(port)


def test_port_is_taken_when_something_listens(listening: int) -> None:
    assert not is_free(listening)
    assert accepts(listening)


def test_ports_differ_when_several_are_asked_for() -> None:
    assert len(set(free_ports(10))) == 10


@pytest.fixture
def connections_range(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that says which ports the kernel gives to connections."""
    file = tmp_path / "ip_local_port_range"
    monkeypatch.setattr(ports, "CONNECTIONS_RANGE", file)
    return file


def test_port_is_none_of_those_that_connections_get(connections_range: Path) -> None:
    connections_range.write_text("10100\t65435\n")
    assert {port for _ in range(10) for port in free_ports(2)} <= {*range(10_000, 10_100), *range(65_436, 65_536)}


def test_port_is_below_those_that_connections_usually_get_when_the_kernel_does_not_say(connections_range: Path) -> None:
    assert 10_000 <= free_port() < 32_768


def test_port_is_any_free_one_when_connections_get_the_others(
    connections_range: Path, monkeypatch: pytest.MonkeyPatch, listening: int
) -> None:
    monkeypatch.setattr(ports, "LOWEST", listening)
    connections_range.write_text(f"{listening + 1} 65535")
    first, second = free_ports(2)
    assert is_free(first)
    assert listening != first != second != listening


def test_next_free_skips_when_taken_or_named(listening: int) -> None:
    found = next_free(listening)
    assert found > listening
    assert next_free(listening, taken=[found]) > found


def test_refusal_names_the_variable_and_a_free_port_when_in_use(listening: int) -> None:
    with pytest.raises(PortInUse, match=rf"Port {listening} on 127.0.0.1, wanted for the gateway, is already in use") as refusal:
        require_free(listening, purpose="the gateway", variable="FOYER_PORT")
    suggested = int(refusal.value.remedy.partition("FOYER_PORT=")[2].split()[0])
    assert is_free(suggested)


def test_refusal_names_the_host_when_it_is_not_of_this_machine() -> None:
    with pytest.raises(RunnerError, match=r"192\.0\.2\.1 is not an address of this machine"):
        require_free(free_port(), purpose="the gateway", variable="FOYER_PORT", host="192.0.2.1")
