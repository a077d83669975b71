"""A website's signature over its user's id, and the page that tells websites how to make it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.common.errors import Conflict, DomainError, Forbidden, Invalid
from services.common.validation import load
from services.messaging import identity
from services.messaging.channel_schemas import VerifyIdentity

PAGE = (Path(__file__).parents[3] / "docs" / "identity.md").read_text()
SECRET = "5f2b0c9ad1e84c37b6f0a9d2713e58c46b1d7f3a0e92c5584d6a1b7c3f80e925"
# By `printf %s 4711 | openssl dgst -sha256 -hmac "$SECRET"`.
SIGNED = "ef467732e8fee8043e358830fe2da86c1deb6729e0c5580825f016ee36d6c3bc"
ADMIN = {"kind": "agent", "id": "ada", "role": "admin"}


def test_secret_is_another_each_time_and_64_digits() -> None:
    made = {identity.make_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in made)


def test_signature_is_the_hmac_of_the_id_with_the_secrets_text_as_key() -> None:
    assert identity.sign(SECRET, "4711") == SIGNED


@pytest.mark.parametrize("signature", [SIGNED, SIGNED.upper()])
def test_signature_is_good_in_letters_of_either_case(signature: str) -> None:
    identity.check({"identity_secret": SECRET}, "4711", signature)


@pytest.mark.parametrize(
    ("channel", "user_id", "signature"),
    [
        ({"identity_secret": SECRET}, "4712", SIGNED),
        ({"identity_secret": SECRET}, "4711 ", SIGNED),
        ({"identity_secret": SECRET}, "4711", "0" * 64),
        ({"identity_secret": SECRET[::-1]}, "4711", SIGNED),
        ({"identity_secret": None}, "4711", SIGNED),
        ({}, "4711", SIGNED),
        ({}, "4711", identity.sign("", "4711")),
    ],
)
def test_user_is_refused_when_the_signature_is_not_the_channels(channel: dict[str, Any], user_id: str, signature: str) -> None:
    with pytest.raises(Forbidden) as refused:
        identity.check(channel, user_id, signature)
    assert refused.value.error_code == "IDENTITY_NOT_VERIFIED"


@pytest.mark.parametrize(
    ("actor", "kind", "error"),
    [
        (ADMIN | {"role": "agent"}, "web", Forbidden),
        ({"kind": "bot", "id": "b", "role": None}, "web", Forbidden),
        (ADMIN, "messenger", Conflict),
    ],
)
def test_secret_is_admins_and_websites(actor: dict[str, Any], kind: str, error: type[DomainError]) -> None:
    identity.check_may_keep({"kind": "web"}, ADMIN)
    with pytest.raises(error):
        identity.check_may_keep({"kind": kind}, actor)


@pytest.mark.parametrize("user_id", ["4711", "a b", "zoë", "用户", "🦦" * 200, "mia@acme.test"])
def test_id_is_whatever_a_website_calls_its_users(user_id: str) -> None:
    assert load(VerifyIdentity(), {"channel_id": "c", "user_id": user_id, "hash": SIGNED})["user_id"] == user_id


@pytest.mark.parametrize("user_id", ["", "x" * 201, "a\n", "\x00", "a\x7f", "a\x85b", "a\u2028b"])
def test_id_is_refused_when_it_is_not_printable(user_id: str) -> None:
    with pytest.raises(Invalid):
        load(VerifyIdentity(), {"channel_id": "c", "user_id": user_id, "hash": SIGNED})


@pytest.mark.parametrize("signature", ["", SIGNED[1:], SIGNED + "0", "g" * 64, SIGNED + "\n"])
def test_hash_is_refused_when_it_is_not_64_digits(signature: str) -> None:
    with pytest.raises(Invalid):
        load(VerifyIdentity(), {"channel_id": "c", "user_id": "4711", "hash": signature})


def test_hash_that_the_page_shows_how_to_compute_is_good() -> None:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found.group(1), names)  # noqa: S102 - our own page
    compute: Callable[[str, str], str] = names["identity_hash"]
    for user_id in ("4711", "zoë", "用户"):
        identity.check({"identity_secret": SECRET}, user_id, compute(SECRET, user_id))


def test_page_shows_a_worked_example_that_is_right() -> None:
    assert SECRET in PAGE
    assert SIGNED in PAGE
