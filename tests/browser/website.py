"""Somebody's website, on an origin of its own, with the widget in its pages; and what tests do in the widget."""

import html
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.browser import Browsing
from tests.support.product import Gateway


class Site:
    """Pages by path, each with its headers, changed by tests as they like."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        self.gateway = gateway
        self.url = url
        self.pages: dict[str, tuple[str, dict[str, str]]] = {}

    def put(
        self,
        path: str,
        channel_id: str,
        *,
        user: Mapping[str, str] | None = None,
        head: str = "",
        body: str = "",
        headers: dict[str, str] | None = None,
        **data: str,
    ) -> str:
        """A page with the widget. `user` and `data` become the script's attributes (`user_id` is `data-user-id`). Returns its address."""
        attributes = {"channel": channel_id, **(user or {}), **data}
        written = " ".join(f'data-{name.replace("_", "-")}="{html.escape(value)}"' for name, value in attributes.items())
        script = f'<script src="{self.gateway.url}/widget.js" {written} async></script>'
        return self.put_html(path, f"{head}{script}", body, headers)

    def put_html(self, path: str, head: str, body: str = "", headers: dict[str, str] | None = None) -> str:
        """Any page. Returns its address."""
        title = f"Shop {path}"
        page = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<title>{title}</title><link rel="icon" href="data:,">{head}</head><body><main><h1>{title}</h1>{body}</main></body></html>'
        )
        self.pages[path] = (page, headers or {})
        return f"{self.url}{path}"

    def show(self, browsing: Browsing, channel_id: str, path: str = "/", **options: Any) -> "Widget":
        """A new person's browser at a page with the channel's widget; `options` are for the browser."""
        return Widget(browsing.open(self.put(path, channel_id), **options), self)

    def key(self, channel_id: str, name: str) -> str:
        """Where the widget keeps something in the browser's storages."""
        return f"foyer:{self.gateway.url}:{channel_id}:{name}"


@contextmanager
def serving(gateway: Gateway) -> Iterator[Site]:
    """A website at another port of loopback, which makes it another origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page, headers = site.pages.get(self.path.partition("?")[0], ("", {}))
            body = page.encode()
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(gateway, f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Widget:
    """The widget in a page, as its visitor meets it. Playwright looks into open shadow roots by itself."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.host = page.locator("foyer-widget")
        self.launcher = self.host.locator(".launcher")
        self.panel = self.host.get_by_role("dialog")
        self.log = self.host.get_by_role("log")
        self.box = self.host.get_by_role("textbox")
        self.badge = self.host.locator(".badge")
        self.status = self.host.locator(".status")
        self.queue = self.host.locator(".queue")
        self.typing = self.host.locator(".typing")

    def open(self) -> "Widget":
        self.launcher.click()
        self.panel.wait_for()
        return self

    def close(self) -> None:
        self.panel.get_by_role("button", name="Close the chat").click()

    def say(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def say_and_see(self, text: str) -> None:
        """Say it and wait until the server has it."""
        self.say(text)
        expect(self.mine(text)).to_have_count(1)
        expect(self.log.locator(".msg.waiting")).to_have_count(0)

    def choose(self, label: str) -> None:
        self.log.get_by_role("button", name=label, exact=True).click()

    def message(self, text: str, kind: str = "") -> Locator:
        """The bubbles with exactly this text, of an author of the kind if one is given."""
        return self.log.locator(f".msg{kind and '.' + kind}").filter(has=self.page.get_by_text(text, exact=True))

    def mine(self, text: str) -> Locator:
        """What the visitor said."""
        return self.message(text, "visitor")

    def texts(self) -> list[str]:
        """What the bubbles say, from the oldest to the newest."""
        return self.log.locator(".msg .text").all_inner_texts()

    def kept(self) -> dict[str, str]:
        """What the site's local storage holds, by the end of each name."""
        stored: dict[str, str] = self.page.evaluate("({...localStorage})")
        return {name.rpartition(":")[2]: value for name, value in stored.items()}

    def token(self) -> str:
        """The visitor's."""
        return self.kept()["token"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers the visitor."""
        return self.site.gateway.ask(method, f"/v1/widget{path}", body, token=self.token())
