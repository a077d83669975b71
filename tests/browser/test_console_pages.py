"""Every page of the console: for people who see it, hear it, or use it by keyboard, in both schemes and on both sizes of screen."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import open_shop, sign_in_as
from tests.support.browser import DESKTOP, PHONE, Browsing, axe, screenshot
from tests.support.product import ADMIN_EMAIL, PASSWORD, Agent, Gateway, Visitor
from tests.support.waiting import wait_until

Places = dict[str, str]
PAGES = {
    "mine": "chats/mine",
    "archived": "chats/archived?q=nobody",
    "conversation": "chats/all/{conversation}",
    "profile": "chats/all/{conversation}/profile",
    "queue": "queue",
    "agents": "admin/agents",
    "teams": "admin/teams",
    "channels": "admin/channels",
    "channel": "admin/channels/{channel}",
    "flow": "admin/channels/{channel}/flow",
    "tokens": "admin/tokens",
    "webhooks": "admin/webhooks",
    "webhook": "admin/webhooks/{webhook}",
}
IN_DOCS = {"queue", "agents", "channel", "flow", "webhook"}


@pytest.fixture(scope="module")
def places(gateway: Gateway, admin: str) -> Iterator[Places]:
    """What there is to be seen: one of everything, and somebody in line until the end."""
    nobody = Agent(gateway, admin, "Nora Absent")
    channel_id = open_shop(gateway, admin, nobody)
    visitors = [
        Visitor(gateway, channel_id, address="8.8.8.8", title="Pricing", url="https://shop.example/pricing") for _ in range(3)
    ]
    for visitor in visitors:
        visitor.pass_bot()
    wait_until(lambda: visitors[2].conversation()["queue"], what="the line")
    contact = f"/v1/contacts/{visitors[0].contact_id}"
    gateway.ask("POST", f"{contact}/notes", {"text": "Prefers to be called.", "highlighted": True}, token=admin)
    gateway.ask("POST", f"{contact}/tickets", {"subject": "A quote for ten", "description": "By Friday."}, token=admin)
    gateway.ask("POST", "/v1/teams", {"name": "Sales", "agent_ids": [nobody.id]}, token=admin)
    gateway.ask("POST", "/v1/tokens", {"name": "Our bot", "scopes": ["bot"]}, token=admin)
    hook = {"url": "https://hooks.example/foyer", "events": ["message.created"], "description": "To the data lake"}
    webhook = gateway.ask("POST", "/v1/webhooks", hook, token=admin)
    yield {"channel": channel_id, "conversation": visitors[0].conversation_id, "webhook": webhook["id"]}
    for visitor in visitors:
        gateway.ask("PATCH", f"/v1/conversations/{visitor.conversation_id}", {"status": "archived"}, token=admin)


def settle_down(page: Page) -> None:
    """Return when nothing is being loaded any more, whichever page it is."""
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator(".failed")).to_have_count(0)


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"])
def test_every_page_can_be_used_by_everybody(
    browsing: Browsing, gateway: Gateway, places: Places, size: Any, scheme: Any
) -> None:
    page = sign_in_as(browsing, ADMIN_EMAIL, PASSWORD, size=size, scheme=scheme)
    for name, address in PAGES.items():
        page.goto(f"/console/#/{address.format(**places)}")
        expect(page.locator("#content")).to_be_visible()
        settle_down(page)
        axe(page)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
        if size is DESKTOP and name in IN_DOCS:
            screenshot(page, f"console-{name}")
