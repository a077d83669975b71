"""A local Facebook for tests: Graph's Send API and user profiles over HTTP.

It holds requests to what Facebook documents (token, proof, lengths, the 24-hour window) and answers in Graph's shapes. Each test takes a page
of its own (`new_page`; what pages do and deliver is in `facebook_page.py`), so one server serves many tests at once; faults are a page's own,
except `stop`, after which nobody answers.
"""

import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deploy.local.ports import free_port
from services.common.ids import new_id
from tests.support.facebook_page import LATE, Fault, Page, Sent, milliseconds, new_mid

VERSION = "v23.0"
DAY = 24 * 3600 * 1000


class Facebook:
    """`start`, then `url` is what FOYER_GRAPH_URL names."""

    def __init__(self) -> None:
        self.port = free_port()
        self.pages: dict[str, Page] = {}
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{VERSION}"

    def start(self) -> None:
        """Answer, on the same port each time."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="facebook", daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Refusing connections, and there again at its end whatever was seen meanwhile: others need it, too."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def new_page(self, **values: Any) -> Page:
        """A page of its own, known by its token."""
        page = Page(str(10**14 + int(new_id()[-11:], 16)), **values)
        self.pages[page.id] = page
        return page

    def _page_of(self, query: dict[str, str]) -> Page | Fault:
        page = next((page for page in self.pages.values() if page.token == query.get("access_token")), None)
        if page is None:
            return Fault.error(190, "Invalid OAuth access token - Cannot parse access token", status=401)
        proof = hmac.new(page.app_secret.encode(), page.token.encode(), hashlib.sha256).hexdigest()
        if query.get("appsecret_proof", proof) != proof:
            return Fault.error(100, "Invalid appsecret_proof provided in the API argument")
        return page

    def answer_send(self, query: dict[str, str], body: dict[str, Any]) -> tuple[Page | None, Fault]:
        """What a call of the Send API gets."""
        page = self._page_of(query)
        if isinstance(page, Fault):
            return None, page
        page.calls.append(body.get("message", {}).get("text", ""))
        fault = page.lasting or (page.faults.popleft() if page.faults else None)
        if fault is None:
            return page, _take(page, body)
        if fault.accepted or fault.status == LATE:
            answer = _take(page, body)
            return page, replace(answer, seconds=fault.seconds, gate=fault.gate) if fault.status == LATE else fault
        return page, fault

    def answer_profile(self, psid: str, query: dict[str, str]) -> Fault:
        """What a call of the user profile API gets."""
        page = self._page_of(query)
        if isinstance(page, Fault):
            return page
        page.calls.append(f"profile {psid}")
        if page.profile_faults:
            return page.profile_faults.popleft()
        if psid not in page.people:
            return Fault.error(100, "(#100) No profile available for this user.", subcode=2018218)
        known = page.people[psid]
        return Fault(200, {name: known[name] for name in query.get("fields", "").split(",") if name in known} | {"id": psid})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        facebook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
                parts = urlsplit(self.path)
                if parts.path != f"/{VERSION}/me/messages":
                    self.answer(Fault.error(2500, "Unknown path components"))
                    return
                self.answer(facebook.answer_send(_query(parts.query), body)[1])

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self.answer(facebook.answer_profile(parts.path.rpartition("/")[2], _query(parts.query)))

            def answer(self, fault: Fault) -> None:
                time.sleep(fault.seconds)
                if fault.gate is not None:
                    fault.gate.wait(30)
                if not fault.status:
                    self.close_connection = True
                    return
                body = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
                self.send_response(fault.status)
                for name, value in (("Content-Type", "application/json"), *fault.headers):
                    self.send_header(name, value)
                if "Content-Length" not in dict(fault.headers):
                    self.send_header("Content-Length", str(len(body)))
                with contextlib.suppress(OSError):  # who asked may be gone by now
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Nothing: the calls are kept on their page."""

        return Handler


def _take(page: Page, body: dict[str, Any]) -> Fault:
    psid, message = body["recipient"]["id"], body["message"]
    refusal = next((fault for check in CHECKS if (fault := check(page, psid, body, message)) is not None), None)
    if refusal is not None:
        return refusal
    sent = Sent(
        new_mid(),
        psid,
        milliseconds(),
        message["text"],
        message.get("metadata"),
        message.get("quick_replies", []),
        body["messaging_type"],
        body.get("tag"),
    )
    page.sent.append(sent)
    return Fault(200, {"recipient_id": psid, "message_id": sent.mid})


def _check_person(page: Page, psid: str, _body: dict[str, Any], _message: dict[str, Any]) -> Fault | None:
    return None if psid in page.people else Fault.error(100, "(#100) No matching user found", subcode=2018001)


def _check_text(_page: Page, _psid: str, _body: dict[str, Any], message: dict[str, Any]) -> Fault | None:
    if message.get("text", "").strip() and len(message["text"]) <= 2000:
        return None
    return Fault.error(100, "(#100) Length of param message[text] must be less than or equal to 2000")


def _check_quick_replies(_page: Page, _psid: str, _body: dict[str, Any], message: dict[str, Any]) -> Fault | None:
    replies = message.get("quick_replies", [])
    good = len(replies) <= 13 and all(0 < len(reply["title"]) <= 20 and len(reply["payload"]) <= 1000 for reply in replies)
    return None if good else Fault.error(100, "(#100) Param message[quick_replies] is not valid")


def _check_window(page: Page, psid: str, body: dict[str, Any], _message: dict[str, Any]) -> Fault | None:
    silent = milliseconds() - page.wrote_at.get(psid, 0)
    human = body["messaging_type"] == "MESSAGE_TAG" and body.get("tag") == "HUMAN_AGENT" and page.human_agent
    if silent <= (7 * DAY if human else DAY):
        return None
    return Fault.error(10, "(#10) This message is sent outside of allowed window.", subcode=2018278)


CHECKS: tuple[Callable[[Page, str, dict[str, Any], dict[str, Any]], Fault | None], ...] = (
    _check_person,
    _check_text,
    _check_quick_replies,
    _check_window,
)


def _query(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def running_facebook() -> Iterator[Facebook]:
    """One that answers until the fixture ends."""
    facebook = Facebook()
    facebook.start()
    yield facebook
    facebook.stop()
