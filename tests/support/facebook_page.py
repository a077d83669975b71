"""A Facebook page in tests: its app, its people, what it sent, and the events that its webhook would deliver, signed as Facebook signs."""

import hashlib
import hmac
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from services.common.ids import new_id
from tests.support.waiting import wait_until

Event = dict[str, Any]


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


LATE = -1


@dataclass(frozen=True)
class Fault:
    """What becomes of a call instead of its answer. With `accepted` Facebook has done what was asked before the fault."""

    status: int = 0  # 0: the connection is closed without an answer; LATE: all is well, but the answer takes its time
    body: dict[str, Any] | bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0  # of silence before it
    gate: threading.Event | None = None  # silence until somebody opens it
    accepted: bool = False

    @classmethod
    def error(
        cls, code: int, message: str, *, status: int = 400, subcode: int | None = None, transient: bool = False, **more: Any
    ) -> "Fault":
        """An error in Graph's shape."""
        error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A" + new_id()[:10]}
        error |= {"error_subcode": subcode} if subcode else {}
        error |= {"is_transient": True} if transient else {}
        return cls(status, {"error": error}, **more)


DROPPED = Fault()
TOKEN_EXPIRED = Fault.error(190, "Error validating access token: Session has expired.", status=401, subcode=463)
AWAY = Fault.error(2, "Service temporarily unavailable", status=503, transient=True)
NOT_AVAILABLE = Fault.error(551, "(#551) This person isn't available right now.")


def rate_limited(page_id: str, minutes: int = 0) -> Fault:
    """The Messenger use case's limit; usage tells after how many minutes calls are taken again."""
    usage = [{"type": "messenger", "call_count": 100, "estimated_time_to_regain_access": minutes}]
    headers = (("X-Business-Use-Case-Usage", json.dumps({page_id: usage})),)
    return Fault.error(80006, "(#80006) There have been too many calls to this page account.", headers=headers)


@dataclass(frozen=True)
class Sent:
    """A message that Facebook took for a person."""

    mid: str
    psid: str
    at: int
    text: str
    metadata: str | None
    quick_replies: list[dict[str, str]]
    messaging_type: str
    tag: str | None


@dataclass
class Page:
    """A page with its app: who may write to it, what it sent, and its webhooks' events."""

    id: str
    token: str = field(default_factory=lambda: "EAA" + new_id())
    app_secret: str = field(default_factory=new_id)
    verify_token: str = field(default_factory=new_id)
    human_agent: bool = False  # Facebook's leave to answer by humans for 7 days
    calls: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrote_at: dict[str, int] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    profile_faults: deque[Fault] = field(default_factory=deque)
    lasting: Fault | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """As a channel's settings."""
        return {
            "page_id": self.id,
            "page_access_token": self.token,
            "app_secret": self.app_secret,
            "verify_token": self.verify_token,
        }

    def new_person(self, **profile: Any) -> str:
        """Somebody with a page-scoped id, by default Mia Lund."""
        psid = str(10**15 + int(new_id()[-12:], 16))
        self.people[psid] = {"first_name": "Mia", "last_name": "Lund"} | profile
        return psid

    def fail(self, *faults: Fault) -> None:
        """Have the next calls of the Send API meet these, one each."""
        self.faults.extend(faults)

    def sent_to(self, psid: str) -> list[str]:
        """The texts that a person has received, in order."""
        return [sent.text for sent in self.sent if sent.psid == psid]

    def wait_for(self, psid: str, count: int, timeout: float = 15.0) -> list[Sent]:
        """What a person has received, once it is that many or more."""

        def received() -> list[Sent]:
            found = [sent for sent in list(self.sent) if sent.psid == psid]
            return found if len(found) >= count else []

        return wait_until(received, timeout, what=f"{count} messages for {psid}; so far {self.sent_to(psid)}")

    # what happens on the page, as events of the webhook

    def text(self, psid: str, text: str | None, *, mid: str | None = None, at: int | None = None, **message: Any) -> Event:
        """The person writes."""
        content = {"mid": mid or new_mid()} | ({} if text is None else {"text": text}) | message
        return self._from(psid, at, message=content)

    def quick_reply(self, psid: str, title: str, payload: str, **more: Any) -> Event:
        """The person presses a quick reply."""
        return self.text(psid, title, quick_reply={"payload": payload}, **more)

    def attachment(self, psid: str, kind: str, text: str | None = None, **payload: Any) -> Event:
        """The person sends an attachment."""
        return self.text(psid, text, attachments=[{"type": kind, "payload": payload}])

    def postback(self, psid: str, title: str, payload: str, *, at: int | None = None) -> Event:
        """The person presses a button of the menu or a template."""
        return self._from(psid, at, postback={"mid": new_mid(), "title": title, "payload": payload})

    def echo(self, sent: Sent) -> Event:
        """What the app has sent comes back."""
        message = {"is_echo": True, "app_id": 1517776481860111, "mid": sent.mid, "text": sent.text}
        message |= {"metadata": sent.metadata} if sent.metadata else {}
        return self._to(sent.psid, sent.at, message)

    def written_on_facebook(self, psid: str, text: str, *, at: int | None = None) -> Event:
        """Somebody answered in the page's own inbox."""
        return self._to(psid, at or milliseconds(), {"is_echo": True, "app_id": 263902037430900, "mid": new_mid(), "text": text})

    def delivered(self, *sent: Sent, mids: bool = True) -> Event:
        """Messages arrived on the person's device."""
        last = max(sent, key=lambda one: one.at)
        delivery = {"watermark": last.at} | ({"mids": [one.mid for one in sent]} if mids else {})
        return self._event(last.psid, self.id, delivery=delivery)

    def read(self, psid: str, until: int) -> Event:
        """The person read everything sent until a moment."""
        return self._event(psid, self.id, milliseconds(), read={"watermark": until})

    def _from(self, psid: str, at: int | None, **content: Any) -> Event:
        at = at or milliseconds()
        self.people.setdefault(psid, {"first_name": "Mia", "last_name": "Lund"})
        self.wrote_at[psid] = max(at, self.wrote_at.get(psid, 0))
        return self._event(psid, self.id, at, **content)

    def _to(self, psid: str, at: int, message: dict[str, Any]) -> Event:
        return self._event(self.id, psid, at, message=message)

    def _event(self, sender: str, recipient: str, at: int | None = None, **content: Any) -> Event:
        return {"sender": {"id": sender}, "recipient": {"id": recipient}} | ({"timestamp": at} if at else {}) | content

    def entry(self, *events: Event) -> dict[str, Any]:
        """The page's part of a batch."""
        return {"id": self.id, "time": milliseconds(), "messaging": list(events)}

    def sign(self, body: str) -> str:
        """The signature header's value."""
        return "sha256=" + hmac.new(self.app_secret.encode(), body.encode(), hashlib.sha256).hexdigest()


def batch(*entries: dict[str, Any]) -> str:
    """A webhook's body, non-ASCII escaped as Facebook does."""
    return json.dumps({"object": "page", "entry": list(entries)})


def new_mid() -> str:
    return "m_" + new_id()
