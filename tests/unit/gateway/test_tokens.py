import time
from typing import Any

import jwt
import pytest

from gateway.tokens import Signer
from services.common.errors import Unauthenticated
from tests.unit.gateway.kit import AGENT, KEY

SIGNER = Signer(KEY, access_token_seconds=900, visitor_token_seconds=86_400)


def code_of(token: str) -> str:
    with pytest.raises(Unauthenticated) as raised:
        SIGNER.read(token)
    return raised.value.error_code


def forge(key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    now = int(time.time())
    claims = {"sub": "ada", "name": "Ada", "role": "agent", "sid": "s", "typ": "agent", "iat": now, "exp": now + 3600} | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm)


def test_agent_token_says_who_and_how_long() -> None:
    claims = SIGNER.read(SIGNER.issue_access_token(AGENT, "session"))
    assert {name: claims[name] for name in ("sub", "name", "role", "sid", "typ")} == {
        "sub": "ada",
        "name": "Ada",
        "role": "agent",
        "sid": "session",
        "typ": "agent",
    }
    assert claims["exp"] - claims["iat"] == 900


def test_visitor_token_says_whose_and_where() -> None:
    claims = SIGNER.read(SIGNER.issue_visitor_token("c1", "shop"))
    assert (claims["sub"], claims["channel"], claims["typ"]) == ("c1", "shop", "visitor")
    assert "user" not in claims
    assert SIGNER.read(SIGNER.issue_visitor_token("c1", "shop", user=True))["user"] is True


def test_visitors_token_is_read_for_its_own_channel_alone() -> None:
    token = SIGNER.issue_visitor_token("c1", "shop")
    assert (SIGNER.read_visitor(token, "shop"), SIGNER.read_visitor(token, "other")) == ("c1", None)
    for other in (SIGNER.issue_access_token(AGENT, "s"), forge(typ="visitor"), "a.b.c", "", None):
        assert SIGNER.read_visitor(other, "shop") is None


@pytest.mark.parametrize("ahead", [2, 3600])
def test_token_is_good_when_it_was_made_by_a_gateway_whose_clock_is_ahead(ahead: int) -> None:
    made = int(time.time()) + ahead
    assert SIGNER.read(forge(iat=made, exp=made + 900))["iat"] == made


def test_token_is_expired_when_its_time_has_passed() -> None:
    assert code_of(forge(exp=int(time.time()) - 1)) == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        forge(key="another-key-that-nobody-can-guess-0123"),
        forge(key=KEY * 2, algorithm="HS512"),
        jwt.encode({"sub": "ada"}, None, algorithm="none"),
        forge(typ="admin"),
        forge(typ=None),
        forge(exp=None),
        forge(sub=None),
        forge(sid=None),
        forge(role=1),
        forge(typ="visitor"),  # without a channel
        SIGNER.issue_access_token(AGENT, "s")[:-2],
    ],
)
def test_token_is_invalid_when_it_is_not_ours(token: str) -> None:
    assert code_of(token) == "TOKEN_INVALID"
