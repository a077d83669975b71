"""Calls to Facebook's Graph API: the Send API and user profiles."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from services.common.outgoing import UNGUARDED, NotReached, post
from services.messaging.messenger.answers import Refusal, hush, read_answer

DEADLINE_SECONDS = 10.0
MAX_ANSWER = 64 * 1024


@dataclass(frozen=True)
class Taken:
    """Facebook has a message; `mid` is its id of it, where the answer names one."""

    mid: str | None


class Graph:
    """Graph at a base address that includes the version, such as https://graph.facebook.com/v23.0."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def send(self, settings: Mapping[str, Any], body: Mapping[str, Any]) -> Taken | Refusal:
        """Have a page send a message."""
        answer = self._call(settings, "POST", "/me/messages", orjson.dumps(dict(body)))
        if isinstance(answer, Refusal):
            return answer
        mid = answer.get("message_id")
        return Taken(mid if isinstance(mid, str) and mid else None)

    def find_profile(self, settings: Mapping[str, Any], psid: str, fields: str) -> dict[str, Any] | Refusal:
        """What a page may know of somebody who wrote to it."""
        return self._call(settings, "GET", f"/{quote(psid, safe='')}", b"", fields=fields)

    def _call(self, settings: Mapping[str, Any], method: str, path: str, body: bytes, **query: str) -> dict[str, Any] | Refusal:
        token: str = settings["page_access_token"]
        secrets = [token]
        query["access_token"] = token
        if settings.get("app_secret"):
            query["appsecret_proof"] = hmac.new(settings["app_secret"].encode(), token.encode(), hashlib.sha256).hexdigest()
            secrets += [settings["app_secret"], query["appsecret_proof"]]
        url = f"{self._url}{path}?{urlencode(query)}"
        headers = {"content-type": "application/json", "accept": "application/json"}
        try:
            # Whom we call is a setting of the operator's; what visitors write never becomes an address.
            answer = post(
                url, body, headers, deadline_seconds=DEADLINE_SECONDS, guard=UNGUARDED, read_bytes=MAX_ANSWER, method=method
            )
        except NotReached as error:
            said = hush(f"Facebook was not reached: {error}", secrets)
            return Refusal("unknown" if error.unknown else "transient", "NOT_REACHED", said)
        return read_answer(answer.status, answer.headers, answer.body, secrets)
