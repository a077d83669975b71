"""The events of the product as others may read them: where each comes from, its stream's name, and what its data holds.

The data of what clients see is the resource as the API answers it. Of what services tell each other alone it is what the
subscribers' own schemas read; the few that are read without a schema, or by nobody yet, are written out here.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from deploy.compatibility.shapes import Shape, shape_of_fields
from deploy.topology import SERVICES, vars_of
from gateway.streams.catalogue import CATALOGUE, SESSION_REVOKED
from services.common.events import Subscription

Pair = tuple[str, str]

RESOURCES = {
    "agent": "Agent",
    "team": "Team",
    "contact": "ContactItem",  # as lists show it: docs/events.md says what only its own page holds
    "note": "Note",
    "ticket": "Ticket",
    "comment": "Comment",
    "channel": "Channel",
    "conversation": "Conversation",
    "message": "Message",
    "assignment": "Assignment",
}
_TEXT: Shape = {"type": "string"}
_WHOLE: Shape = {"type": "integer"}


def _holds(**parts: Shape) -> Shape:
    return {"type": "object", "properties": parts, "required": sorted(parts)}


# Beside the resource, or all there is.
WRITTEN_OUT: dict[Pair, Shape] = {
    ("presence", "team_deleted"): _holds(id=_TEXT),
    ("presence", "session_revoked"): _holds(session_id=_TEXT, agent_id=_TEXT),
    ("contacts", "contact_erased"): _holds(id=_TEXT, channel_id=_TEXT, at=_TEXT),
    ("contacts", "note_deleted"): _holds(id=_TEXT, contact_id=_TEXT),
    ("contacts", "comment_created"): _holds(contact_id=_TEXT),
    ("messaging", "channel_deleted"): _holds(id=_TEXT),
    ("messaging", "typing_signalled"): _holds(conversation_id=_TEXT, author={"type": "object"}, typing={"type": "boolean"}),
    ("messaging", "visitor_engaged"): _holds(conversation_id=_TEXT, channel_id=_TEXT, contact_id=_TEXT),
    ("assignment", "assignment_changed"): _holds(
        outcome=_TEXT, decision={"type": ["object", "null"]}, conversation_version=_WHOLE
    ),
}
WITHOUT_RESOURCE = frozenset({"team_deleted", "contact_erased", "note_deleted", "channel_deleted"})


def describe_events(components: dict[str, Shape]) -> dict[str, dict[str, Any]]:
    """`source.type` → its stream's name and its data."""
    read = dict(_read_by_subscribers())
    pairs = {*CATALOGUE, SESSION_REVOKED, *_subscribed()}
    return {".".join(pair): _describe(pair, read.get(pair, []), components) for pair in sorted(pairs)}


def _describe(pair: Pair, read: list[Shape], components: dict[str, Shape]) -> dict[str, Any]:
    row = CATALOGUE.get(pair)
    parts: list[Shape] = [WRITTEN_OUT[pair]] if pair in WRITTEN_OUT else []
    kind = pair[1].rpartition("_")[0]
    if row is not None and kind in RESOURCES and pair[1] not in WITHOUT_RESOURCE:
        parts.append(components[RESOURCES[kind]])
    return {"stream": row and row.name, "data": _together(parts or read)}


def _together(parts: list[Shape]) -> Shape:
    whole: Shape = {"type": "object", "properties": {}, "required": []}
    for part in parts:
        whole["properties"] |= part.get("properties", {})
        whole["required"] = sorted({*whole["required"], *part.get("required", [])})
    return whole


def _subscribed() -> set[Pair]:
    return {pair for subscription, _ in _subscriptions() for pair in subscription.pairs}


def _subscriptions() -> Iterator[tuple[Subscription, Any]]:
    for service in SERVICES:
        for method in vars_of(service):
            for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
                if isinstance(entrypoint, Subscription):
                    yield entrypoint, method


def _read_by_subscribers() -> dict[Pair, list[Shape]]:
    """What the schemas that handlers load an event's data with ask of it."""
    read: dict[Pair, list[Shape]] = {}
    for subscription, method in _subscriptions():
        for module, name in re.findall(r"(?:load\(|_read\(event, )(\w+)\.(\w+)\b", inspect.getsource(method)):
            shape = shape_of_fields(getattr(method.__globals__[module], name)())
            shape.pop("additionalProperties", None)
            for pair in subscription.pairs:
                read.setdefault(pair, []).append(shape)
    return read
