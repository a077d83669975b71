"""The widget for everybody: keyboard, screen readers, phones, both schemes."""

from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.website import Site, Widget
from tests.e2e.conftest import make_channel
from tests.support.browser import DESKTOP, PHONE, Browsing, axe, screenshot
from tests.support.product import Agent, Gateway


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_everybody_can_use_it(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str, scheme: Literal["light", "dark"], size: str
) -> None:
    browsing.expect("Failed to load resource")
    channel_id = make_channel(gateway, admin)
    agent = Agent(gateway, admin, "Ada")
    widget = website.show(browsing, channel_id, scheme=scheme, size=DESKTOP if size == "desktop" else PHONE)
    page = widget.page
    expect(widget.launcher).to_be_visible()
    axe(page)
    widget.open()
    widget.say_and_see("Mia Lund")
    widget.say_and_see("mia@example.com")
    expect(widget.log.get_by_role("button", name="A quote")).to_be_visible()
    axe(page)
    screenshot(page, f"widget-bot-{size}-{scheme}")
    widget.choose("A quote")
    expect(widget.queue).to_be_visible()
    axe(page)
    conversation_id = agent.ask("GET", f"/v1/conversations?channel_id={channel_id}")["items"][0]["id"]
    agent.say(conversation_id, "Hello Mia, ten seats are 90 a month: https://acme.example/pricing")
    agent.ask("POST", f"/v1/conversations/{conversation_id}/typing", {"typing": True})
    expect(widget.message("You are talking to Ada")).to_have_count(0)
    page.route("**/v1/widget/messages", lambda route: route.abort())
    widget.say("Thank you")
    expect(widget.log.get_by_text("Sending…")).to_be_visible()
    axe(page)
    page.unroute("**/v1/widget/messages")
    expect(widget.log.locator(".msg.waiting")).to_have_count(0)
    screenshot(page, f"widget-agent-{size}-{scheme}")
    agent.archive(conversation_id)
    expect(widget.log.get_by_role("button", name="Start a new one")).to_be_visible()
    axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("color", ["#ffd43b", "#111111", "#e8590c", "#ffffff"])
def test_text_can_be_read_when_the_page_chose_the_accent(
    browsing: Browsing, website: Site, channel_id: str, color: str, scheme: Literal["light", "dark"]
) -> None:
    widget = Widget(browsing.open(website.put("/", channel_id, color=color), scheme=scheme), website).open()
    widget.say_and_see("Mia https://acme.example/")
    widget.say_and_see("mia@example.com")
    expect(widget.log.get_by_role("button", name="A quote")).to_be_visible()
    axe(widget.page)


def test_keyboard_is_enough(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id)
    page = widget.page
    expect(widget.launcher).to_be_visible()
    page.keyboard.press("Tab")
    expect(widget.launcher).to_be_focused()
    expect(widget.launcher).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(widget.box).to_be_focused()
    expect(widget.launcher).to_have_attribute("aria-expanded", "true")
    for text in ("Mia", "mia@example.com"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(widget.mine(text)).to_be_visible()
    quote = widget.log.get_by_role("button", name="A quote")
    expect(quote).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(quote).to_be_focused()
    page.keyboard.press("Enter")
    expect(widget.mine("A quote")).to_be_visible()
    expect(widget.box).to_be_focused()
    page.keyboard.press("Escape")
    expect(widget.panel).to_be_hidden()
    expect(widget.launcher).to_be_focused()


def test_new_messages_are_read_out_and_old_ones_are_not(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id).open()
    expect(widget.message("What is your name?")).to_be_visible()
    expect(widget.log).to_have_attribute("aria-live", "polite")
    widget.log.evaluate(
        """(log) => {
            window.added = [];
            const told = (node) => node.nodeType === 1 && node.className.includes("msg") && added.push(node.querySelector(".text").textContent);
            new MutationObserver((changes) => changes.forEach(({addedNodes}) => addedNodes.forEach(told))).observe(log, {childList: true});
        }"""
    )
    widget.say_and_see("Mia")
    expect(widget.message("And your e-mail, Mia?")).to_be_visible()
    widget.say_and_see("no address")
    expect(widget.message("That does not look like an e-mail address.")).to_be_visible()
    assert widget.page.evaluate("added") == [
        "Mia",
        "And your e-mail, Mia?",
        "no address",
        "That does not look like an e-mail address.",
    ]


def test_panel_fills_the_screen_when_it_is_a_phones(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id, size=PHONE).open()
    page = widget.page
    expect(widget.panel).to_have_css("transform", "none")
    assert widget.panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    expect(widget.launcher).to_be_hidden()
    expect(widget.panel).to_have_attribute("aria-modal", "true")
    expect(widget.message("What is your name?")).to_be_visible()
    # The keyboard comes when the visitor asks for it, and focus stays inside.
    expect(widget.panel).to_be_focused()
    widget.box.focus()
    page.keyboard.type("x")
    for _ in range(12):
        page.keyboard.press("Tab")
        assert widget.host.evaluate("(host) => document.activeElement === host")
    widget.close()
    expect(widget.launcher).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_nothing_moves_when_the_visitor_asked_for_that(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id, reduced_motion="reduce").open()
    assert widget.host.evaluate("(host) => host.shadowRoot.getAnimations().length") == 0
