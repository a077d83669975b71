"""What the structure promises: topology as declared, no service waits for another."""

import tomllib
from pathlib import Path

import pytest

from services.common.version import VERSION

REPOSITORY = Path(__file__).parents[2]


def test_topology_file_is_what_the_services_subscribe_to() -> None:
    from deploy import topology
    from services.common.topology import SUBSCRIPTIONS_FILE

    assert SUBSCRIPTIONS_FILE.read_bytes() == topology.render()


@pytest.mark.parametrize("service", ["messaging", "presence", "assignment", "contacts"])
def test_service_calls_no_other_service(service: str) -> None:
    """An RPC inside a service has no timeout in nameko 2.14.1, and would make one service wait for another."""
    for path in (REPOSITORY / "services" / service).rglob("*.py"):
        text = path.read_text()
        assert "RpcProxy" not in text, path
        assert "RpcClient" not in text, path
        assert "rpc_client" not in text, path


def test_version_is_the_projects() -> None:
    assert tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"] == VERSION
