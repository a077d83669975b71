"""The command's refusals: one clear sentence and status 2, before anything is changed."""

import threading
from pathlib import Path

import pytest

from deploy.replay.command import NOT_PROVEN, UNUSABLE, run_command
from deploy.replay.credentials import find_admin
from deploy.replay.errors import Unusable
from deploy.replay.flow import build_flow
from deploy.replay.persona import invent_persona
from tests.unit.replay.scripted import Reply, serve

ADMIN = ["--admin-email", "admin@example.com", "--admin-password", "pw"]


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str, stopped: bool = False) -> str:
    stop = threading.Event()
    if stopped:
        stop.set()
    assert run_command(arguments, stop) == (NOT_PROVEN if stopped else UNUSABLE)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_command_refuses_when_the_file_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "No such file" in refusal(capsys, "--dialogues", str(tmp_path / "none"), *ADMIN)


def test_command_refuses_when_the_report_has_no_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "its folder does not exist" in refusal(capsys, "--json", str(tmp_path / "none" / "report.json"), *ADMIN)


def test_command_refuses_when_no_gateway_answers(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(Reply()) as server:
        url = server.url
    assert "Connection refused" in refusal(capsys, "--url", url, "--timeout", "0.2", *ADMIN)


def test_command_refuses_when_the_admin_is_not_signed_in(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(Reply(401, b'{"code": "INVALID_CREDENTIALS"}')) as server:
        assert "401 INVALID_CREDENTIALS" in refusal(capsys, "--url", server.url, *ADMIN)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"", b"7"])
def test_command_refuses_when_the_server_is_no_gateway(capsys: pytest.CaptureFixture[str], body: bytes) -> None:
    with serve(Reply(200, body)) as server:
        assert "200 NO_TOKENS" in refusal(capsys, "--url", server.url, *ADMIN)


def test_command_refuses_when_the_account_may_not_create_agents(capsys: pytest.CaptureFixture[str]) -> None:
    signed_in = Reply(200, b'{"access_token": "a", "refresh_token": "r", "agent": {}}')
    with serve(signed_in, Reply(403, b'{"code": "FORBIDDEN"}')) as server:
        assert "can't be set up: 403 FORBIDDEN" in refusal(capsys, "--url", server.url, *ADMIN)


def test_command_says_so_when_it_is_interrupted_before_it_began(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(Reply(503)) as server:
        assert "Interrupted" in refusal(capsys, "--url", server.url, *ADMIN, stopped=True)


@pytest.mark.parametrize(
    "arguments",
    [["--agents", "0"], ["--concurrency", "many"], ["--timeout", "-1"], ["--timeout", "nan"], ["--url", "localhost:8000"]],
)
def test_command_exits_when_an_argument_is_senseless(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        run_command(arguments, threading.Event())
    assert raised.value.code == UNUSABLE


def test_admin_is_found_when_arguments_environment_or_the_runner_name_one(tmp_path: Path) -> None:
    environment = {"FOYER_ADMIN_EMAIL": "env@example.com", "FOYER_ADMIN_PASSWORD": "env", "FOYER_DATA": str(tmp_path)}
    (tmp_path / "demo.env").write_text("FOYER_ADMIN_EMAIL=kept@example.com\nFOYER_ADMIN_PASSWORD=kept\n")
    assert find_admin("arg@example.com", "arg", environment) == ("arg@example.com", "arg")
    assert find_admin(None, None, environment) == ("env@example.com", "env")
    assert find_admin(None, None, {"FOYER_DATA": str(tmp_path)}) == ("kept@example.com", "kept")
    assert find_admin("kept@example.com", None, {"FOYER_DATA": str(tmp_path)}) == ("kept@example.com", "kept")
    with pytest.raises(Unusable, match=r"The password of other@example.com is missing"):
        find_admin("other@example.com", None, {"FOYER_DATA": str(tmp_path)})


@pytest.mark.parametrize("content", ["", "FOYER_ADMIN_EMAIL=kept@example.com\n", "nonsense"])
def test_admin_is_not_found_when_the_kept_file_does_not_name_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "demo.env").write_text(content)
    with pytest.raises(Unusable, match="No admin account"):
        find_admin(None, None, {"FOYER_DATA": str(tmp_path)})


def test_admin_is_not_found_when_the_kept_file_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "demo.env").write_text("FOYER_ADMIN_EMAIL='unclosed")
    with pytest.raises(Unusable, match="can't be read"):
        find_admin(None, None, {"FOYER_DATA": str(tmp_path)})


def test_personas_share_no_address_email_or_page_when_there_are_many() -> None:
    personas = [invent_persona(number, f"d/{number}") for number in range(2_000)]
    for distinct in ("address", "email", "url"):
        assert len({getattr(persona, distinct) for persona in personas}) == len(personas)


def test_flow_assigns_only_to_its_own_agents_when_others_are_signed_in() -> None:
    assert build_flow(["a1", "a2"])["blocks"]["handover"]["agents"] == ["a1", "a2"]
