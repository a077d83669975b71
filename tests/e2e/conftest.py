"""The whole product, once for all tests that break nothing."""

from typing import Any

import pytest

from tests.support import parts
from tests.support.facebook import running_facebook
from tests.support.product import Gateway
from tests.unit.messaging.flows import ACME

facebook = pytest.fixture(running_facebook, scope="session")
product = pytest.fixture(parts.open_product, scope="session")
gateway = pytest.fixture(parts.gateway, scope="session")
admin = pytest.fixture(parts.admin, scope="session")
streams_end = pytest.fixture(parts.streams_end, scope="module", autouse=True)


def make_channel(gateway: Gateway, admin: str, **values: object) -> str:
    """A web channel with the Acme flow."""
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"} | values, token=admin)
    gateway.ask("PUT", f"/v1/channels/{channel['id']}/flow", ACME, token=admin)
    return str(channel["id"])


def make_desk(gateway: Gateway, admin: str, *, hours: object = None, **block: object) -> str:
    """A web channel whose bot does nothing but ask for an agent, by the block's values; else it says that nobody is there."""
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Desk", "business_hours": hours}, token=admin)
    blocks: dict[str, object] = {"desk": {"type": "assign"} | block}
    if "unavailable" in block:
        blocks |= {str(block["unavailable"]): {"type": "message", "text": "Nobody is there.", "next": None}}
    gateway.ask("PUT", f"/v1/channels/{channel['id']}/flow", {"start": "desk", "blocks": blocks}, token=admin)
    return str(channel["id"])


def simulate(gateway: Gateway, admin: str, channel_id: str, **wishes: object) -> dict[str, Any]:
    """Who would get a conversation of the channel now."""
    answer: dict[str, Any] = gateway.ask("POST", "/v1/assignment/simulate", {"channel_id": channel_id} | wishes, token=admin)
    return answer


def decisions(gateway: Gateway, admin: str, conversation_id: str) -> list[dict[str, Any]]:
    """Those about a conversation, newest first."""
    found: list[dict[str, Any]] = gateway.ask("GET", f"/v1/conversations/{conversation_id}/assignments", token=admin)["items"]
    return found


def candidate(decision: dict[str, Any], agent_id: str) -> dict[str, Any]:
    """How an agent stood when it was decided; nothing if the agent was not looked at."""
    return next((found for found in decision["candidates"] if found["agent_id"] == agent_id), {})


@pytest.fixture(scope="session")
def channel_id(gateway: Gateway, admin: str) -> str:
    return make_channel(gateway, admin)
