"""The event envelope: what travels on the exchanges and rests in an outbox until it is sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self

from services.common import tracing
from services.common.ids import new_id
from services.common.logs import request_id
from services.common.times import from_wire, now
from services.common.wire import Undecodable, decode_object


class Origin(NamedTuple):
    """What an event came of: the request that asked for it, and that request's trace."""

    request_id: str | None = None
    traceparent: str | None = None

    @classmethod
    def current(cls) -> Self:
        """That of what this thread does."""
        return cls(request_id.get(), tracing.traceparent())


@dataclass(frozen=True)
class NewEvent:
    """An event about to be committed; the store adds the entity's id and version."""

    type: str
    kind: str
    data: dict[str, Any]
    contact_id: str | None = None
    entity_id: str | None = None  # the document's own id unless given: a message's, within its conversation's document
    origin: Origin | None = None  # of whoever writes it, unless given

    def entry(self, document_id: str, version: int) -> dict[str, Any]:
        """What the outbox of the document keeps."""
        origin = self.origin or Origin.current()
        entry = {
            "id": new_id(),
            "type": self.type,
            "entity": {"kind": self.kind, "id": self.entity_id or document_id, "version": version},
            "contact_id": self.contact_id,
            "at": now(),
            "request_id": origin.request_id,
            "data": self.data,
        }
        if origin.traceparent is not None:
            entry["traceparent"] = origin.traceparent
        return entry


@dataclass(frozen=True)
class Event:
    """An event as it was received."""

    id: str
    type: str
    source: str
    kind: str
    entity_id: str
    version: int
    at: datetime
    data: dict[str, Any]
    contact_id: str | None = None
    request_id: str | None = None
    traceparent: str | None = None

    @classmethod
    def decode(cls, body: bytes | str | memoryview) -> Self:
        """The event in a message's body. Raises Undecodable."""
        values = decode_object(body)
        try:
            return cls(
                id=_text(values["id"]),
                type=_text(values["type"]),
                source=_text(values["source"]),
                kind=_text(values["entity"]["kind"]),
                entity_id=_text(values["entity"]["id"]),
                version=int(values["entity"]["version"]),
                at=from_wire(values["at"]),
                data=dict(values["data"]),
                contact_id=_optional_text(values.get("contact_id")),
                request_id=_optional_text(values.get("request_id")),
                traceparent=values.get("traceparent"),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Undecodable(f"not an event: {type(error).__name__} {error}") from None


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value
