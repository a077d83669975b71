"""From nothing to a whole, healthy stack, and dialogues proven through the balancer."""

import time
from typing import Any

import pytest

from tests.containers.recording import record
from tests.containers.stack import SERVICES, ComposeStack

ONE_SHOTS = ("keys", "broker-setup", "database-setup")

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def test_replay_is_proven_when_the_stack_comes_from_nothing(stack: ComposeStack) -> None:
    before = time.monotonic()
    shown = stack.replay()
    record("story", {"up_seconds": round(stack.up_seconds, 1), "replay_seconds": round(time.monotonic() - before, 1)})
    assert "Every transcript equals its input" in shown
    for target in (*SERVICES, "gateway", "ops", "balancer"):
        record("image", {"image": target} | sizes(stack, target))


def test_everything_is_healthy_and_one_shots_have_ended_well(stack: ComposeStack) -> None:
    stack.wait_healthy(5)
    ended = {
        one.labels["com.docker.compose.service"]: one.attrs["State"]["ExitCode"]
        for one in stack.containers()
        if one.status == "exited"
    }
    assert ended == dict.fromkeys(ONE_SHOTS, 0)


def test_starting_again_changes_nothing(stack: ComposeStack) -> None:
    before = {one.name: one.id for one in stack.containers()}
    password = stack.admin_password
    stack.up()
    assert {one.name: one.id for one in stack.containers()} == before
    assert stack.admin_password == password


def sizes(stack: ComposeStack, target: str) -> dict[str, Any]:
    """Of an image: the bytes in all, on top of its base, and of its own alone."""
    image = stack.engine.images.get(f"foyer/{target}:{stack.environment['FOYER_VERSION']}")
    base = stack.engine.images.get("python:3.11-slim-bookworm")
    other = stack.engine.images.get(
        f"foyer/{'contacts' if target != 'contacts' else 'presence'}:{stack.environment['FOYER_VERSION']}"
    )
    shared = set(image.attrs["RootFS"]["Layers"]) & set(other.attrs["RootFS"]["Layers"])
    history = [layer["Size"] for layer in reversed(image.history()) if layer["Size"]]
    return {
        "bytes": image.attrs["Size"],
        "over_base": image.attrs["Size"] - base.attrs["Size"],
        "layers": len(image.attrs["RootFS"]["Layers"]),
        "layers_shared": len(shared),
        "own": history[-1],
    }
