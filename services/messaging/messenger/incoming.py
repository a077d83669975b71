"""What Facebook delivers to the webhook: its signature, and a batch taken apart into the events that matter here; pure.

The forms are those of Facebook's webhook reference: `{object: "page", entry: [{id, time, messaging: [event]}]}`, where an event is
a message (also an echo of what the page itself sent), a postback, a delivery or a read.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from services.messaging.messenger.content import MAX_PAYLOAD, Content, read_message, read_postback

SIGNATURE_PREFIX = "sha256="
# Past the year 2200, and still far from what a position has room for.
LATEST = 9_000_000_000_000
MAX_MIDS = 100


class NotFacebooks(ValueError):
    """The body isn't one of Facebook's for pages."""


@dataclass(frozen=True)
class Incoming:
    """One event of one page. `psid` is the visitor's id, which means something on this page only; `at` is in milliseconds."""

    kind: str  # message, postback, echo, delivery or read
    page_id: str
    psid: str
    at: int
    mid: str | None = None
    text: str | None = None
    choice: str | None = None
    metadata: str | None = None
    mids: tuple[str, ...] = ()
    watermark: int | None = None
    timed: bool = True  # else `at` is when it arrived, as Facebook said no time


@dataclass
class Batch:
    """The events in Facebook's order, and how many of each other kind were left aside; `entry` are those that say nothing usable."""

    events: list[Incoming] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def is_signed(body: bytes, signature: str | None, app_secret: str) -> bool:
    """Whether `X-Hub-Signature-256` is the HMAC-SHA256 of the raw body with the app's secret, compared in constant time."""
    given = (signature or "").strip()
    wanted = SIGNATURE_PREFIX + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def read_batch(body: bytes, arrived: int) -> Batch:
    """The batch in a body that came at a moment, in milliseconds. Raises NotFacebooks."""
    loaded = _load(body)
    if not isinstance(loaded, dict) or loaded.get("object") != "page" or not isinstance(loaded.get("entry"), list):
        raise NotFacebooks('not of the form {"object": "page", "entry": […]}')
    batch = Batch()
    for entry in loaded["entry"]:
        if not isinstance(entry, dict) or not (page_id := _id(entry.get("id"))):
            batch.ignored["entry"] += 1  # Facebook would repeat the others with it for hours, and drop them all in the end
            continue
        for raw in _list(entry.get("messaging")):
            event = _read_event(raw, page_id, _time(entry.get("time")), arrived) if isinstance(raw, dict) else None
            if event is None:
                batch.ignored[_kind(raw)] += 1
            else:
                batch.events.append(event)
        for name in ("standby", "changes"):
            if others := len(_list(entry.get(name))):
                batch.ignored[name] += others
    return batch


def _load(body: bytes) -> Any:
    """The JSON in a body. Half an emoji, which a text cut by a careless app ends with, must not cost the whole batch."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        try:
            return _mended(json.loads(body, parse_constant=lambda _: None))
        except (ValueError, RecursionError):
            raise NotFacebooks(f"not JSON: {error}") from None


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_mended(name): _mended(inner) for name, inner in value.items()}
    return [_mended(inner) for inner in value] if isinstance(value, list) else value


def _read_event(raw: Mapping[str, Any], page_id: str, entry_time: int, arrived: int) -> Incoming | None:
    sender, recipient = (_id(_dict(raw.get(side)).get("id")) for side in ("sender", "recipient"))
    message = _dict(raw.get("message"))
    # An echo goes from the page to the visitor; Facebook's own examples show it both ways round.
    psid = (recipient if recipient != page_id else sender) if message.get("is_echo") else sender
    if psid is None or psid == page_id:
        return None
    at = _time(raw.get("timestamp")) or entry_time
    event = _read_kind(raw, message, page_id, psid, at)
    # Visitors have an answer coming for 24 hours from then on: no time must not be taken for long ago.
    return event if event is None or event.at else replace(event, at=arrived, timed=False)


def _read_kind(raw: Mapping[str, Any], message: Mapping[str, Any], page_id: str, psid: str, at: int) -> Incoming | None:
    if message:
        return _read_content(read_message(message), message, page_id, psid, at)
    if postback := _dict(raw.get("postback")):
        content = read_postback(postback)
        return content and Incoming("postback", page_id, psid, at, _text(postback.get("mid")), content.text, content.choice)
    if delivery := _dict(raw.get("delivery")):
        mids = tuple(mid for mid in _list(delivery.get("mids")) if _text(mid))[:MAX_MIDS]
        watermark = _time(delivery.get("watermark"))
        return Incoming("delivery", page_id, psid, at or watermark, mids=mids, watermark=watermark) if watermark or mids else None
    if watermark := _time(_dict(raw.get("read")).get("watermark")):
        return Incoming("read", page_id, psid, at or watermark, watermark=watermark)
    return None


def _read_content(content: Content, message: Mapping[str, Any], page_id: str, psid: str, at: int) -> Incoming | None:
    mid = _text(message.get("mid"))
    if mid is None:
        return None
    if message.get("is_echo"):
        return Incoming("echo", page_id, psid, at, mid, content.text, metadata=_text(message.get("metadata")))
    return Incoming("message", page_id, psid, at, mid, content.text, content.choice)


def _kind(raw: object) -> str:
    """A name for what was left aside, out of a closed set: it labels a metric."""
    known = ("message", "postback", "delivery", "read", "reaction", "referral", "optin", "message_edit", "account_linking")
    return next((name for name in known if isinstance(raw, dict) and name in raw), "other")


def _time(value: object) -> int:
    """Milliseconds since 1970, 0 for none. Facebook writes them as numbers, in some places as text, rarely in seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        number = int(float(value))
    except (ValueError, OverflowError):
        return 0
    return min(max(number * 1000 if 0 < number < 100_000_000_000 else number, 0), LATEST)


def _id(value: object) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and 0 < len(text) <= 100 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_PAYLOAD else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
