"""Makes the demo through the public API: a web channel with the Acme flow, and two agents."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from deploy.local.api import Api, ApiError
from deploy.local.demo import Demo
from deploy.local.errors import RunnerError

CHANNEL = "Acme website"
FLOW = Path(__file__).with_name("acme_flow.json")
# An agent who is there already, with these arguments or with others.
EXISTING = ("EMAIL_TAKEN", "IDEMPOTENCY_KEY_REUSED")


class SignInRefused(RunnerError):
    """The administrator's account has another password than the one known here."""


def seed(api: Api, demo: Demo) -> Demo:
    """Create what is missing and return the demo as it stands. May be repeated after a crash at any point.

    Raises SignInRefused, ApiError, NoAnswer.
    """
    sign_in(api, demo)
    demo = replace(demo, channel_id=_make_channel(api))
    for number, agent in enumerate(demo.agents, 1):
        body = {"name": agent.name, "email": agent.email, "password": agent.password, "role": "agent"}
        try:
            api.call("POST", "/v1/agents", body, key=f"foyer-demo-agent-{number}")
        except ApiError as error:
            if error.code not in EXISTING:
                raise
            demo = demo.without_password(agent.email)
    return demo


def sign_in(api: Api, demo: Demo) -> None:
    """Sign in as the administrator. Raises SignInRefused."""
    try:
        answer = api.call("POST", "/v1/auth/token", {"email": demo.admin.email, "password": demo.admin.password})
    except ApiError as error:
        if error.status != 401:
            raise
        raise SignInRefused(
            f"No demo was made: this database has agents already, and {demo.admin.email} can't sign in with the password known here.",
            "To have it made, start with an administrator's account: FOYER_ADMIN_EMAIL=… FOYER_ADMIN_PASSWORD=… make run",
        ) from None
    api.token = answer["access_token"]


def _make_channel(api: Api) -> str:
    channel = _find_channel(api)
    if channel is None:
        body = {"kind": "web", "name": CHANNEL, "allowed_origins": []}
        channel = api.call("POST", "/v1/channels", body, key="foyer-demo-channel")
    channel_id = str(channel["id"])
    if not channel.get("has_flow"):
        api.call("PUT", f"/v1/channels/{channel_id}/flow", json.loads(FLOW.read_text()))
    return channel_id


def _find_channel(api: Api) -> dict[str, object] | None:
    cursor = ""
    while True:
        page = api.call("GET", f"/v1/channels?limit=100{cursor}")
        for channel in page["items"]:
            if channel["kind"] == "web" and channel["name"] == CHANNEL:
                return dict(channel)
        if not page.get("next_cursor"):
            return None
        cursor = f"&cursor={quote(page['next_cursor'], safe='')}"
