"""What a container that was broken into could do: nothing much. And each ends in order when it is told to."""

import time
from typing import Any

import pytest

from tests.containers.stack import SERVICES, ComposeStack

OURS = (*SERVICES, "gateway", "balancer")
LASTING = (*OURS, "broker", "database")
OUR_USER = 10001

pytestmark = [pytest.mark.containers, pytest.mark.timeout(300)]


def only(stack: ComposeStack, service: str) -> Any:
    return stack.containers(service)[0]


def process_status(stack: ComposeStack, container: Any) -> dict[str, str]:
    """/proc/1/status of a container."""
    lines = stack.exec(container, "cat", "/proc/1/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.mark.parametrize("service", LASTING)
def test_engine_was_told_to_confine_it(stack: ComposeStack, service: str) -> None:
    host = only(stack, service).attrs["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not host["Privileged"]
    assert 0 < host["Memory"] <= 1 << 30
    assert 0 < host["PidsLimit"] <= 1024
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


@pytest.mark.parametrize("service", LASTING)
def test_first_process_is_nobody_with_no_capabilities(stack: ComposeStack, service: str) -> None:
    status = process_status(stack, only(stack, service))
    users = {int(user) for user in status["Uid"].split()}
    assert users == {OUR_USER} if service in OURS else 0 not in users
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


@pytest.mark.parametrize(
    ("service", "folder"),
    [(service, folder) for service in LASTING for folder in ("/", "/usr/local/bin", "/etc")]
    + [(service, "/app") for service in OURS],
)
def test_nothing_can_be_written_into_the_image(stack: ComposeStack, service: str, folder: str) -> None:
    container = only(stack, service)
    for user in ("", "0"):
        status, output = stack.try_exec(container, "sh", "-c", f"touch {folder}/foyer-was-here", user=user)
        assert status != 0
        assert "Read-only file system" in output or "Permission denied" in output


@pytest.mark.parametrize("service", [*SERVICES, "gateway"])
def test_keys_are_its_own_and_readable_by_it_alone(stack: ComposeStack, service: str) -> None:
    container = only(stack, service)
    for line in stack.exec(container, "stat", "-c", "%u %a %n", *keys_of(stack, container)).splitlines():
        owner, mode, _ = line.split()
        assert (int(owner), mode) == (OUR_USER, "400")
    mounted = [mount["Name"] for mount in container.attrs["Mounts"] if mount["Type"] == "volume"]
    assert mounted == [f"{stack.name}_keys-{service}"]
    assert not any(mount["RW"] for mount in container.attrs["Mounts"])


def keys_of(stack: ComposeStack, container: Any) -> list[str]:
    return stack.exec(container, "find", "/run/foyer", "-type", "f").split()


@pytest.mark.parametrize("service", LASTING)
def test_no_secret_stands_in_the_environment(stack: ComposeStack, service: str) -> None:
    container = only(stack, service)
    secrets = {
        stack.exec(only(stack, each), "cat", path).strip() for each in SERVICES for path in keys_of(stack, only(stack, each))
    }
    told = container.attrs["Config"]["Env"] + container.attrs["Args"]
    assert not [word for word in told for secret in secrets if secret in word]


@pytest.mark.parametrize("service", ["balancer", "gateway", *SERVICES, "broker", "database"])
def test_ends_in_time_and_in_order_when_told_to(stack: ComposeStack, service: str) -> None:
    container = only(stack, service)
    grace = float(container.attrs["Config"]["StopTimeout"])
    began = time.monotonic()
    container.stop()
    took = time.monotonic() - began
    container.reload()
    state = container.attrs["State"]
    container.start()
    stack.wait_healthy(120)
    # Whoever doesn't end in time is killed, and that shows as 137.
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False), f"after {took:.1f} of {grace:g} s"
