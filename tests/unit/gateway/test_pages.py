"""The pages and their files: whom they let in, what they may load, how they are sent."""

import base64
import gzip
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway import limits
from gateway.assets import STATIC, TYPES, find
from gateway.schemas.webhooks import EVENTS
from gateway.traffic import FILES
from tests.unit.gateway.kit import AGENT, World

PAGES = ("/console/", "/demo", "/docs")
MODULE = "/console/vendor/preact/preact.mjs"
CONSOLE = sorted(path for path in (STATIC / "console").rglob("*") if path.is_file())
# Never asked for: a namespace of SVG, and names that belong to nobody (RFC 2606).
NO_HOSTS = re.compile(r"www\.w3\.org|(.+\.)?example(\.(com|org|net))?|localhost")


class Markup(HTMLParser):
    """What a page's markup has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._script: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._script = dict(attrs) if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._script is not None and "src" not in self._script:
            self.inline.append(data)
            self._script = None


def directives(policy: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for words in map(str.split, policy.split(";"))}


@pytest.mark.parametrize("path", PAGES)
def test_page_is_served_with_all_that_it_names(world: World, path: str) -> None:
    page = world.send("GET", path)
    assert (page.status_code, page.content_type) == (200, "text/html; charset=utf-8")
    named = [attributes.get("src") or attributes.get("href") for tag, attributes in Markup(page.text).tags if tag != "a"]
    for address in filter(None, named):
        assert re.match("/[^/]", address), address
        assert world.send("GET", address).status_code == 200, address


@pytest.mark.parametrize("path", PAGES)
def test_page_has_nothing_inline_that_its_policy_refuses(world: World, path: str) -> None:
    page = world.send("GET", path)
    markup = Markup(page.text)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in markup.inline}
    assert set(directives(page.headers["Content-Security-Policy"])["script-src"]) == {"'self'"} | hashes
    for tag, attributes in markup.tags:
        assert tag not in {"style", "base", "iframe", "object", "embed"}
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
def test_policy_lets_a_page_reach_nothing_but_its_gateway(world: World, path: str) -> None:
    policy = directives(world.send("GET", path).headers["Content-Security-Policy"])
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["connect-src"] == policy["style-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "data:"]
    assert "unsafe" not in str(policy)
    assert ("require-trusted-types-for" in policy) == (path != "/docs")


def test_console_has_one_inline_script_the_import_map(world: World) -> None:
    (text,) = Markup(world.send("GET", "/console/").text).inline
    imports = json.loads(text)["imports"]
    assert set(imports) == {"preact", "preact/hooks", "htm", "@preact/signals-core", "@preact/signals"}
    for address in imports.values():
        module = world.send("GET", address)
        assert module.status_code == 200
        assert set(re.findall(r'from"([^"]+)"', module.text)) <= set(imports)


def test_every_file_of_the_console_is_served_with_its_type(world: World) -> None:
    assert CONSOLE
    for path in CONSOLE:
        if path.name == "index.html":
            continue
        answer = world.send("GET", f"/console/{path.relative_to(STATIC / 'console')}")
        assert (answer.status_code, answer.content_type) == (200, TYPES[path.suffix]), path
        assert answer.data == path.read_bytes()


@pytest.mark.parametrize("path", CONSOLE, ids=lambda path: path.name)
def test_nothing_of_the_console_refers_to_another_host(path: Path) -> None:
    hosts = re.findall(r"(?:(?:https?|wss?):|[\"'`(])//([\w.-]+)", path.read_text(errors="ignore"))
    assert not [host for host in hosts if not NO_HOSTS.fullmatch(host.rstrip("."))]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        (MODULE, "text/javascript; charset=utf-8"),
        ("/console/vendor/preact/LICENSE", "text/plain; charset=utf-8"),
        ("/console/icon.svg", "image/svg+xml; charset=utf-8"),
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/docs.css", "text/css; charset=utf-8"),
        ("/widget.js", "text/javascript; charset=utf-8"),
    ],
)
def test_file_has_its_type(world: World, path: str, media_type: str) -> None:
    answer = world.send("GET", path)
    assert (answer.status_code, answer.content_type) == (200, media_type)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/console/nothing.js",
        "/console/index.html",
        "/console/index.html/.",
        "/console/app",
        "/console/vendor",
        "/console/vendor/",
        "/console/vendor/README.md",
        "/console/../pages.py",
        "/console/%2e%2e/docs/docs.js",
        "/console/..%2fdocs%2fdocs.js",
        "/console/%2e%2e%2f%2e%2e%2fpages.py",
        "/console/vendor/../../pages.py",
        "/console/vendor/%2e%2e/docs/docs.js",
        "/console/..\\docs\\docs.js",
        "/console//etc/passwd",
        "/console/%2fetc%2fpasswd",
        "/console/icon.svg%00",
        "/console/%00/icon.svg",
        "/console/icon.svg%00.js",
        "/console/%ff%fe.js",
        f"/console/{'a' * 300}.js",
        "/demo/../console/icon.svg",
        "/demo/index.html",
        "/docs/%2e%2e/console/icon.svg",
        "/docs/swagger-ui/../../console/icon.svg",
        "/docs/index.html",
        "/docs/README.md",
        "/widget.js/x",
    ],
)
def test_what_is_no_file_of_a_page_is_not_found(world: World, path: str) -> None:
    world.problem(404, "NOT_FOUND", world.send("GET", path))


@pytest.mark.parametrize("path", ["/console", "/console/", "/demo", "/widget.js", MODULE])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_files_are_only_read(world: World, method: str, path: str) -> None:
    answer = world.send(method, path)
    world.problem(405, "METHOD_NOT_ALLOWED", answer)
    assert {"GET", "HEAD"} <= set(answer.headers["Allow"].split(", "))


def test_address_without_slash_leads_to_the_console(world: World) -> None:
    answer = world.send("GET", "/console")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/console/")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/console/", MODULE, "/widget.js"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_file_is_not_sent_again_when_the_client_has_it(world: World, path: str, method: str, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    first = world.send("GET", path, headers=headers)
    again = world.send(method, path, headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers.get(name) == first.headers.get(name)
    assert world.send(method, path, headers=headers | {"If-None-Match": 'W/"other"'}).status_code == 200


def test_console_is_asked_for_each_time_and_the_widget_every_five_minutes(world: World) -> None:
    assert world.send("GET", "/console/").headers["Cache-Control"] == "no-cache"
    assert world.send("GET", MODULE).headers["Cache-Control"] == "no-cache"
    assert world.send("GET", "/widget.js").headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("accepted", "sent"), [("gzip, deflate, br", "gzip"), ("*", "gzip"), ("br", None), ("gzip;q=0, *", None), (None, None)]
)
def test_file_is_compressed_for_whom_takes_that(world: World, accepted: str | None, sent: str | None) -> None:
    answer = world.send("GET", MODULE, headers={"Accept-Encoding": accepted} if accepted else {})
    assert answer.headers.get("Content-Encoding") == sent
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    content = (STATIC / "vendor/preact/preact.mjs").read_bytes()
    assert (gzip.decompress(answer.data) if sent else answer.data) == content
    head = world.send("HEAD", MODULE, headers={"Accept-Encoding": accepted} if accepted else {})
    assert (head.headers["Content-Length"], head.data) == (answer.headers["Content-Length"], b"")


@pytest.mark.parametrize("path", ["/v1/openapi.json", "/v1/agents/me", "/metrics", "/console/nothing.js"])
def test_other_answers_are_not_compressed(world: World, path: str) -> None:
    world.rpc.answers["presence.get_agent"] = AGENT
    answer = world.send("GET", path, token=world.agent_token(), headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    path.write_text("one")
    first = find(tmp_path, "a.js")
    assert find(tmp_path, "a.js") is first
    path.write_text("two")
    os.utime(path, ns=(0, 0))
    assert find(tmp_path, "a.js").body == b"two"
    assert find(tmp_path, "a.js").etag != first.etag


def test_other_sites_may_load_the_widget_and_nothing_else(world: World) -> None:
    origin = {"Origin": "https://shop.example"}
    widget = world.send("GET", "/widget.js", headers=origin)
    assert widget.headers["Access-Control-Allow-Origin"] == "*"
    assert widget.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    for path in (*PAGES, MODULE, "/docs/docs.js"):
        headers = world.send("GET", path, headers=origin).headers
        assert "Access-Control-Allow-Origin" not in headers
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_nobody_is_asked_for_a_page(world: World) -> None:
    world = World(FOYER_RATE_LIMITS="on")
    for path in (*PAGES, "/console", MODULE, "/widget.js", "/console/nothing.js"):
        world.send("GET", path, token="an-api-token")
    assert world.rpc.calls == []


def test_pages_and_files_share_a_limit_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAGES", "5/minute")
    world = World(FOYER_RATE_LIMITS="on", TRUSTED_PROXIES="127.0.0.1")
    world.rpc.answers["presence.get_agent"] = AGENT

    def ask(path: str, address: str = "9.9.9.9") -> int:
        return world.send("GET", path, headers={"X-Forwarded-For": address}).status_code

    paths = ["/console/", MODULE, "/widget.js", "/docs", "/console/nothing.js", "/demo", MODULE]
    assert [ask(path) for path in paths] == [200, 200, 200, 200, 404, 429, 429]
    assert ask("/console/", "8.8.8.8") == 200
    assert ask("/v1/openapi.json") == 200


def test_pages_do_not_count_with_everybodys_requests() -> None:
    world = World(FOYER_RATE_LIMITS="on")
    assert {world.send("GET", MODULE).status_code for _ in range(1_300)} == {200}
    assert world.send("GET", "/v1/openapi.json").status_code == 200


def test_console_files_are_one_route_to_whoever_counts_them(world: World) -> None:
    for path in (MODULE, "/console/icon.svg", "/console/nothing.js"):
        world.send("GET", path)
    routes = set(re.findall(r'route="(/console/[^"]+)"', world.send("GET", "/metrics").text))
    assert routes == {"/console/<path:name>"}


def test_files_that_are_not_logged_are_routes(world: World) -> None:
    assert {rule.rule for rule in world.app.url_map.iter_rules()} >= FILES


def test_console_offers_the_events_that_a_webhook_can_be_told_of() -> None:
    form = (STATIC / "console/app/views/admin/webhook/form.js").read_text()
    listed = re.search(r"const EVENTS = \[(.*?)\]", form, re.DOTALL)
    assert listed
    assert set(re.findall(r'"([\w.]+)"', listed[1])) == set(EVENTS)
