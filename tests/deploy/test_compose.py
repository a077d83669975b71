"""What the compose files say, without starting them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.ops.containers import PROJECT_VARIABLE

REPOSITORY = Path(__file__).parents[2]
FILES = ("docker-compose.yml", "deploy/compose/production.yml", "deploy/compose/monitoring.yml")
OFFICIAL = re.compile(r"^(rabbitmq|mongo|prom/prometheus|grafana/grafana|foyer/[a-z]+):\$\{")


class Loader(yaml.SafeLoader):
    """YAML with compose's own tags, whose meaning doesn't matter here."""


def construct_override(loader: Loader, node: yaml.SequenceNode) -> list[Any]:
    """A list that replaces another instead of being added to it."""
    return list(loader.construct_sequence(node))


Loader.add_constructor("!override", construct_override)


def load(file: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((REPOSITORY / file).read_text(), Loader)  # noqa: S506 - a safe loader with one more tag
    return found


def services(file: str) -> dict[str, Any]:
    return dict(load(file)["services"])


@pytest.mark.parametrize("file", FILES)
def test_example_names_every_variable(file: str) -> None:
    text = (REPOSITORY / file).read_text()
    asked = set(re.findall(r"\$\{([A-Z][A-Z_]+)", text)) - {"COMPOSE_PROJECT_NAME"}
    for service in services(file).values():
        asked |= {name for name, value in service.get("environment", {}).items() if value is None}
    example = set(re.findall(r"^# ([A-Z][A-Z_]+)=", (REPOSITORY / ".env.example").read_text(), re.MULTILINE))
    assert asked <= example


def test_example_names_no_variable_that_nobody_reads() -> None:
    text = "".join((REPOSITORY / file).read_text() for file in FILES)
    example = set(re.findall(r"^# ([A-Z][A-Z_]+)=", (REPOSITORY / ".env.example").read_text(), re.MULTILINE))
    assert {name for name in example - {"COMPOSE_FILE"} if not re.search(rf"\b{name}\b", text)} == set()


@pytest.mark.parametrize("file", ["docker-compose.yml", "deploy/compose/monitoring.yml"])
def test_every_service_is_confined(file: str) -> None:
    for name, service in services(file).items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["pids_limit"], name
        assert service["mem_limit"], name


def test_only_the_keys_and_the_operator_get_capabilities_back() -> None:
    back = {name: service["cap_add"] for name, service in services("docker-compose.yml").items() if "cap_add" in service}
    assert back == {"keys": ["CHOWN", "DAC_OVERRIDE", "FOWNER"], "ops": ["DAC_OVERRIDE"]}


@pytest.mark.parametrize("file", ["docker-compose.yml", "deploy/compose/production.yml"])
def test_database_ends_forgotten_transactions_also_after_it_was_started_again(file: str) -> None:
    databases = {name: service for name, service in services(file).items() if re.fullmatch(r"database(-\d)?", name)}
    assert databases
    for database in databases.values():
        assert "--setParameter=transactionLifetimeLimitSeconds=5" in database["command"]


def test_operator_sees_the_project_and_the_limits_that_the_services_have() -> None:
    described = services("docker-compose.yml")
    operator = described["ops"]["environment"]
    assert operator[PROJECT_VARIABLE] == "${COMPOSE_PROJECT_NAME:-foyer}"
    assert operator["FOYER_BROKER_API"].endswith(":-http://broker:15672}")
    for name, value in described["broker-setup"]["environment"].items():
        if name.startswith(("FOYER_STREAM", "FOYER_QUEUE")):
            assert (name, operator.get(name, "not handed on")) == (name, value)


def test_lasting_services_restart_and_say_how_they_are() -> None:
    for name, service in services("docker-compose.yml").items():
        if name in {"keys", "broker-setup", "database-setup", "ops"}:
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] == "CMD", name


@pytest.mark.parametrize("file", FILES)
def test_images_are_official_or_ours_and_never_the_latest(file: str) -> None:
    for name, service in services(file).items():
        image = service.get("image")
        if image is not None:
            assert OFFICIAL.match(image), name
            assert "latest" not in image
        assert not {"container_name", "links", "privileged"} & set(service), name


def test_publishing_is_on_loopback_by_default() -> None:
    published = {name: service["ports"] for file in FILES for name, service in services(file).items() if "ports" in service}
    assert set(published) == {"balancer", "prometheus", "grafana"}
    for ports in published.values():
        assert all(port.startswith(("127.0.0.1:", "${FOYER_BIND:-127.0.0.1}:")) for port in ports)


def test_commands_of_images_pass_signals_on() -> None:
    text = (REPOSITORY / "deploy/Dockerfile").read_text()
    assert "# syntax" not in text
    commands = re.findall(r"^(?:CMD|ENTRYPOINT) (.*)$", text, re.MULTILINE)
    assert len(commands) == 7
    assert all(command.startswith("[") for command in commands)
