"""How the tests are shared out when several processes run them (`-n 2`): who shares a stack stays together, and the longest begin."""

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# An example that takes long tells of a busy machine.
settings.register_profile("foyer", deadline=None)
settings.load_profile("foyer")

# Each folder's tests share what its conftest starts. The longest first: what is begun last should be short.
TOGETHER = (
    "tests/service",
    "tests/e2e",
    "tests/browser",
    "tests/strangers",
    "tests/integration/ops",
    "tests/service/messaging/messenger",
    "tests/service/messaging/webhooks",
    "tests/service/presence",
    "tests/service/streams",
    "tests/containers",
)
# Files in them that begin a stack of their own. So does every other file that needs one.
ALONE = (
    "tests/e2e/test_chaos.py",
    "tests/e2e/test_own_credentials.py",
    "tests/e2e/test_presence.py",
    "tests/e2e/test_faults.py",
    "tests/e2e/test_bot_crashes.py",
    "tests/e2e/test_tracing.py",
)
GROUPS = TOGETHER + ALONE


def group_of(node_id: str) -> str:
    """The file of the test, or the innermost of those folders that holds it."""
    file = PurePosixPath(node_id.partition("::")[0])
    return next((str(path) for path in (file, *file.parents) if str(path) in GROUPS), str(file))


def rank(item: pytest.Item) -> int:
    group = group_of(item.nodeid)
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)


class SharedOut(LoadScopeScheduling):
    """One process after the other takes a group when it has nearly done its last; test ids stay as they are."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedOut:
    config.option.loadscopereorder = False  # else by the number of tests, of which the shortest groups have most
    return SharedOut(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=rank)
