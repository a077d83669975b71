"""Which containers are as they should be, for the doctor, `status` and `drain`."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.ops import drain
from deploy.ops.containers import Found, Project, judge_containers
from deploy.ops.doctor.findings import Findings
from deploy.ops.doctor.host import check_containers
from deploy.ops.errors import FINE, WRONG

SERVICES = ("messaging", "presence", "assignment", "contacts", "gateway", "balancer")
RUNNING = Found("", "", "running", "healthy", 0, "image", 0, "unless-stopped")


def container(found: Found) -> Any:
    """As the engine's client shows it."""
    state = {"Status": found.state, "ExitCode": found.exit_code, "Health": {"Status": found.health}}
    policy = {"RestartPolicy": {"Name": found.restart_policy}}
    labels = {"com.docker.compose.service": found.service, "com.docker.compose.project": "foyer"}
    attrs = {"State": state, "Config": {"Image": found.image}, "HostConfig": policy, "Created": found.name}
    return SimpleNamespace(name=found.name, id=found.name, short_id=found.name, labels=labels, attrs=attrs, status=found.state)


class Engine:
    """Lists what it is told to."""

    def __init__(self, *found: Found) -> None:
        self.listed = [container(each) for each in found]
        self.containers = self

    def list(self, *, filters: dict[str, list[str]], **_: object) -> list[Any]:
        wanted = [text.split("=")[1] for text in filters["label"] if "service=" in text]
        return [each for each in self.listed if not wanted or each.labels["com.docker.compose.service"] in wanted]


def stack(**changes: Found | None) -> list[Found]:
    """A running stack with its finished jobs, with some containers otherwise, or gone."""
    found = {service: replace(RUNNING, name=f"{service}-1", service=service) for service in SERVICES}
    found["keys"] = Found("keys-1", "keys", "exited", None, 0, "image", 0, "no")
    return [each for each in (found | changes).values() if each is not None]


def stopped(service: str, name: str = "", *, code: int = 0, policy: str = "unless-stopped") -> Found:
    return Found(name or f"{service}-1", service, "exited", "unhealthy", 0, "image", code, policy)


def visit(found: list[Found]) -> Findings:
    findings = Findings()
    check_containers(findings, Project(Engine(*found), "foyer"), "")
    return findings


def test_running_stack_with_finished_jobs_is_well() -> None:
    assert [line.level for line in visit(stack()).lines] == ["ok"]
    assert judge_containers(stack()) == []


@pytest.mark.parametrize("service", ["gateway", "balancer", "messaging"])
def test_service_without_a_running_container_is_bad_however_well_it_ended(service: str) -> None:
    found = stack(**{service: stopped(service)})
    assert [line.text for line in visit(found).of("bad")] == [f"no container of {service} runs"]
    assert judge_containers(found) == [f"No container of {service} runs."]


def test_gateway_is_missed_when_its_container_was_removed() -> None:
    assert judge_containers(stack(gateway=None)) == ["No container of gateway runs."]


def test_drained_container_is_no_fault_while_others_serve() -> None:
    found = stack(second=stopped("messaging", "messaging-2"))
    findings = visit(found)
    assert [line.text for line in findings.of("warn")] == ["messaging-2 is stopped; others of messaging run"]
    assert not list(findings.of("bad"))
    assert judge_containers(found) == []


@pytest.mark.parametrize("policy", ["no", "unless-stopped"])
def test_container_that_ended_with_a_failure_is_bad(policy: str) -> None:
    found = stack(second=stopped("messaging", "messaging-2", code=137, policy=policy))
    assert [line.text for line in visit(found).of("bad")] == ["messaging-2 is exited (exit code 137)"]
    assert judge_containers(found) == ["The container messaging-2 is exited (exit code 137)."]


@pytest.mark.parametrize(("force", "status"), [(False, WRONG), (True, FINE)])
def test_drain_is_no_success_when_the_other_went_meanwhile(force: bool, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Engine(*stack(second=replace(RUNNING, name="messaging-2", service="messaging")))
    first, second = (each for each in engine.listed if each.name.startswith("messaging"))

    def stop(*, timeout: int) -> None:
        for each in (first, second):
            each.status = each.attrs["State"]["Status"] = "exited"

    second.stop, second.reload = stop, lambda: None
    options = SimpleNamespace(target="messaging-2", force=force)
    assert drain.drain_one(Project(engine, "foyer"), options) == status  # type: ignore[arg-type]
    assert "Nothing serves messaging now." in capsys.readouterr().out
