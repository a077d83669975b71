"""How refresh tokens rotate, and when a session is taken for stolen."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.presence.sessions import REUSE_GRACE, SESSION_LIFE, is_usable, new_session, rotate
from services.presence.tokens import RefreshToken, digest, new_api_token, new_ticket

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
AGENT = {"_id": "a1", "active": True, "credentials_version": 1}


def begin() -> dict[str, Any]:
    return new_session("s1", agent=AGENT, family_hash="family", token_hash="t0", now=NOW)


def rotated(session: dict[str, Any], presented: str, new: str, seconds: float) -> dict[str, Any]:
    rotation = rotate(session, presented, new, NOW + timedelta(seconds=seconds))
    return session | rotation.fields | {"stolen": rotation.stolen}


def test_token_is_exchanged_for_the_next() -> None:
    session = rotated(begin(), "t0", "t1", 60)
    assert (session["current"], session["stolen"]) == (["t1"], False)
    assert session["expires_at"] == NOW + timedelta(seconds=60) + SESSION_LIFE


def test_session_is_stolen_when_old_token_comes_again_later() -> None:
    session = rotated(rotated(begin(), "t0", "t1", 0), "t0", "t2", REUSE_GRACE.total_seconds())
    assert session["stolen"]
    assert session["revoked_at"] is not None


def test_session_is_stolen_when_older_token_comes_again_soon() -> None:
    session = rotated(rotated(begin(), "t0", "t1", 0), "t1", "t2", 1)
    assert rotated(session, "t0", "t3", 2)["stolen"]


def test_lost_answer_is_made_good_once() -> None:
    # A laptop that slept or changed its network waits for the first answer, then tries again.
    session = rotated(rotated(begin(), "t0", "t1", 0), "t0", "t2", 45)
    assert (session["current"], session["stolen"]) == (["t1", "t2"], False)
    assert rotated(session, "t0", "t3", 46)["stolen"]


def test_either_answer_goes_on_and_the_other_ends_when_both_were_given() -> None:
    session = rotated(rotated(begin(), "t0", "t1", 0), "t0", "t2", 5)
    for used, other in (("t1", "t2"), ("t2", "t1")):
        after = rotated(session, used, "t3", 600)
        assert (after["current"], after["stolen"]) == (["t3"], False)
        assert rotated(after, other, "t4", 601)["stolen"]


def test_session_is_unusable_when_revoked_old_or_of_other_credentials() -> None:
    session = begin()
    assert is_usable(session, AGENT, NOW)
    assert not is_usable(session, AGENT, NOW + SESSION_LIFE)
    assert not is_usable(session | {"revoked_at": NOW}, AGENT, NOW)
    assert not is_usable(session, AGENT | {"active": False}, NOW)
    assert not is_usable(session, AGENT | {"credentials_version": 2}, NOW)


def test_tokens_of_a_session_share_a_family_and_nothing_else() -> None:
    first = RefreshToken.begin()
    second = first.next()
    assert first.family_hash == second.family_hash
    assert first.hash != second.hash
    assert RefreshToken.begin().family_hash != first.family_hash


def test_stored_hashes_reveal_no_secret() -> None:
    token = RefreshToken.begin()
    assert len(token.hash) == len(token.family_hash) == 64
    assert token.hash not in token.text
    assert digest("a") != digest("b")


def test_secrets_are_long_and_recognisable() -> None:
    assert new_api_token().startswith("foyer_")
    assert len({new_ticket() for _ in range(100)}) == 100
    assert all(len(secret) >= 43 for secret in (new_ticket(), new_api_token()))


def test_odd_texts_are_tokens_of_no_family() -> None:
    for text in ("", ".", "a", "a.b.c", "ä.ö"):
        assert len(RefreshToken(text).family_hash) == 64
