"""Users whom the website vouches for: one conversation wherever they sign in, and nothing of it for whoever comes after them."""

import hashlib
import hmac
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.website import Site, Widget
from tests.e2e.conftest import make_channel
from tests.support.browser import Browsing
from tests.support.product import Agent, Gateway
from tests.support.waiting import wait_until


class Shop:
    """A channel whose website knows its users."""

    def __init__(self, gateway: Gateway, admin: str) -> None:
        self.gateway = gateway
        self.admin = admin
        self.channel_id = make_channel(gateway, admin)
        path = f"/v1/channels/{self.channel_id}/identity-secret"
        self.secret = gateway.ask("POST", path, token=admin)["identity_secret"]

    def user(self, user_id: str) -> dict[str, str]:
        """What the website's server writes into the page of somebody who is signed in."""
        return {"user_id": user_id, "user_hash": hmac.new(self.secret.encode(), user_id.encode(), hashlib.sha256).hexdigest()}

    def contacts(self) -> dict[str | None, dict[str, Any]]:
        """By the website's own ids."""
        found = self.gateway.ask("GET", f"/v1/contacts?channel_id={self.channel_id}", token=self.admin)["items"]
        return {contact["external_id"]: contact for contact in found}


@pytest.fixture
def shop(gateway: Gateway, admin: str) -> Shop:
    return Shop(gateway, admin)


def test_user_has_one_conversation_when_signed_in_on_two_devices(browsing: Browsing, website: Site, shop: Shop) -> None:
    address = website.put("/", shop.channel_id, user=shop.user("4711"), user_name="Ada Lovelace", user_email="ada@example.com")
    here = Widget(browsing.open(address), website).open()
    here.say_and_see("From the desktop")
    there = Widget(browsing.open(address), website).open()
    expect(there.mine("From the desktop")).to_be_visible()
    there.say_and_see("From the phone")
    expect(here.mine("From the phone")).to_be_visible()
    contacts = shop.contacts()
    assert contacts.keys() == {"4711"}
    assert contacts["4711"]["email"] == "ada@example.com"


def test_conversation_goes_on_when_the_visitor_signs_in(browsing: Browsing, website: Site, shop: Shop) -> None:
    widget = website.show(browsing, shop.channel_id).open()
    widget.say_and_see("Mia")
    user = shop.user("4711")
    widget.page.evaluate("(user) => Foyer.identify(user)", {"id": user["user_id"], "hash": user["user_hash"]})
    wait_until(lambda: shop.contacts().keys() == {"4711"}, what="the visitor to be the user")
    expect(widget.mine("Mia")).to_be_visible()
    widget.say_and_see("mia@example.com")
    expect(widget.message("What is it about?")).to_be_visible()
    kept = widget.kept()
    assert "token" not in kept
    assert len(kept) == 1, "that the user has talked here, and nothing else"
    website.put("/account", shop.channel_id, user=user)
    widget.page.goto(f"{website.url}/account")
    expect(widget.mine("mia@example.com")).to_be_visible()


def test_nobody_reads_a_users_conversation_when_the_user_signed_out(browsing: Browsing, website: Site, shop: Shop) -> None:
    website.put("/account", shop.channel_id, user=shop.user("4711"))
    website.put("/other", shop.channel_id, user=shop.user("4712"))
    website.put("/", shop.channel_id)
    page = browsing.open(f"{website.url}/account")
    widget = Widget(page, website).open()
    widget.say_and_see("My secret")
    for path in ("/other", "/"):
        page.goto(f"{website.url}{path}")
        expect(widget.message("What is your name?")).to_be_visible()
        expect(widget.mine("My secret")).to_have_count(0)
    page.goto(f"{website.url}/account")
    expect(widget.mine("My secret")).to_be_visible()
    page.evaluate("Foyer.reset()")
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    expect(widget.panel).to_be_hidden()
    assert shop.contacts().keys() == {None, "4711", "4712"}


def test_other_tabs_forget_the_visitor_when_one_signs_in(browsing: Browsing, website: Site, shop: Shop) -> None:
    browsing.expect("Failed to load resource")  # what the other tab asks before it hears of it
    website.put("/account", shop.channel_id, user=shop.user("4711"))
    before = website.show(browsing, shop.channel_id).open()
    before.say_and_see("Mia")
    account = Widget(before.page.context.new_page(), website)
    account.page.goto(f"{website.url}/account")
    account.open()
    expect(account.mine("Mia")).to_be_visible()
    expect(before.panel).to_be_hidden()
    before.open()
    expect(before.message("What is your name?")).to_be_visible()
    expect(before.mine("Mia")).to_have_count(0)


def test_page_that_comes_back_is_nobodys_when_its_user_signed_out_meanwhile(
    browsing: Browsing, website: Site, shop: Shop
) -> None:
    widget = Widget(browsing.open(website.put("/account", shop.channel_id, user=shop.user("4711"))), website).open()
    widget.say_and_see("My secret")
    widget.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    widget.page.evaluate("[localStorage, sessionStorage].forEach((storage) => storage.clear())")  # as the next page's reset()
    widget.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(widget.panel).to_be_hidden()
    widget.open()
    expect(widget.message("What is your name?")).to_be_visible()
    expect(widget.mine("My secret")).to_have_count(0)
    widget.say_and_see("Somebody else")
    assert shop.contacts().keys() == {None, "4711"}


def test_users_other_tabs_forget_the_user_when_one_signs_out(browsing: Browsing, website: Site, shop: Shop) -> None:
    address = website.put("/account", shop.channel_id, user=shop.user("4711"))
    here = Widget(browsing.open(address), website).open()
    there = Widget(here.page.context.new_page(), website)
    there.page.goto(address)
    there.open().say_and_see("My secret")
    expect(here.mine("My secret")).to_be_visible()
    here.page.evaluate("Foyer.reset()")
    expect(there.panel).to_be_hidden()
    kept = "[localStorage.length, sessionStorage.length]"
    wait_until(lambda: there.page.evaluate(kept) == [0, 0], what="the other tab to keep nothing")
    there.open()
    expect(there.message("What is your name?")).to_be_visible()
    expect(there.mine("My secret")).to_have_count(0)


def test_what_is_being_written_stays_when_the_visitor_signs_in(browsing: Browsing, website: Site, shop: Shop) -> None:
    widget = website.show(browsing, shop.channel_id).open()
    expect(widget.message("What is your name?")).to_be_visible()
    widget.box.fill("half a sen")
    user = shop.user("4711")
    widget.page.evaluate("(user) => Foyer.identify(user)", {"id": user["user_id"], "hash": user["user_hash"]})
    wait_until(lambda: shop.contacts().keys() == {"4711"}, what="the visitor to be the user")
    expect(widget.box).to_have_value("half a sen")
    widget.page.evaluate("Foyer.reset()")
    expect(widget.open().box).to_have_value("")


def test_message_is_not_sent_unasked_when_the_visitor_became_somebodys_user(
    browsing: Browsing, website: Site, shop: Shop
) -> None:
    browsing.expect("Failed to load resource")
    widget = website.show(browsing, shop.channel_id).open()
    widget.say_and_see("My secret")
    token, user = widget.token(), shop.user("4711")
    told = {"visitor_token": token, "user": {"id": user["user_id"], "hash": user["user_hash"]}}
    shop.gateway.ask("POST", f"/v1/widget/{shop.channel_id}/session", told)
    refused = lambda: shop.gateway.send("GET", "/v1/widget/conversation", token=token).status_code == 401  # noqa: E731
    wait_until(refused, what="the token to be refused")
    widget.say("For whom?")
    expect(widget.log.locator(".fault")).to_contain_text("Not sent.")
    expect(widget.message("What is your name?")).to_be_visible()
    expect(widget.mine("My secret")).to_have_count(0)
    assert widget.token() != token
    widget.log.get_by_role("button", name="Try again").click()
    expect(widget.message("And your e-mail, For whom??")).to_be_visible()
    assert shop.contacts().keys() == {None, "4711"}


def test_user_is_told_what_is_new_when_coming_back(browsing: Browsing, website: Site, shop: Shop) -> None:
    address = website.put("/", shop.channel_id, user=shop.user("4711"))
    widget = Widget(browsing.open(address), website).open()
    widget.say_and_see("Mia")
    expect(widget.message("And your e-mail, Mia?")).to_be_visible()
    context = widget.page.context
    wait_until(lambda: widget_read(shop, widget), what="the read marker")
    widget.page.close()
    agent = Agent(shop.gateway, shop.admin, "Ada")
    conversation = agent.ask("GET", f"/v1/conversations?channel_id={shop.channel_id}")["items"][0]
    agent.say(conversation["id"], "Are you there?")
    again = Widget(context.new_page(), website)
    again.page.goto(address)
    expect(again.badge).to_have_text("1")


def widget_read(shop: Shop, widget: Widget) -> bool:
    """Whether the server knows that the user has seen everything."""
    token = widget.page.evaluate("sessionStorage.getItem(Object.keys(sessionStorage).find((key) => key.endsWith(':token')))")
    conversation = shop.gateway.ask("GET", "/v1/widget/conversation", token=token)
    return bool(conversation["visitor_read_seq"] == conversation["last_seq"])


@pytest.mark.parametrize("fault", ["wrong hash", "no hash", "no secret"])
def test_nobody_talks_when_the_user_is_not_vouched_for(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str, shop: Shop, fault: str
) -> None:
    browsing.expect("Failed to load resource")
    user = shop.user("4711")
    if fault == "wrong hash":
        user["user_id"] = "4712"
    if fault == "no hash":
        user["user_hash"] = ""
    channel_id = make_channel(gateway, admin) if fault == "no secret" else shop.channel_id
    widget = Widget(browsing.open(website.put("/", channel_id, user=user)), website)
    if fault == "no hash":
        wait_until(lambda: widget.page.evaluate("1") and browsing.console, what="the warning")
        assert "a user needs an id and a hash" in browsing.console[0]
        expect(widget.host).to_have_count(0)
        return
    widget.open()
    expect(widget.status).to_have_text("The chat is not available on this page.")
    assert any("IDENTITY_NOT_VERIFIED" in said for said in browsing.console)
    assert shop.contacts() == {}


def test_page_without_a_user_is_anonymous_when_its_attributes_are_empty(browsing: Browsing, website: Site, shop: Shop) -> None:
    address = website.put("/", shop.channel_id, user_id="", user_hash="", user_name="")
    Widget(browsing.open(address), website).open().say_and_see("Mia")
    assert shop.contacts().keys() == {None}
