"""Calls to Facebook's Graph API: the Send API and user profiles."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from services.common.outgoing import UNGUARDED, NotReached, post
from services.messaging.messenger.answers import Refusal, read_answer

DEADLINE_SECONDS = 10.0
MAX_ANSWER = 64 * 1024


class Graph:
    """Graph at a base address that includes the version, such as https://graph.facebook.com/v23.0."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def send(self, settings: Mapping[str, Any], body: Mapping[str, Any]) -> str | Refusal:
        """Have a page send a message; returns Facebook's id of it."""
        answer = self._call(settings, "POST", "/me/messages", orjson.dumps(dict(body)))
        if isinstance(answer, Refusal):
            return answer
        mid = answer.get("message_id")
        return mid if isinstance(mid, str) and mid else Refusal("unknown", "UNREADABLE", "Facebook's answer names no message.")

    def find_profile(self, settings: Mapping[str, Any], psid: str, fields: str) -> dict[str, Any] | Refusal:
        """What a page may know of somebody who wrote to it."""
        return self._call(settings, "GET", f"/{quote(psid, safe='')}", b"", fields=fields)

    def _call(self, settings: Mapping[str, Any], method: str, path: str, body: bytes, **query: str) -> dict[str, Any] | Refusal:
        token: str = settings["page_access_token"]
        query["access_token"] = token
        if settings.get("app_secret"):
            query["appsecret_proof"] = hmac.new(settings["app_secret"].encode(), token.encode(), hashlib.sha256).hexdigest()
        url = f"{self._url}{path}?{urlencode(query)}"
        headers = {"content-type": "application/json", "accept": "application/json"}
        try:
            # Whom we call is a setting of the operator's; what visitors write never becomes an address.
            answer = post(
                url, body, headers, deadline_seconds=DEADLINE_SECONDS, guard=UNGUARDED, read_bytes=MAX_ANSWER, method=method
            )
        except NotReached as error:
            return Refusal("unknown" if error.unknown else "transient", "NOT_REACHED", f"Facebook was not reached: {error}"[:300])
        return read_answer(answer.status, answer.headers, answer.body)
