"""Who may write what of a contact: the authority rule, in this one place.

    what                        may be written by
    name                        agent, bot, channel; the higher rank stays: agent > bot > channel > generated
    email, phone                agent, bot
    custom fields               bot
    blocked                     agent
    external_id                 channel, once: by the website's signature (`identity.decide_identity`)
    everything else             the system alone, which learns it from visits (`profiles.decide_visit`) and never writes by call

What a website tells of its signed-in user (name, e-mail address, phone number) is the channel's, but counts as what the bot collects,
and never stands over what an agent set.

Every value records who set it and when (`provenance`). A write that may be made but loses (a bot's name over an agent's, an
event older than the value) changes nothing visible and is recorded in `ignored`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.common.errors import Forbidden, Invalid
from services.contacts import values
from services.contacts.errors import FieldReadOnly
from services.contacts.values import InvalidValue

PERSONAL = ("name", "email", "phone")
WRITERS: Mapping[str, frozenset[str]] = {
    "name": frozenset({"agent", "bot", "channel"}),
    "email": frozenset({"agent", "bot"}),
    "phone": frozenset({"agent", "bot"}),
    "blocked": frozenset({"agent"}),
    "custom": frozenset({"bot"}),
    "enrichment": frozenset(),
}
NAME_RANK: Mapping[str, int] = {"generated": 0, "channel": 1, "bot": 2, "agent": 3}
CHANNEL: Mapping[str, Any] = {"kind": "channel", "id": None, "name": None}
MAX_IGNORED = 20
# Of cleared fields only these many remember who cleared them, so that a bot's ever new names don't fill the document.
MAX_CLEARED = 100
# A repeated event follows the first within seconds, and a contact has few answers to give in between.
MAX_APPLIED = 50

Contact = Mapping[str, Any]


@dataclass(frozen=True)
class Writer:
    """Who writes: an actor, or the channel that knows its visitor's name."""

    kind: str
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Collected:
    """Where a value came from that messaging's bot collected, for deciding which of two is the later."""

    event_id: str
    conversation_id: str
    version: int | None
    at: datetime


def kind_of(name: str, *, custom: bool) -> str:
    """The row of the rule for a field; `custom` says whether unknown names are custom fields here, or the system's."""
    if name in PERSONAL or (name == "blocked" and not custom):
        return name
    return "custom" if custom else "enrichment"


def check_may_write(writer: Writer, names: Sequence[str], *, custom: bool) -> None:
    """Raise FieldReadOnly for a bot or agent that names a field it may not write, Forbidden for everybody else."""
    denied = [name for name in names if writer.kind not in WRITERS[kind_of(name, custom=custom)]]
    if not denied:
        return
    if writer.kind not in ("agent", "bot"):
        raise Forbidden(f"A {writer.kind} may not write fields.")
    raise FieldReadOnly(f"Not to be written by a {writer.kind}: {', '.join(denied)[:200]}.", data={"fields": denied})


def check_values(contact: Contact, wanted: Mapping[str, Any], *, custom: bool) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The values in their normal form, and the texts of what is wrong with the others."""
    region = (contact.get("country") or {}).get("code")
    clean: dict[str, Any] = {}
    wrong: dict[str, list[str]] = {}
    for name, value in wanted.items():
        try:
            clean[name] = _clean(name, value, region, custom=custom)
        except InvalidValue as error:
            wrong[name] = [str(error)]
    had = contact["fields"].keys()
    written = {name for name, value in clean.items() if value is not None and kind_of(name, custom=custom) == "custom"}
    cleared = {name for name, value in clean.items() if value is None}
    if len((had - cleared) | written) > values.MAX_CUSTOM_FIELDS:
        for name in written - had:
            del clean[name]
            wrong[name] = [f"A contact has at most {values.MAX_CUSTOM_FIELDS} custom fields."]
    return clean, wrong


def _clean(name: str, value: Any, region: str | None, *, custom: bool) -> Any:
    match kind_of(name, custom=custom):
        case "name":
            return values.clean_name(value)
        case "email":
            return values.clean_email(value)
        case "phone":
            return values.clean_phone(value, region)
        case "blocked":
            if not isinstance(value, bool):
                raise InvalidValue("Not a valid boolean.")
            return value
        case _:
            if not values.CUSTOM_KEY.match(name):
                raise InvalidValue("A field's name is a letter, then up to 63 letters, digits and underscores.")
            return values.clean_custom(value)


def decide_write(contact: Contact, wanted: Mapping[str, Any], writer: Writer, at: datetime, *, custom: bool) -> dict[str, Any]:
    """What a write by RPC changes of the document, by part; nothing when all is so already.

    Raises FieldReadOnly, Forbidden or Invalid; no part of the write is then to be done.
    """
    check_may_write(writer, list(wanted), custom=custom)
    clean, wrong = check_values(contact, wanted, custom=custom)
    if wrong:
        raise Invalid("Some values are not valid.", errors=wrong)
    by = {"kind": writer.kind, "id": writer.id, "name": writer.name, "at": at}
    return _apply(contact, clean, {}, by, custom=custom)


def decide_told(contact: Contact, told: Mapping[str, str], at: datetime) -> dict[str, Any]:
    """What changes by what the website tells of its signed-in user: name, e-mail address and phone number, the later value counting.

    A website tells the same with each visit: only what it didn't tell before is news. What can't be that field's, or would replace
    what an agent set, is recorded as ignored.
    """
    before = contact.get("told", {})
    news = {name: value for name, value in told.items() if value != before.get(name)}
    if not news:
        return {}
    clean, wrong = check_values(contact, news, custom=False)
    ignored = {name: (news[name], texts[0]) for name, texts in wrong.items()}
    for name in [name for name in clean if _is_agents(contact, name)]:
        ignored[name] = (clean.pop(name), f"The {name} was given by the agent.")
    changes = _apply(contact, clean, ignored, dict(CHANNEL) | {"at": at}, custom=False, rank="bot")
    return changes | {"told": {**before, **news}}


def _is_agents(contact: Contact, name: str) -> bool:
    return (contact["provenance"].get(name) or {}).get("kind") == "agent"


def decide_collected(contact: Contact, name: str, value: Any, source: Collected) -> dict[str, Any]:
    """What a value collected by messaging's bot changes: the bot's write, once, unless something later is there already.

    A value that can't be this field's is recorded as ignored: what a visitor typed is no reason to stop anything.
    """
    if source.event_id in contact["applied"]:
        return {}
    clean, wrong = check_values(contact, {name: value}, custom=True)
    ignored = {field: (value, texts[0]) for field, texts in wrong.items()}
    if clean and _is_superseded(_entry(contact["provenance"], name), source):
        clean, ignored = {}, {name: (value, "A later value is there.")}
    by = {
        "kind": "bot",
        "id": None,
        "name": None,
        "at": source.at,
        "conversation_id": source.conversation_id,
        "version": source.version,
    }
    changes = _apply(contact, clean, ignored, by, custom=True)
    return changes | {"applied": [*contact["applied"], source.event_id][-MAX_APPLIED:]}


def _is_superseded(entry: Mapping[str, Any] | None, source: Collected) -> bool:
    if entry is None:
        return False
    if entry.get("conversation_id") == source.conversation_id and entry["version"] is not None and source.version is not None:
        # Within a conversation its version says what came later, whichever event arrives first.
        return bool(entry["version"] > source.version)
    return bool(entry["at"] > source.at)


def _entry(provenance: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    entry: Mapping[str, Any] | None = (provenance if name in PERSONAL else provenance.get("custom", {})).get(name)
    return entry


def _apply(
    contact: Contact,
    clean: Mapping[str, Any],
    ignored: dict[str, tuple[Any, str]],
    by: Mapping[str, Any],
    *,
    custom: bool,
    rank: str | None = None,
) -> dict[str, Any]:
    # An event leaves its mark also where the value was so already: a still earlier one may be under way.
    marks = "version" in by
    changes: dict[str, Any] = {}
    fields = dict(contact["fields"])
    provenance = dict(contact["provenance"])
    of_custom = dict(provenance.get("custom", {}))
    for name, value in clean.items():
        kind = kind_of(name, custom=custom)
        if kind == "custom":
            if marks or not _same(fields.get(name), value):
                fields[name] = value
                of_custom[name] = by
        elif kind == "name" and outranks(contact["name_source"], rank or by["kind"]):
            ignored[name] = (value, f"The name was given by the {contact['name_source']}.")
        elif marks or not _same(contact[name], value) or (kind == "name" and contact["name_source"] != by["kind"]):
            changes |= {name: value, "name_source": by["kind"]} if kind == "name" else {name: value}
            provenance[name] = by
    fields = {name: value for name, value in fields.items() if value is not None}
    if fields != contact["fields"] or of_custom != provenance.get("custom", {}):
        changes["fields"] = fields
        provenance["custom"] = _forget_cleared(of_custom, fields, just_written=clean.keys())
    if changes:
        changes["provenance"] = provenance
    if ignored:
        records = [
            {"field": name, "value": _shortened(value), "reason": reason, "by": by} for name, (value, reason) in ignored.items()
        ]
        changes["ignored"] = [*contact["ignored"], *records][-MAX_IGNORED:]
    return changes


def _same(one: Any, other: Any) -> bool:
    # True == 1 in Python, but not in a profile.
    return type(one) is type(other) and bool(one == other)


def _shortened(value: Any) -> Any:
    return str(value)[: values.MAX_VALUE] if isinstance(value, str | list | dict) else value


def _forget_cleared(of_custom: dict[str, Any], fields: Mapping[str, Any], *, just_written: Collection[str]) -> dict[str, Any]:
    cleared = sorted((name for name in of_custom if name not in fields), key=lambda name: of_custom[name]["at"])
    forgotten = set(cleared[:-MAX_CLEARED]) - set(just_written)  # the history is yet to say who wrote these
    return {name: entry for name, entry in of_custom.items() if name not in forgotten}


def outranks(source: str, writer_kind: str) -> bool:
    """Whether a name from `source` stays against one by such a writer."""
    return NAME_RANK[source] > NAME_RANK[writer_kind]


def is_channels_news(contact: Contact, at: datetime) -> bool:
    """Whether a name that the channel told of at that moment may be the contact's: unless a better or a later one is there."""
    given = contact["provenance"]["name"]
    return not outranks(contact["name_source"], "channel") and not (given["kind"] == "channel" and given["at"] > at)


def check_note_writer(actor: Mapping[str, Any]) -> None:
    """Raise Forbidden unless an agent acts: notes are between agents."""
    if actor["kind"] != "agent" or actor["id"] is None:
        raise Forbidden("Notes are written by agents.")


def check_note_owner(note: Mapping[str, Any], actor: Mapping[str, Any], *, admins: bool) -> None:
    """Raise Forbidden unless the note is the actor's own, or the actor an admin where `admins` may."""
    check_note_writer(actor)
    if note["author"]["id"] != actor["id"] and not (admins and actor["role"] == "admin"):
        raise Forbidden("The note is another agent's.")


def check_ticket_writer(actor: Mapping[str, Any]) -> None:
    """Raise Forbidden unless an agent or a bot acts."""
    if actor["kind"] not in ("agent", "bot"):
        raise Forbidden("Tickets are kept by agents and bots.")
