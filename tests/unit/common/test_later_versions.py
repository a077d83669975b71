"""What this version makes of what a later one writes, announces and answers."""

from dataclasses import dataclass

import pytest
from marshmallow import Schema

from gateway.auth import Principal
from services.assignment import news
from services.assignment.schemas import AgentSchema
from services.common.documents import of_known
from services.common.errors import Conflict, DomainError, Invalid, NotFound, RemoteError, Unavailable
from services.common.rpc import serialize_error
from services.common.rpc_client import _remote_error
from services.common.validation import Word, load
from services.messaging.handovers import _outcome

IDS = {"conversation_id": "c", "channel_id": "shop", "contact_id": "v"}
HAND = {"kind": "integration", "id": "zap", "name": "Zap", "scope": {"all": True}}


@dataclass(frozen=True)
class Record:
    id: str
    name: str = "nobody"


class Gone(NotFound):
    code = "THING_NOT_FOUND"


def test_record_is_made_of_what_is_known() -> None:
    assert of_known(Record, {"id": "a", "later": 1}) == Record("a")
    with pytest.raises(TypeError):
        of_known(Record, {"later": 1})


def test_word_is_read_as_its_stand_in_when_only_a_later_version_knows_it() -> None:
    schema = Schema.from_dict({"mood": Word(("glad", "sad"), otherwise="glad")})()
    assert [load(schema, {"mood": word})["mood"] for word in ("sad", "wry")] == ["sad", "glad"]


def test_request_of_a_later_version_is_read_with_the_words_known_here() -> None:
    said = IDS | {"strategy": "skills", "priority": "urgent", "requested_by": HAND, "skills": ["fr"]}
    read = load(news.AssignmentRequested(), said)
    assert (read["strategy"], read["priority"]) == (None, "normal")
    assert read["requested_by"] == {"kind": "integration", "id": "zap", "name": "Zap"}
    assert load(news.AssignmentRequested(), IDS | {"strategy": "random", "priority": "low"})["strategy"] == "random"


@pytest.mark.parametrize("schema", [news.ConversationReturned, news.ByAgent])
def test_who_did_it_may_say_more(schema: type[Schema]) -> None:
    load(schema(), IDS | {"actor": HAND, "agent": {"id": "a", "name": "Ada", "later": 1}})


def test_agent_in_a_later_versions_words_is_read() -> None:
    agent = {"id": "a", "name": "Ada", "role": "supervisor", "connected": True, "availability": "lunch"}
    assert load(AgentSchema(), agent | {"capacity": 4, "active": True, "version": 1, "later": 1})["availability"] == "lunch"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"outcome": "left", "state": "unassigned"}, "left"),
        ({"outcome": "borrowed", "state": "assigned"}, "assigned"),
        ({"outcome": "snoozed", "state": "queued"}, "queued"),
        ({"outcome": "snoozed", "state": "asleep"}, "unassigned"),
    ],
)
def test_outcome_is_read_by_the_state_when_it_is_unknown(said: dict[str, str], read: str) -> None:
    assert _outcome(said) == read


@pytest.mark.parametrize(
    ("error", "general"),
    [
        (Gone("Gone."), "NOT_FOUND"),
        (Conflict("Locked.", code="TICKET_LOCKED"), "CONFLICT"),
        (Invalid("No.", code="INVALID_MOOD"), "VALIDATION_FAILED"),
        (Unavailable("Late."), "SERVICE_UNAVAILABLE"),
        (DomainError("Broken."), "INTERNAL"),
    ],
)
def test_error_carries_its_familys_code(error: DomainError, general: str) -> None:
    carried = _remote_error(serialize_error(error))
    assert (carried.error_code, carried.general) == (error.error_code, general)


def test_error_of_an_earlier_version_carries_none() -> None:
    said = serialize_error(Gone("Gone."))
    del said["general"]
    assert isinstance(_remote_error(said), RemoteError)
    assert _remote_error(said).general == "INTERNAL"


def test_ticket_of_a_later_gateway_is_redeemed() -> None:
    principal = Principal("agent", "ada", "Ada", "agent", session_id="s")
    assert Principal.from_subject(principal.to_subject() | {"device": "phone"}) == principal
