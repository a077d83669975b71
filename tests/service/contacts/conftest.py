"""The contacts service, running, and who calls it."""

from collections.abc import Callable
from typing import Any

import pytest

from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from tests.service.conftest import Service

Call = Callable[..., dict[str, Any]]
Visitor = Callable[..., dict[str, Any]]

ANN = {"kind": "agent", "id": "agent-ann", "name": "Ann", "role": "agent"}
BEN = {"kind": "agent", "id": "agent-ben", "name": "Ben", "role": "agent"}
ADMIN = {"kind": "agent", "id": "agent-adm", "name": "Ada", "role": "admin"}
BOT = {"kind": "bot", "id": "token-1", "name": "Quote bot", "role": None}
VISITOR = {"kind": "visitor", "id": "v", "name": None, "role": None}
SYSTEM = {"kind": "system", "id": None, "name": None, "role": None}

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture(scope="session")
def call(rpc: RpcClient, service: Service) -> Call:
    """`call("get_contact", contact_id=…)` of the contacts service."""
    service("contacts")

    def call(method: str, **kwargs: Any) -> dict[str, Any]:
        result: dict[str, Any] = rpc.call("contacts", method, **kwargs)
        return result

    return call


@pytest.fixture(scope="session")
def visitor(call: Call) -> Visitor:
    """`visitor(ip=…)`: a contact that nobody has met before, after its first visit."""

    def visit(**visit: Any) -> dict[str, Any]:
        return call("open_session", **({"contact_id": new_id(), "channel_id": "channel-1"} | visit))

    return visit
