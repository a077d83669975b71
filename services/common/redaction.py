"""What no text that is logged or shown may hold, whoever wrote the text: documents that the driver quotes, and keys to Facebook; pure."""

import re

LEFT_OUT = "…"
# The driver's errors end with the server's whole answer, and a duplicate key's text shows the values of the key.
_DOCUMENTS = re.compile(r"(full error|dup key): .*")
_NAMED = re.compile(r"(access_token|appsecret_proof|app_secret|client_secret)(=|%3D|\"?'?: ?\"?'?)[^&\s\"',}]+", re.IGNORECASE)
# Access tokens of people and pages, and of apps: the app's id and its secret.
_TOKENS = re.compile(r"EAA[\w-]+|(?<![0-9])[0-9]{8,}(?:\||%7C)[\w-]+")


def redact(text: str) -> str:
    """The text without documents of the database's and without access tokens."""
    if "full error" in text or "dup key" in text:
        text = _DOCUMENTS.sub(rf"\1: {LEFT_OUT}", text)
    return redact_tokens(text)


def redact_tokens(text: str) -> str:
    """The text without what looks like one of Facebook's access tokens, or stands where one belongs."""
    lower = text.lower()
    if "secret" in lower or "token" in lower:  # each line of the log is looked at, and hardly one has any
        text = _NAMED.sub(rf"\1\2{LEFT_OUT}", text)
    if "EAA" in text or "|" in text or "%7C" in text:
        text = _TOKENS.sub(LEFT_OUT, text)
    return text
