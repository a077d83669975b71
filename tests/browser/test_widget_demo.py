"""The demo page: a shop with the widget under the gateway's own strict policy."""

from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.website import Site, Widget
from tests.support.browser import DESKTOP, PHONE, Browsing, axe, screenshot
from tests.support.product import Gateway


def test_demo_shows_the_chat_on_all_its_pages(browsing: Browsing, website: Site, gateway: Gateway, channel_id: str) -> None:
    page = browsing.open(f"/demo?channel={channel_id}")
    widget = Widget(page, website).open()
    widget.say_and_see("Mia")
    page.get_by_role("link", name="Floor lamps").click()
    expect(page.get_by_role("heading", name="Floor lamps")).to_be_visible()
    expect(widget.mine("Mia")).to_be_visible()
    widget.close()
    page.get_by_role("button", name="Ask about it").click()
    expect(widget.box).to_be_focused()
    widget.close()
    expect(page.get_by_role("button", name="Ask about it")).to_be_focused()
    line = f'<script src="{gateway.url}/widget.js" data-channel="{channel_id}" async></script>'
    expect(page.locator("#snippet")).to_have_text(line)
    page.get_by_label("Spoil this page").check()
    expect(page.get_by_role("heading", name="Floor lamps")).to_have_css("font-size", "40px")
    widget.open()
    expect(widget.mine("Mia")).to_be_visible()
    expect(widget.box).to_have_css("font-size", "14px")


def test_demo_says_how_when_no_channel_is_named(browsing: Browsing) -> None:
    page = browsing.open("/demo")
    expect(page.get_by_role("heading", name="Which channel?")).to_be_visible()
    expect(page.locator("foyer-widget")).to_have_count(0)
    axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_everybody_can_use_the_demo(
    browsing: Browsing, website: Site, channel_id: str, scheme: Literal["light", "dark"], size: str
) -> None:
    page = browsing.open(f"/demo?channel={channel_id}", scheme=scheme, size=DESKTOP if size == "desktop" else PHONE)
    widget = Widget(page, website)
    expect(widget.launcher).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(page, f"demo-{size}-{scheme}")
    widget.open()
    expect(widget.message("What is your name?")).to_be_visible()
    axe(page)
    screenshot(page, f"demo-open-{size}-{scheme}")
