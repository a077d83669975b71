from typing import Any

from services.messaging import domain
from services.messaging.erasure import ERASED_NAME, erase_visitor
from services.messaging.known_contacts import is_user, is_whole, keep, may_begin, version_told
from tests.unit.messaging.conversations import ANN, FLOW, at_topic, begun, committed, data, types, visitor_writes

CONTACT: dict[str, Any] = {
    "id": "c1",
    "channel_id": "shop",
    "name": "Teal Otter",
    "name_source": "generated",
    "email": "ann@example.org",
    "phone": None,
    "fields": {"topic": "quote"},
    "blocked": False,
    "country": {"code": "DE", "name": "Germany"},
    "url": {"first": {"url": "https://shop.example/"}, "last": {"url": "https://shop.example/cart"}, "pages": []},
}


def test_nothing_personal_is_left_when_a_visitor_is_erased() -> None:
    turn = erase_visitor(at_topic())
    after = turn.conversation
    assert (after["status"], after["contact"], after["flow"]["fields"]) == ("archived", {"id": "c1", "name": ERASED_NAME}, {})
    assert after["last_message"]["preview"] == ""
    assert after["archived_by"] == {"kind": "system", "id": None, "name": None}
    assert types(turn) == ["conversation_archived"]
    assert "Ann" not in str(data(turn, "conversation_archived"))


def test_last_words_are_shown_by_another_name_when_they_were_the_visitors() -> None:
    hers = committed(domain.agent_writes(begun(), ANN, "Hi", "a1"))
    after = erase_visitor(committed(visitor_writes(hers, FLOW, "I am Ann", None, "m1"))).conversation
    assert after["last_message"]["author"] == {"kind": "visitor", "id": "c1", "name": ERASED_NAME}
    theirs = erase_visitor(hers).conversation["last_message"]
    assert (theirs["author"]["name"], theirs["preview"]) == ("Ann", "")


def test_archived_conversation_keeps_who_archived_it_when_its_visitor_is_erased() -> None:
    turn = erase_visitor(committed(domain.archive(at_topic(), ANN)))
    assert turn.conversation["archived_by"]["id"] == "ann"
    assert types(turn) == ["conversation_updated"]


def test_nothing_happens_when_a_visitor_is_erased_again_or_renamed_late() -> None:
    erased = committed(erase_visitor(at_topic()))
    turn = erase_visitor(erased)
    assert (turn.changes, types(turn)) == ({}, [])
    assert domain.rename_contact(erased, "Ann").changes == {}


def test_flows_know_of_a_contact_what_its_resource_says() -> None:
    assert keep(CONTACT) == {
        "name": "Teal Otter",
        "channel_id": "shop",
        "blocked": False,
        "fields": {"topic": "quote", "email": "ann@example.org"},
        "country": "DE",
        "first_url": "https://shop.example/",
        "last_url": "https://shop.example/cart",
    }
    assert keep(CONTACT | {"name_source": "human"})["fields"]["name"] == "Teal Otter"
    assert keep(CONTACT | {"country": None, "url": None})["last_url"] is None


def test_contact_is_known_whole_only_when_nothing_that_is_kept_is_missing() -> None:
    assert is_whole(CONTACT)
    assert not is_whole({name: value for name, value in CONTACT.items() if name != "country"})


def test_contact_stays_the_user_that_it_is_when_a_caller_knows_nothing_of_users() -> None:
    told = CONTACT | {"version": 3}
    assert "external_id" not in keep(told)
    assert keep(told | {"external_id": "4711"})["external_id"] == "4711"
    # The event of the same version, which says who the user is, still counts as newer.
    assert (version_told(told), version_told(told | {"external_id": None})) == (2, 3)
    assert version_told({"id": "c1", "name": "Teal Otter", "version": 3}) == 2


def test_contact_is_a_user_only_when_its_website_said_so() -> None:
    assert not any(is_user(known) for known in (None, {}, {"external_id": None}, {"erased": True}))
    assert is_user({"external_id": "4711"})


def test_session_may_not_go_on_when_its_contact_became_a_user_meanwhile() -> None:
    user: dict[str, Any] = {"external_id": "4711"}
    assert not may_begin(user, {"external_id": None})
    assert not may_begin(user, {"external_id": "4712"})
    assert may_begin(user, user)
    assert may_begin({}, {"external_id": None})
    assert may_begin(user, {})  # of a gateway that knows nothing of users
