"""What the structure promises: topology as declared, no service waits for another."""

import re
import tomllib
from pathlib import Path

import pytest

from services.common.version import VERSION
from tests.conftest import ALONE, TOGETHER

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


def test_pages_make_no_markup_of_texts() -> None:
    """The linter sees it in code, and not in templates."""
    ours = [path for path in (REPOSITORY / "gateway/static").rglob("*.js") if "vendor" not in path.parts]
    assert [path for path in ours if "dangerouslySetInnerHTML" in path.read_text()] == []


def test_tests_that_share_a_stack_are_run_by_one_process() -> None:
    conftests = [
        path for path in (REPOSITORY / "tests").rglob("conftest.py") if re.search(r'scope="(session|package)"', path.read_text())
    ]
    folders = [path.parent.relative_to(REPOSITORY) for path in conftests]
    assert [folder for folder in folders if not any(str(each) in TOGETHER for each in (folder, *folder.parents))] == []
    assert set(TOGETHER) <= set(map(str, folders))
    assert all((REPOSITORY / file).is_file() for file in ALONE)
