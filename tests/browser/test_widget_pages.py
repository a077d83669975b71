"""The widget on other people's pages: their styles and policies, their navigation, their storage, their scripts."""

import gzip
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gateway.assets import STATIC
from tests.browser.website import Site, Widget
from tests.support.browser import Browsing, settle
from tests.support.product import Agent, Gateway

SOURCE = STATIC / "widget" / "widget.js"
HOSTILE_STYLES = """
:root { font-size: 3px; direction: rtl; --accent: red; --surface: red; color-scheme: dark }
* { font-size: 40px !important; color: red !important; letter-spacing: 9px !important; text-transform: uppercase !important; line-height: 5 !important }
*, *::before, *::after { border: 9px dotted lime !important; margin: 30px !important; padding: 30px !important; box-sizing: content-box !important }
button, textarea, p, h2, svg, foyer-widget, [class] { display: none !important }
body > *, html > * { position: static !important; opacity: .1 !important; visibility: hidden !important; transform: rotate(20deg) !important }
foyer-widget { all: unset !important; z-index: -1 !important; pointer-events: none !important; filter: blur(9px) !important; width: 9px !important }
.panel, .launcher, .msg, .root { background: lime !important }
"""


def measure(widget: Widget) -> list[Any]:
    """Where everything is and how it looks."""
    measured: list[Any] = widget.host.evaluate(
        """(host) => [host, ...host.shadowRoot.querySelectorAll("*")].map((node) => {
            const {x, y, width, height} = node.getBoundingClientRect();
            const {fontSize, color, backgroundColor, display, letterSpacing, opacity, visibility, zIndex} = getComputedStyle(node);
            return [node.className, x, y, width, height, fontSize, color, backgroundColor, display, letterSpacing, opacity, visibility, zIndex].join(" ");
        })"""
    )
    return measured


def test_widget_looks_the_same_when_the_page_is_hostile(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id).open()
    page = widget.page
    widget.say_and_see("Mia")
    expect(widget.message("And your e-mail, Mia?")).to_be_visible()
    page.mouse.move(5, 5)
    expect(widget.launcher).to_have_css("transform", "none")
    settle(page)
    calm = measure(widget)
    page.add_style_tag(content=HOSTILE_STYLES)
    settle(page)
    assert measure(widget) == calm
    widget.say_and_see("mia@example.com")
    widget.choose("Just looking")
    widget.close()
    widget.open()
    covers = "(host) => document.elementFromPoint(innerWidth - 40, innerHeight - 40) === host"
    assert widget.host.evaluate(covers)


def test_page_keeps_its_own_ways_when_the_widget_is_there(browsing: Browsing, website: Site, channel_id: str) -> None:
    body = "<style>body { color: rgb(1, 2, 3) }</style><button>Buy</button>"
    page = browsing.open(website.put("/", channel_id, body=body))
    page.evaluate("() => { window.keys = []; addEventListener('keydown', ({key}) => keys.push(key)); }")
    before = page.evaluate("document.body.getBoundingClientRect().toJSON()")
    widget = Widget(page, website).open()
    widget.say_and_see("Mia")
    assert page.evaluate("keys") == []
    assert page.evaluate("document.body.getBoundingClientRect().toJSON()") == before
    names = page.evaluate("Object.keys(window).filter((name) => /foyer/i.test(name))")
    assert names == ["Foyer"]
    page.evaluate("() => { document.body.replaceChildren(); }")
    expect(widget.mine("Mia")).to_be_visible()


@pytest.mark.parametrize("trusted", ["", "; require-trusted-types-for 'script'; trusted-types 'none'"])
def test_widget_works_when_the_page_has_a_strict_policy(
    browsing: Browsing, website: Site, gateway: Gateway, channel_id: str, trusted: str
) -> None:
    server = gateway.url
    policy = (
        f"default-src 'none'; script-src {server}; connect-src {server} {server.replace('http', 'ws')}; img-src data:{trusted}"
    )
    page = browsing.open(website.put("/", channel_id, headers={"Content-Security-Policy": policy}))
    widget = Widget(page, website).open()
    widget.say_and_see("Mia")
    expect(widget.launcher).to_have_css("border-radius", "999px")
    expect(widget.launcher).to_have_css("background-color", "rgb(59, 91, 219)")


def test_widget_asks_when_the_policy_lets_it_not_listen(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str, channel_id: str
) -> None:
    browsing.expect("Content Security Policy")
    policy = f"default-src 'none'; script-src {gateway.url}; connect-src {gateway.url}; img-src data:"
    widget = Widget(browsing.open(website.put("/", channel_id, headers={"Content-Security-Policy": policy})), website).open()
    widget.say_and_see("Mia")
    agent = Agent(gateway, admin, "Ada")
    agent.say(agent.ask("GET", f"/v1/conversations?channel_id={channel_id}")["items"][0]["id"], "Can you hear me?")
    expect(widget.message("Can you hear me?")).to_be_visible()


def test_page_is_left_alone_when_its_policy_does_not_know_the_server(
    browsing: Browsing, website: Site, gateway: Gateway, channel_id: str
) -> None:
    browsing.expect("Content Security Policy", "Failed to load resource")
    policy = f"default-src 'none'; script-src {gateway.url}; img-src data:"
    widget = Widget(browsing.open(website.put("/", channel_id, headers={"Content-Security-Policy": policy})), website).open()
    expect(widget.status).to_have_text("The chat is not available on this page.")
    widget.close()
    expect(widget.launcher).to_be_hidden()
    assert len([said for said in browsing.console if "Foyer: no chat on this page: its Content-Security-Policy" in said]) == 1


def test_page_is_not_left_when_a_policy_only_reports(browsing: Browsing, website: Site, channel_id: str) -> None:
    browsing.expect("Content Security Policy")
    headers = {"Content-Security-Policy-Report-Only": "connect-src 'none'"}
    widget = Widget(browsing.open(website.put("/", channel_id, headers=headers)), website).open()
    widget.say_and_see("Mia")
    assert any("report-only" in said.lower() for said in browsing.console)


def test_widget_works_when_names_in_the_page_are_those_of_the_browser(browsing: Browsing, website: Site, channel_id: str) -> None:
    names = '<script>window.navigation = window.visualViewport = {};</script><img name="currentScript" alt="">'
    page = browsing.open(website.put_html("/", "", names))
    load(page, website, "")
    assert "the script needs data-channel" in browsing.console[0]
    load(page, website, channel_id)
    Widget(page, website).open().say_and_see("Mia")


def test_widget_comes_back_when_the_page_took_it_away(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    widget.page.evaluate("document.querySelector('foyer-widget').remove()")
    expect(widget.mine("Mia")).to_be_visible()
    widget.say_and_see("mia@example.com")
    # A page that insists has its way, until somebody asks for the chat.
    widget.page.evaluate(
        """async () => {
            const host = document.querySelector("foyer-widget");
            for (let times = 0; times < 30; times++) {
                host.remove();
                await Promise.resolve().then();
            }
        }"""
    )
    expect(widget.host).to_have_count(0)
    widget.page.evaluate("Foyer.open()")
    expect(widget.host).to_have_count(1)


def test_page_drives_the_widget_when_its_scripts_want(browsing: Browsing, website: Site, channel_id: str) -> None:
    page = browsing.open()
    page.add_init_script(
        """window.heard = [];
        for (const name of ["foyer:ready", "foyer:message"]) addEventListener(name, ({type, detail}) => heard.push([type, detail?.message.text]));"""
    )
    page.goto(website.put("/", channel_id))
    widget = Widget(page, website)
    expect(widget.launcher).to_be_visible()
    assert page.evaluate("heard") == [["foyer:ready", None]]
    page.evaluate("Foyer.open()")
    widget.say_and_see("Mia")
    expect(widget.message("And your e-mail, Mia?")).to_be_visible()
    assert page.evaluate("heard")[1:] == [["foyer:message", "And your e-mail, Mia?"]]
    page.evaluate("Foyer.toggle()")
    expect(widget.panel).to_be_hidden()
    page.evaluate("Foyer.reset()")
    assert widget.kept() == {}
    page.evaluate("Foyer.open()")
    expect(widget.message("What is your name?")).to_be_visible()
    expect(widget.mine("Mia")).to_have_count(0)
    page.evaluate("Foyer.destroy()")
    assert page.evaluate("[window.Foyer === undefined, document.querySelector('foyer-widget')]") == [True, None]
    load(page, website, channel_id)
    expect(widget.message("What is your name?")).to_be_visible()


def load(page: Page, website: Site, channel_id: str) -> None:
    """Include the script once more."""
    page.evaluate(
        """([src, channel]) => new Promise((resolve) => {
            const script = Object.assign(document.createElement("script"), { src, onload: resolve });
            script.dataset.channel = channel;
            document.head.append(script);
        })""",
        [f"{website.gateway.url}/widget.js", channel_id],
    )


def test_second_inclusion_does_nothing(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id)
    expect(widget.launcher).to_be_visible()
    load(widget.page, website, channel_id)
    expect(widget.host).to_have_count(1)


def test_texts_colours_and_side_are_the_pages_when_it_says_so(browsing: Browsing, website: Site, channel_id: str) -> None:
    head = "<script>window.FoyerTexts = { send: 'Enviar', placeholder: 'Escreva aqui', locale: 'pt-PT' };</script>"
    address = website.put("/", channel_id, head=head, title="Fale connosco", greeting="Olá!", color="#ffd43b", position="left")
    widget = Widget(browsing.open(address), website).open()
    expect(widget.panel).to_have_accessible_name("Fale connosco")
    expect(widget.box).to_have_attribute("placeholder", "Escreva aqui")
    expect(widget.log.get_by_text("Olá!")).to_be_visible()
    expect(widget.launcher).to_have_css("background-color", "rgb(255, 212, 59)")
    expect(widget.launcher).to_have_css("color", "rgb(16, 19, 26)")
    widget.page.mouse.move(600, 5)
    expect(widget.launcher).to_have_css("transform", "none")
    box = widget.launcher.bounding_box()
    assert box is not None
    assert box["x"] == 20


def test_file_is_small_and_makes_no_markup_of_text() -> None:
    source = SOURCE.read_text()
    assert len(gzip.compress(source.encode())) < 30_000
    assert re.findall(r"\b(?:inner|outer)HTML|insertAdjacentHTML|document\.(?:write|cookie)|\beval\b|new Function", source) == []
