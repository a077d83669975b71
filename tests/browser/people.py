"""What people do in a browser before a test begins, and what they look for there."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.browser import Browsing
from tests.support.product import PASSWORD, Agent, Gateway
from tests.unit.messaging.flows import ACME

# A module of the console as the page itself has it, whose address is of the release.
MODULE = """(name) => import(document.querySelector("script[src$='/app/main.js']").src.replace("main.js", `${name}.js`))"""


def sign_in(browsing: Browsing, agent: Agent, address: str = "/console/", **options: Any) -> Page:
    """An agent's console, as far as its frame; `options` as `Browsing.open` takes them."""
    return sign_in_as(browsing, agent.email, PASSWORD, address, **options)


def sign_in_as(browsing: Browsing, email: str, password: str, address: str = "/console/", **options: Any) -> Page:
    """The same for an account by its e-mail address."""
    page = browsing.open(address, **options)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".account-button")).to_be_visible()
    # From here on what is shown is only read anew when something happens.
    expect(page.locator("[data-connection=live]")).to_be_attached()
    return page


def row(page: Page, name: str) -> Locator:
    """A contact in the list."""
    return page.get_by_role("list", name="Conversations").get_by_role("listitem").filter(has_text=name)


def turn(page: Page, text: str) -> Locator:
    """What somebody said in the conversation, these words and no others."""
    return page.get_by_role("log").locator(".words", has_text=re.compile(f"^{re.escape(text)}$"))


def open_shop(gateway: Gateway, admin: str, agent: Agent) -> str:
    """A web channel with the Acme flow, which hands over to this agent alone, whoever else is still connected."""
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Acme shop"}, token=admin)
    blocks = ACME["blocks"] | {"handover": ACME["blocks"]["handover"] | {"agents": [agent.id]}}
    gateway.ask("PUT", f"/v1/channels/{channel['id']}/flow", ACME | {"blocks": blocks}, token=admin)
    return str(channel["id"])
