"""A dead letter: an event that a service put aside, with its reason; how it is named, shown, and kept in a file."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import amqp
import orjson

from deploy.ops.queues import body_of
from services.common.amqp import PERSISTENT, Outgoing
from services.common.envelope import Event
from services.common.redaction import LEFT_OUT, redact
from services.common.times import now
from services.common.topology import event_queue
from services.common.wire import Undecodable

# The service's own remarks on the letter; what it adds in a later version counts too.
OURS = "x-foyer-"
# The broker's, about a redelivery before.
BROKERS = ("x-delivery-count", "x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason")
KEPT_PROPERTIES = ("message_id", "type", "content_type", "content_encoding", "timestamp", "correlation_id")
UNDECODABLE_PREFIX = "sha256-"
LONGEST_DETAIL = 200
# What a reason's text may quote of people: whatever stands in quotes, addresses, numbers long enough for a phone.
_QUOTED = re.compile(r"(?<!\w)(['\"])(?:(?!\1).)+\1(?!\w)")
_PERSONAL = re.compile(r"[^\s@<>'\"]+@[^\s@<>'\"]+|\+?\d(?:[ ()/.-]?\d){5,}")


@dataclass(frozen=True)
class Letter:
    """One dead letter of a service."""

    service: str
    body: bytes
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    event: Event | None

    @classmethod
    def read(cls, service: str, message: amqp.Message) -> Self:
        """The letter in a message of the service's dead-letter queue."""
        body = body_of(message)
        properties = {name: value for name in KEPT_PROPERTIES if (value := message.properties.get(name)) is not None}
        return cls.of(service, body, dict(message.headers or {}), properties)

    @classmethod
    def of(cls, service: str, body: bytes, headers: Mapping[str, Any], properties: Mapping[str, Any]) -> Self:
        """The letter of these parts."""
        try:
            event = Event.decode(body)
        except Undecodable:
            event = None
        return cls(service, body, headers, properties, event)

    @property
    def id(self) -> str:
        """The event's id; of what is no event, a digest of its bytes."""
        return self.event.id if self.event else UNDECODABLE_PREFIX + hashlib.sha256(self.body).hexdigest()[:24]

    @property
    def age(self) -> float | None:
        """Seconds since the event happened."""
        return None if self.event is None else max(0.0, (now() - self.event.at).total_seconds())

    def remark(self, name: str) -> Any:
        """What the service noted under `x-foyer-<name>`."""
        return self.headers.get(f"{OURS}{name}")

    def summary(self) -> dict[str, Any]:
        """What a list shows: nothing of the event's data, and of the reason what tells of no person."""
        event = self.event
        return {
            "id": self.id,
            "service": self.service,
            "type": f"{event.source}.{event.type}" if event else None,
            "entity": f"{event.kind} {event.entity_id} v{event.version}" if event else None,
            "at": event.at if event else None,
            "age_seconds": None if self.age is None else round(self.age),
            "reason": self.remark("reason"),
            "detail": _impersonal(str(self.remark("detail") or "")),
        }

    def whole(self) -> dict[str, Any]:
        """Everything, as `show` prints it."""
        content: Any
        try:
            content = {"body": orjson.loads(self.body)}
        except orjson.JSONDecodeError:
            content = {"body_base64": base64.b64encode(self.body).decode()}
        return self.summary() | {"detail": self.remark("detail"), "headers": dict(self.headers), **content}

    def record(self) -> dict[str, Any]:
        """What a file keeps: enough to make the very message again."""
        return {
            "service": self.service,
            "id": self.id,
            "properties": _plain(self.properties),
            "headers": _plain(self.headers),
            "body_base64": base64.b64encode(self.body).decode(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The letter that `record` kept."""
        body = base64.b64decode(record["body_base64"])
        return cls.of(record["service"], body, record["headers"], record["properties"])

    def to_replay(self) -> Outgoing:
        """The message for the service's own queue alone: the others have handled the event."""
        headers = {name: value for name, value in self.headers.items() if not name.startswith(OURS) and name not in BROKERS}
        return Outgoing("", event_queue(self.service), self.body, {"delivery_mode": PERSISTENT, **self._texts()}, headers)

    def to_letter(self, queue: str) -> Outgoing:
        """The message for a dead-letter queue, as it was."""
        return Outgoing("", queue, self.body, {"delivery_mode": PERSISTENT, **self._texts()}, dict(self.headers))

    def _texts(self) -> dict[str, Any]:
        return {name: self.properties[name] for name in ("message_id", "type") if name in self.properties}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON can hold of an AMQP table."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(dict(values), default=_say))
    return plain


def _say(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="replace")
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _impersonal(text: str) -> str:
    text = _PERSONAL.sub(LEFT_OUT, _QUOTED.sub(LEFT_OUT, redact(text)))
    return text if len(text) <= LONGEST_DETAIL else f"{text[: LONGEST_DETAIL - 1]}…"
