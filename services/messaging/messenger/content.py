"""What a visitor's Messenger message says, as one text: its words, and a line for everything attached; pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.common.validation import MAX_TEXT

# Facebook's own limit for the payload of a button.
MAX_PAYLOAD = 1000
MAX_LINK = 2000
MAX_ATTACHMENTS = 30
UNSUPPORTED = "[unsupported message]"
# Facebook's words for attachments where ours differ.
SAID = {"fallback": "link", "ig_reel": "reel", "ig_post": "post"}


class Content(NamedTuple):
    """A text to show, and the value of a pressed button."""

    text: str
    choice: str | None = None


def read_message(message: Mapping[str, Any]) -> Content:
    """The content of a message; one that Facebook can't show to apps says so."""
    payload = message.get("quick_reply")
    choice = _payload(payload.get("payload")) if isinstance(payload, dict) else None
    text = message.get("text")
    attachments = message.get("attachments")
    lines = [text] if isinstance(text, str) and text.strip() else []
    lines += _attached(attachments if isinstance(attachments, list) else [])
    return Content(cut("\n".join(lines)) or choice or UNSUPPORTED, choice)


def read_postback(postback: Mapping[str, Any]) -> Content | None:
    """A pressed button, its title as the text; None when it says nothing."""
    choice = _payload(postback.get("payload"))
    title = postback.get("title")
    text = cut(title if isinstance(title, str) else "") or choice
    return None if text is None else Content(text, choice)


def cut(text: str) -> str:
    """As much of a text as a message holds, without the NUL that none may hold."""
    return text.replace("\x00", "").strip()[:MAX_TEXT]


def _attached(attachments: list[Any]) -> list[str]:
    lines = [_line(attachment) for attachment in attachments[:MAX_ATTACHMENTS] if isinstance(attachment, dict)]
    return list(dict.fromkeys(lines))  # a sticker comes twice: as itself, and as an image for older apps


def _line(attachment: Mapping[str, Any]) -> str:
    payload = attachment.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    kind = attachment.get("type")
    kind = "sticker" if "sticker_id" in payload else kind if isinstance(kind, str) and kind else "attachment"
    about = (_place(payload), _link(payload.get("title") or attachment.get("title")))
    link = _link(payload.get("url") or attachment.get("url") or attachment.get("URL"))
    return " ".join([f"[{SAID.get(kind, kind)[:30]}]", *(word for word in (*about, link) if word)])


def _place(payload: Mapping[str, Any]) -> str:
    point = payload.get("coordinates")
    if not isinstance(point, dict):
        return ""
    latitude, longitude = point.get("lat"), point.get("long")
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in (latitude, longitude)):
        return ""
    return f"{latitude},{longitude}"


def _link(value: object) -> str:
    """One line of a text, never fetched: what it leads to is the reader's decision."""
    return " ".join(value.split())[:MAX_LINK] if isinstance(value, str) else ""


def _payload(value: object) -> str | None:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and cut(text) and "\x00" not in text and len(text) <= MAX_PAYLOAD else None
