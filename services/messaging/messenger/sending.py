"""What is sent to a visitor: a message as one or several requests of Facebook's Send API; pure.

Facebook takes texts of up to 2,000 characters and up to 13 quick replies with titles of up to 20.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.messaging.messenger.window import Envelope

MAX_LENGTH = 2000
MAX_QUICK_REPLIES = 13
MAX_TITLE = 20
_JOINER = "\u200d"
_OURS = re.compile(r"([0-9a-f]{32})(?:\.([1-9][0-9]{0,2}))?\Z")


@dataclass(frozen=True)
class Part:
    """One request's words; the last one of a message carries its choices."""

    text: str
    quick_replies: tuple[dict[str, str], ...] = ()


def parts_of(text: str, choices: Sequence[Mapping[str, str]] | None) -> list[Part]:
    """A message as the parts to be sent in order; the same message always gives the same parts."""
    choices = choices or ()
    titled = [_length(choice["label"]) <= MAX_TITLE for choice in choices]
    if not all(titled) or len(choices) > MAX_QUICK_REPLIES:
        text = "\n".join([f"{text.rstrip()}\n", *(f"{n}. {choice['label']}" for n, choice in enumerate(choices, 1))])
    texts = split(text)
    if not choices or len(choices) > MAX_QUICK_REPLIES:
        return [Part(part) for part in texts]
    titles = [choice["label"] if all(titled) else _numbered(n, choice["label"]) for n, choice in enumerate(choices, 1)]
    replies = tuple(
        {"content_type": "text", "title": title, "payload": choice["value"]}
        for title, choice in zip(titles, choices, strict=True)
    )
    return [*(Part(part) for part in texts[:-1]), Part(texts[-1], replies)]


def split(text: str, limit: int = MAX_LENGTH) -> list[str]:
    """A text in parts of at most `limit` characters, cut where a paragraph, a sentence or else a word ends."""
    rest, parts = text.strip(), []
    while _length(rest) > limit:
        end = _cut(rest, _fitting(rest, limit))
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest]


def request_body(psid: str, part: Part, envelope: Envelope, metadata: str) -> dict[str, Any]:
    """The JSON of one call of the Send API. `metadata` comes back with the echo."""
    message: dict[str, Any] = {"text": part.text, "metadata": metadata}
    if part.quick_replies:
        message["quick_replies"] = list(part.quick_replies)
    body = {"recipient": {"id": psid}, "messaging_type": envelope.messaging_type, "message": message}
    return body if envelope.tag is None else body | {"tag": envelope.tag}


def metadata_of(message_id: str, part: int) -> str:
    """What marks a part as ours: the message's id, with a number from the second part on."""
    return message_id if part == 0 else f"{message_id}.{part}"


def read_metadata(metadata: str | None) -> tuple[str, int] | None:
    """The message and the part that a metadata names; None when it can't be ours."""
    found = _OURS.match(metadata or "")
    return (found[1], int(found[2] or 0)) if found else None


def _length(text: str) -> int:
    """In UTF-16 units: whichever way Facebook counts an emoji, it is not more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fitting(text: str, limit: int) -> int:
    """How many characters from the start fit into the limit."""
    end = min(len(text), limit)
    while _length(text[:end]) > limit:
        end -= max(1, (_length(text[:end]) - limit) // 2)
    return end


def _cut(text: str, end: int) -> int:
    """The best place to cut at or before `end`: not so early that the parts become many."""
    window = text[: end + 1]
    for mark, after in (("\n\n", 0), ("\n", 0), (". ", 1), ("? ", 1), ("! ", 1), (" ", 0)):
        found = window.rfind(mark)
        if found >= end // 2 or (mark == " " and found > 0):
            return found + after
    while end > 1 and (
        unicodedata.combining(text[end]) or _JOINER in text[end - 1 : end + 1] or "\ufe00" <= text[end] <= "\ufe0f"
    ):
        end -= 1
    return end


def _numbered(number: int, label: str) -> str:
    title = f"{number}. {label}"
    if _length(title) <= MAX_TITLE:
        return title
    return title[: _fitting(title, MAX_TITLE - 1)].rstrip() + "…"
