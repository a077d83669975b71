"""A backup taken under load, brought back into an empty stack: everything that was accepted before it began is there."""

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests.containers.load import Prober, Replay
from tests.containers.recording import record
from tests.containers.stack import SERVICES, ComposeStack, running
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def read_all(stack: ComposeStack, token: str, path: str) -> list[dict[str, Any]]:
    """All items of a list."""
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        join = "&" if "?" in path else "?"
        page = stack.ask("GET", f"{path}{join}limit=100" + (f"&cursor={cursor}" if cursor else ""), token=token)
        items += page["items"]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return items


def read_messages(stack: ComposeStack, token: str) -> dict[str, dict[str, Any]]:
    """Every message of every conversation, by id."""
    found: dict[str, dict[str, Any]] = {}
    for conversation in read_all(stack, token, "/v1/conversations?folder=all") + read_all(
        stack, token, "/v1/conversations?folder=archived"
    ):
        after = 0
        while page := stack.ask(
            "GET", f"/v1/conversations/{conversation['id']}/messages?after_seq={after}&limit=100", token=token
        )["items"]:
            found |= {message["id"]: message for message in page}
            after = page[-1]["seq"]
    return found


def test_backup_under_load_brings_everything_accepted_before_it_into_an_empty_stack(stack: ComposeStack, tmp_path: Path) -> None:
    replay = Replay(stack.url, stack.admin_email, stack.admin_password, seconds=45)
    try:
        with Prober(stack.url, stack.make_channel("Probe of a backup")) as prober:
            wait_until(lambda: len(prober.accepted) >= 20, 60, what="the load")
            token = stack.sign_in()
            before = read_messages(stack, token)
            said, began = list(prober.accepted), time.monotonic()
            stack.compose("run", "--rm", "ops", "backup", "/backups")
            seconds = time.monotonic() - began
            assert len(prober.accepted) > len(said), "the load went on during the backup"
            assert replay.running
        assert replay.finish()["proven"]
    finally:
        replay.abandon()
    (backup,) = Path(stack.environment["FOYER_BACKUPS"]).glob("*.tar.gz")
    other = ComposeStack(f"{stack.name}-restored", {"FOYER_ADMIN_PASSWORD": stack.admin_password})
    with running(other):
        shutil.copy(backup, other.environment["FOYER_BACKUPS"])
        other.compose("stop", "balancer", "gateway", *SERVICES)
        began = time.monotonic()
        # The first administrator is there already, so the databases are not quite empty.
        other.compose("run", "--rm", "ops", "restore", f"/backups/{backup.name}", "--replace", "--yes")
        restored = time.monotonic() - began
        other.up()
        after = read_messages(other, other.sign_in())
        texts = {message["text"] for message in after.values()}
        assert set(before) <= set(after)
        assert all(
            after[key]["text"] == message["text"] and after[key]["seq"] == message["seq"] for key, message in before.items()
        )
        assert set(said) <= texts
        with Prober(other.url, other.make_channel("Probe after a restore")) as later:
            wait_until(lambda: len(later.accepted) >= 3, 30, what="the restored stack at work")
    record(
        "backup",
        {
            "messages_before": len(before),
            "backup_seconds": round(seconds, 1),
            "restore_seconds": round(restored, 1),
            "bytes": backup.stat().st_size,
        },
    )


def test_damaged_backup_changes_nothing(stack: ComposeStack) -> None:
    folder = Path(stack.environment["FOYER_BACKUPS"])
    (folder / "damaged.tar.gz").write_bytes(b"\x1f\x8b not a backup")
    token = stack.sign_in()
    agents = stack.ask("GET", "/v1/agents", token=token)
    with pytest.raises(AssertionError, match="ended with"):
        stack.compose("run", "--rm", "ops", "restore", "/backups/damaged.tar.gz", "--replace", "--yes")
    assert stack.ask("GET", "/v1/agents", token=token) == agents
    assert '"status":"ok"' in stack.exec(stack.containers("gateway")[0], "python", "-m", "gateway.probe")
