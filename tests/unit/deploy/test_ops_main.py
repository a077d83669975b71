"""The operator's command says nothing of what it was given in confidence, whatever happens."""

from typing import Any

import pytest

from deploy.ops import __main__ as command
from deploy.ops import status
from deploy.ops.doctor.command import examine

SECRET = "Sup3rSecretPart"
HEALTHY = {"AMQP_URI": "amqp://127.0.0.1:1/", "MONGODB_URI": "mongodb://127.0.0.1:1/", "DOCKER_HOST": "unix:///nowhere"}


@pytest.mark.parametrize(
    "uri",
    [f"amqp://operator:{SECRET}/rest@127.0.0.1:1/foyer", f"amqp://operator:{SECRET}?@127.0.0.1:1/", f"amqp://operator:{SECRET}"],
)
@pytest.mark.parametrize("noun", ["status", "doctor", "backup"])
def test_broker_address_with_an_unescaped_password_is_named_without_any_part_of_it(
    uri: str, noun: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    for name, value in (HEALTHY | {"AMQP_URI": uri}).items():
        monkeypatch.setenv(name, value)
    assert command.main([noun, *([str(tmp_path)] if noun == "backup" else [])]) in (1, 2)
    said = "".join(capsys.readouterr())
    assert "AMQP_URI" in said
    assert SECRET not in said
    assert "rest" not in said.replace("restore", "")
    assert "Traceback" not in said


@pytest.mark.parametrize("uri", [f"mongodb://operator:{SECRET}/rest@127.0.0.1:1/admin", f"mongodb://o:{SECRET}@x/rest@y:1/admin"])
def test_database_address_with_an_unescaped_password_is_named_without_any_part_of_it(uri: str) -> None:
    findings = examine(HEALTHY | {"MONGODB_URI": uri}, None)
    bad = [line.text + line.remedy for line in findings.of("bad")]
    assert any("MONGODB_URI" in each for each in bad)
    assert not [each for each in bad if SECRET in each or "rest@" in each]


def test_doctor_shows_nothing_of_further_brokers() -> None:
    uri = f"amqp://a:b@127.0.0.1:1/foyer;amqp://operator:{SECRET}@127.0.0.1:2/foyer"
    said = [line.text + line.remedy for line in examine(HEALTHY | {"AMQP_URI": uri}, None).lines]
    assert any("127.0.0.1:1 is not reachable" in each for each in said)
    assert not [each for each in said if SECRET in each]


def test_port_beyond_all_ports_is_said_when_the_doctor_looks() -> None:
    bad = [line.text for line in examine(HEALTHY | {"AMQP_URI": "amqp://a:b@127.0.0.1:99999/"}, None).of("bad")]
    assert "AMQP_URI has a port that there can't be" in bad


def test_unexpected_error_is_shown_by_type_and_place_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> dict[str, Any]:
        raise ValueError(f"could not cast {SECRET!r}")

    for name, value in HEALTHY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(status, "gather", fail)
    assert command.main(["status"]) == 2
    said = capsys.readouterr().err
    assert "unexpected ValueError" in said
    assert "deploy/ops/status.py:" in said
    assert SECRET not in said
