"""The demo: its file, its making through the API, and the banner that shows it."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.local.api import Api, ApiError
from deploy.local.banner import banner
from deploy.local.demo import Demo, load_variables, save_variables
from deploy.local.seed import CHANNEL, SignInRefused, seed

SHELL = shutil.which("sh") or "/bin/sh"


class FakeGateway(Api):
    """The few calls that the demo needs, by the contract: idempotency keys, unique e-mail addresses."""

    def __init__(self, channels: list[dict[str, Any]] | None = None, emails: set[str] | None = None) -> None:
        super().__init__("http://gateway")
        self.channels = channels if channels is not None else []
        self.emails = emails if emails is not None else set()
        self.calls: list[str] = []
        self.refuse_sign_in = False
        self.fail_at = ""

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        call = f"{method} {path}"
        self.calls.append(call)
        if call == self.fail_at:
            raise ApiError(call, 500, "INTERNAL", "")
        if call == "POST /v1/auth/token":
            if self.refuse_sign_in:
                raise ApiError(call, 401, "INVALID_CREDENTIALS", "")
            return {"access_token": "token"}
        assert self.token == "token"
        if call.startswith("GET /v1/channels"):
            return {"items": self.channels, "next_cursor": None}
        if call == "POST /v1/channels":
            known = [channel for channel in self.channels if channel["id"] == key]
            if not known:
                self.channels.append({"id": key, "kind": body["kind"], "name": body["name"], "has_flow": False})
            return (known or self.channels)[-1]
        if method == "PUT":
            assert body["blocks"][body["start"]]["type"] == "message"
            next(channel for channel in self.channels if channel["id"] in path)["has_flow"] = True
            return self.channels[-1]
        assert call == "POST /v1/agents"
        if body["email"] in self.emails:
            raise ApiError(call, 409, "EMAIL_TAKEN", "")
        self.emails.add(body["email"])
        return {"id": key}


@pytest.fixture
def demo() -> Demo:
    return Demo.recall({}, admin_email="admin@foyer.localhost", admin_password=None).with_passwords()


def show(demo: Demo, *, first_run: bool = True) -> str:
    return banner(
        url="http://127.0.0.1:8000",
        demo=demo,
        demo_file=Path("/srv/my foyer/.foyer/demo.env"),
        repository=Path("/srv/my foyer"),
        log_dir=Path("/srv/my foyer/.foyer/logs"),
        first_run=first_run,
        seconds=12.3,
    )


def test_passwords_stay_the_same_when_a_crash_came_before_the_end(tmp_path: Path, demo: Demo) -> None:
    save_variables(tmp_path / "demo.env", demo.variables("http://x", keep_admin=True))
    again = Demo.recall(load_variables(tmp_path / "demo.env"), admin_email=demo.admin.email, admin_password=None)
    assert again.with_passwords() == demo
    assert (tmp_path / "demo.env").stat().st_mode & 0o777 == 0o600


def test_operators_own_password_is_used_and_never_written_when_given(tmp_path: Path) -> None:
    demo = Demo.recall({}, admin_email="me@example.com", admin_password="my own").with_passwords()
    assert demo.admin.password == "my own"
    assert "my own" not in demo.variables("http://x", keep_admin=False).values()


def test_shell_reads_the_file_when_sourced(tmp_path: Path) -> None:
    values = {"FOYER_URL": "http://x", "FOYER_ADMIN_PASSWORD": "a 'quoted' $HOME `id`"}
    save_variables(tmp_path / "demo.env", values)
    assert load_variables(tmp_path / "demo.env") == values
    script = f'. {tmp_path}/demo.env; printf %s "$FOYER_ADMIN_PASSWORD"'
    assert (
        subprocess.run([SHELL, "-c", script], capture_output=True, text=True, check=True).stdout == values["FOYER_ADMIN_PASSWORD"]
    )


def test_channel_flow_and_agents_are_made_when_the_database_is_empty(demo: Demo) -> None:
    gateway = FakeGateway()
    made = seed(gateway, demo)
    assert made.channel_id == gateway.channels[0]["id"]
    assert gateway.channels[0]["has_flow"]
    assert gateway.emails == {agent.email for agent in demo.agents}
    assert made.agents == demo.agents


@pytest.mark.parametrize("crash", ["POST /v1/channels", "PUT /v1/channels/foyer-demo-channel/flow", "POST /v1/agents"])
def test_nothing_is_doubled_when_it_is_repeated_after_a_failure(demo: Demo, crash: str) -> None:
    gateway = FakeGateway()
    gateway.fail_at = crash
    with pytest.raises(ApiError):
        seed(gateway, demo)
    gateway.fail_at = ""
    seed(gateway, demo)
    assert len(gateway.channels) == 1
    assert gateway.channels[0]["has_flow"]
    assert len(gateway.emails) == 2


def test_existing_channel_and_agent_are_used_as_they_are_when_found(demo: Demo) -> None:
    channel = {"id": "c1", "kind": "web", "name": CHANNEL, "has_flow": True}
    gateway = FakeGateway([channel], {demo.agents[0].email})
    made = seed(gateway, demo)
    assert made.channel_id == "c1"
    assert made.agents[0].password is None
    assert made.agents[1].password is not None
    assert not any(call.startswith(("PUT", "POST /v1/channels")) for call in gateway.calls)


def test_remedy_is_given_when_the_administrator_cannot_sign_in(demo: Demo) -> None:
    gateway = FakeGateway()
    gateway.refuse_sign_in = True
    with pytest.raises(SignInRefused, match="has agents already") as refusal:
        seed(gateway, demo)
    assert "FOYER_ADMIN_PASSWORD" in refusal.value.remedy
    assert gateway.calls == ["POST /v1/auth/token"]


def test_passwords_are_shown_only_when_it_is_the_first_run(demo: Demo) -> None:
    demo = replace(demo, channel_id="c1")
    passwords = [account.password or "" for account in (demo.admin, *demo.agents)]
    assert all(password in show(demo) for password in passwords)
    assert not any(password in show(demo, first_run=False) for password in passwords)


def test_no_commands_are_shown_when_there_is_no_demo(demo: Demo) -> None:
    text = show(demo)
    assert "curl" not in text
    assert "http://127.0.0.1:8000/docs" in text
    assert "/demo" not in text


def test_pages_are_named_when_there_is_a_demo(demo: Demo) -> None:
    text = show(replace(demo, channel_id="c1"), first_run=False)
    assert "http://127.0.0.1:8000/console/\n" in text
    assert "http://127.0.0.1:8000/demo?channel=c1\n" in text


def test_commands_parse_when_the_folder_has_a_space(demo: Demo) -> None:
    text = show(replace(demo, channel_id="c1"))
    commands = [
        line
        for line in text.splitlines()
        if line.startswith((".", "JSON=", "VISITOR=", "AGENT=", "CONVERSATION=", "curl", "say", "kill", "make"))
    ]
    assert len(commands) == 17
    assert ". '/srv/my foyer/.foyer/demo.env'" in commands
    subprocess.run([SHELL, "-n"], input="\n".join(commands), text=True, check=True)
