"""Stream tickets and API tokens."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from services.common.errors import DomainError
from services.common.times import now
from tests.service.presence.people import Presence, acting
from tests.support.stack import Stack


def test_ticket_gives_its_subject_once(presence: Presence) -> None:
    subject = {"kind": "agent", "agent_id": "a1", "$odd.key": [1, None]}
    answer = presence.call("create_stream_ticket", subject=subject)
    assert answer["expires_in"] == 30

    def redeem(_: int) -> object:
        try:
            return presence.call("redeem_stream_ticket", ticket=answer["ticket"])
        except DomainError as error:
            return error.error_code

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(redeem, range(4)))
    assert outcomes.count("TOKEN_INVALID") == 3
    assert subject in outcomes


def test_ticket_is_invalid_when_late_or_unknown(presence: Presence, stack: Stack) -> None:
    ticket = presence.call("create_stream_ticket", subject={"late": True})["ticket"]
    # By more than what the service's clock may be behind this one.
    stack.mongo("presence")["stream_tickets"].update_many({}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})
    presence.refusal("TOKEN_INVALID", "redeem_stream_ticket", ticket=ticket)
    presence.refusal("TOKEN_INVALID", "redeem_stream_ticket", ticket="unknown")


def test_api_token_opens_until_it_is_revoked(presence: Presence) -> None:
    token = presence.call("create_api_token", name=" Flow bot ", scopes=["bot", "bot"], actor=presence.admin)
    assert token["token"].startswith("foyer_")
    identity = {"id": token["id"], "name": "Flow bot", "scopes": ["bot"]}
    assert presence.call("verify_api_token", token=token["token"]) == identity
    (listed,) = [item for item in presence.call("list_api_tokens")["items"] if item["id"] == token["id"]]
    assert listed["last_used_at"] is not None
    assert "token" not in listed
    for _ in range(2):
        assert presence.call("revoke_api_token", token_id=token["id"], actor=presence.admin) == {"id": token["id"]}
    presence.refusal("TOKEN_INVALID", "verify_api_token", token=token["token"])
    assert token["id"] not in [item["id"] for item in presence.call("list_api_tokens")["items"]]


def test_use_of_api_token_is_noted_at_most_once_a_minute(presence: Presence, stack: Stack) -> None:
    token = presence.call("create_api_token", name="Bot", scopes=["bot"], actor=presence.admin)
    tokens = stack.mongo("presence")["api_tokens"]
    for age, noted in ((timedelta(seconds=50), False), (timedelta(seconds=70), True)):
        before = now() - age
        tokens.update_one({"_id": token["id"]}, {"$set": {"last_used_at": before}})
        presence.call("verify_api_token", token=token["token"])
        stored = tokens.find_one({"_id": token["id"]}) or {}
        assert (stored["last_used_at"] != before) == noted


def test_api_tokens_are_for_admins_to_make_and_revoke(presence: Presence) -> None:
    actor = acting(presence.make_agent())
    presence.refusal("FORBIDDEN", "create_api_token", name="Bot", scopes=["bot"], actor=actor)
    presence.refusal("FORBIDDEN", "revoke_api_token", token_id="t1", actor=actor)
    presence.refusal("TOKEN_NOT_FOUND", "revoke_api_token", token_id="unknown", actor=presence.admin)
    presence.refusal("TOKEN_INVALID", "verify_api_token", token="foyer_unknown")
