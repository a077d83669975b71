"""What is left of an erased contact, and the records that are made for one that is there."""

from typing import Any

import pytest

from services.common.errors import Forbidden
from services.contacts.erasure import check_may_erase, is_erased, tombstone
from services.contacts.records import MAX_SUBJECT, NO_SUBJECT, new_comment, new_ticket, new_wanted_ticket
from tests.unit.contacts.documents import START, contact, moment

ANN = {"kind": "agent", "id": "ann", "name": "Ann", "role": "agent"}


@pytest.mark.parametrize(
    ("kind", "role", "may"),
    [
        ("agent", "admin", True),
        ("agent", "agent", False),
        ("bot", None, False),
        ("visitor", None, False),
        ("system", None, False),
    ],
)
def test_contacts_are_erased_by_admins_alone(kind: str, role: str | None, may: bool) -> None:
    actor = {"kind": kind, "id": "x", "name": "X", "role": role}
    if may:
        check_may_erase(actor)
    else:
        with pytest.raises(Forbidden):
            check_may_erase(actor)


def test_tombstone_has_ids_counts_and_times_whatever_else_was_there() -> None:
    document = contact(records=3, history=[{"value": "Zoe"}], something_new="personal")
    gained, lost = tombstone(document, ANN | {"role": "admin"}, moment(9))
    left = {part: value for part, value in (document | gained).items() if part not in lost}
    assert left == {
        "_id": "contact-1",
        "channel_id": "channel-1",
        "since": START,
        "records": 3,
        "version": 1,
        "erased_at": moment(9),
        "erased_by": {"kind": "agent", "id": "ann"},
        "erasing": True,
    }
    assert (is_erased(left), is_erased(document)) == (True, False)


def wanted(event_id: str = "e1", **texts: Any) -> dict[str, Any]:
    said = {"subject": "Refund", "description": None} | texts
    return new_wanted_ticket(event_id, contact=contact(), conversation_id="conv-1", at=START, **said)


def test_wanted_ticket_is_the_bots_and_the_same_for_the_same_event() -> None:
    ticket = wanted()
    assert ticket["author"] == {"kind": "bot", "id": None, "name": None}
    assert (ticket["status"], ticket["assignee"], ticket["comment_count"], ticket["channel_id"]) == ("open", None, 0, "channel-1")
    assert ticket["description"] == ""
    assert wanted()["_id"] == ticket["_id"] != wanted("e2")["_id"]


@pytest.mark.parametrize(
    ("subject", "kept"), [("  ", NO_SUBJECT), ("\x00", NO_SUBJECT), ("x" * 900, "x" * MAX_SUBJECT), (" a\x00b ", "ab")]
)
def test_wanted_ticket_has_a_usable_subject_whatever_the_template_made(subject: str, kept: str) -> None:
    assert wanted(subject=subject)["subject"] == kept


def test_repeat_of_a_creation_is_known_by_its_arguments_and_not_by_the_agents_name() -> None:
    def ticket(assignee: dict[str, str] | None) -> dict[str, Any]:
        return new_ticket(
            contact=contact(),
            subject="x",
            description="",
            conversation_id=None,
            assignee=assignee,
            actor=ANN,
            key="k",
            at=START,
        )

    first, renamed, other, nobody = map(
        ticket, ({"id": "ben", "name": "Ben"}, {"id": "ben", "name": "Benjamin"}, {"id": "cy", "name": "Cy"}, None)
    )
    assert first["_id"] == renamed["_id"] == other["_id"]
    assert first["fingerprint"] == renamed["fingerprint"]
    assert len({first["fingerprint"], other["fingerprint"], nobody["fingerprint"]}) == 3
    comments = [new_comment(one, text=" Hm. ", actor=ANN, key="k", at=START) for one in (first, first)]
    assert comments[0] == comments[1]
    assert (comments[0]["text"], comments[0]["contact_id"]) == ("Hm.", "contact-1")
