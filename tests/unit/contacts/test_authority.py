"""The authority rule: who may write what, and what wins."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import Forbidden, Invalid
from services.contacts.domain import (
    MAX_APPLIED,
    MAX_CLEARED,
    MAX_IGNORED,
    NAME_RANK,
    Collected,
    Writer,
    check_note_owner,
    check_ticket_writer,
    decide_collected,
    decide_write,
)
from services.contacts.errors import FieldReadOnly
from tests.unit.contacts.documents import START, contact, moment

KINDS = ("agent", "bot", "channel", "visitor", "system")
names = st.sampled_from(["Ann", "Bea", "Cyd"])


def write(document: dict[str, Any], kind: str, wanted: dict[str, Any], *, custom: bool = True, at: float = 0) -> dict[str, Any]:
    return decide_write(document, wanted, Writer(kind, f"{kind}-1"), moment(at), custom=custom)


@pytest.mark.parametrize(
    ("field", "custom", "writers"),
    [
        ("name", True, {"agent", "bot", "channel"}),
        ("email", True, {"agent", "bot"}),
        ("phone", False, {"agent", "bot"}),
        ("blocked", False, {"agent"}),
        ("topic", True, {"bot"}),
        ("ip", True, {"bot"}),  # a custom field of that name, not the address
        ("ip", False, set()),
        ("fields", False, set()),
        ("version", False, set()),
    ],
)
def test_field_is_written_by_those_it_belongs_to(field: str, custom: bool, writers: set[str]) -> None:
    value: Any = {"name": "Ann", "email": "a@b.test", "phone": "+4930123456", "blocked": True}.get(field, "x")
    for kind in KINDS:
        if kind in writers:
            assert write(contact(), kind, {field: value}, custom=custom)
        else:
            with pytest.raises(FieldReadOnly if kind in ("agent", "bot") else Forbidden):
                write(contact(), kind, {field: value}, custom=custom)


@given(st.lists(st.tuples(st.sampled_from(["agent", "bot", "channel"]), names), max_size=12))
def test_name_is_the_latest_of_the_highest_rank(writes: list[tuple[str, str]]) -> None:
    document = contact()
    for at, (kind, name) in enumerate(writes):
        document |= write(document, kind, {"name": name}, at=at)
    if not writes:
        return
    highest = max(writes, key=lambda one: NAME_RANK[one[0]])[0]
    assert (document["name"], document["name_source"]) == ([name for kind, name in writes if kind == highest][-1], highest)
    assert document["provenance"]["name"]["kind"] == highest
    assert len(document["ignored"]) <= MAX_IGNORED


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "name", "email"]), st.sampled_from(["1", "x@y.test", "Ann", None]), st.integers(1, 4)
        ),
        max_size=8,
        unique_by=lambda one: (one[0], one[2]),
    ),
    st.randoms(),
)
def test_collected_fields_end_the_same_in_whatever_order_and_number_events_arrive(
    collected: list[tuple[str, str | None, int]], random: Any
) -> None:
    def play(deliveries: list[tuple[str, str | None, int]]) -> dict[str, Any]:
        document = contact()
        for field, value, version in deliveries:
            source = Collected(f"{field}-{version}", "conv", version, moment(version))
            document |= decide_collected(document, field, value, source)
        return {part: document[part] for part in ("name", "email", "fields")}

    # A name that can't be one (None) is ignored, so it doesn't count as later either.
    expected = play(sorted(collected, key=lambda one: one[2]))
    shuffled = collected * 2
    random.shuffle(shuffled)
    assert play(shuffled) == expected


def test_nothing_is_decided_when_one_of_several_values_is_wrong() -> None:
    with pytest.raises(Invalid) as refused:
        write(contact(), "bot", {"topic": "x", "email": "no", "9": 1})
    assert set(refused.value.data["errors"]) == {"email", "9"}


def test_every_value_says_who_set_it_and_when() -> None:
    document = contact()
    document |= write(document, "bot", {"topic": "x", "email": "a@b.test"}, at=1)
    document |= write(document, "agent", {"email": "c@d.test"}, at=2)
    assert document["provenance"]["custom"]["topic"] == {"kind": "bot", "id": "bot-1", "name": None, "at": moment(1)}
    assert document["provenance"]["email"] == {"kind": "agent", "id": "agent-1", "name": None, "at": moment(2)}
    assert document["provenance"]["name"] == {"kind": "system", "id": None, "name": None, "at": START}


def test_agent_makes_the_bots_name_its_own_when_it_writes_the_same() -> None:
    document = contact()
    document |= write(document, "bot", {"name": "Ann"})
    document |= write(document, "agent", {"name": "Ann"})
    assert document["name_source"] == "agent"


@pytest.mark.parametrize(
    ("limit", "grow"),
    [
        (MAX_IGNORED, lambda d, n: write(d | {"name_source": "agent"}, "bot", {"name": f"n{n}"})),
        (MAX_APPLIED, lambda d, n: decide_collected(d, "a", n, Collected(f"e{n}", "c", n, moment(n)))),
    ],
)
def test_bookkeeping_is_bounded(limit: int, grow: Callable[[dict[str, Any], int], dict[str, Any]]) -> None:
    document = contact()
    for number in range(limit + 30):
        document |= grow(document, number)
    assert max(len(document["ignored"]), len(document["applied"])) == limit


def test_cleared_fields_are_forgotten_when_there_were_many() -> None:
    document = contact()
    for number in range(MAX_CLEARED + 20):
        document |= write(document, "bot", {f"f{number}": 1}, at=number)
        document |= write(document, "bot", {f"f{number}": None}, at=number)
    assert document["fields"] == {}
    assert len(document["provenance"]["custom"]) == MAX_CLEARED


def test_long_or_odd_values_are_recorded_short_when_they_are_ignored() -> None:
    changes = decide_collected(contact(), "email", "x" * 9000, Collected("e", "c", 1, START))
    assert len(changes["ignored"][0]["value"]) == 2000


def test_phone_is_read_as_one_of_the_contacts_country() -> None:
    assert write(contact(country={"code": "DE", "name": "Germany"}), "bot", {"phone": "030 123456"})["phone"] == "+4930123456"


def test_note_is_its_authors_and_with_leave_an_admins() -> None:
    note = {"author": {"kind": "agent", "id": "ann"}}
    ann, ben, ada = (
        {"kind": "agent", "id": who, "role": role} for who, role in (("ann", "agent"), ("ben", "agent"), ("ada", "admin"))
    )
    check_note_owner(note, ann, admins=False)
    check_note_owner(note, ada, admins=True)
    for actor, admins in ((ada, False), (ben, True), ({"kind": "bot", "id": "ann", "role": None}, True)):
        with pytest.raises(Forbidden):
            check_note_owner(note, actor, admins=admins)


@pytest.mark.parametrize(("kind", "may"), [("agent", True), ("bot", True), ("visitor", False), ("system", False)])
def test_tickets_are_agents_and_bots(kind: str, may: bool) -> None:
    if may:
        check_ticket_writer({"kind": kind})
    else:
        with pytest.raises(Forbidden):
            check_ticket_writer({"kind": kind})
