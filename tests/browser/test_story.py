"""The whole story in two browsers: a visitor on a website, the bot, an agent who gets the conversation, and its end."""

import re

from playwright.sync_api import Page, expect

from tests.browser.people import open_shop, row, sign_in, turn
from tests.browser.website import Site
from tests.support.browser import PHONE, RETURN_MS, Browsing, axe, screenshot
from tests.support.product import Agent, Gateway
from tests.support.waiting import wait_until

ADDRESS = "8.8.8.8"


def say(page: Page, text: str) -> None:
    box = page.get_by_label("Message to the visitor")
    box.fill(text)
    box.press("Enter")


def come_from(page: Page, address: str) -> None:
    """Have the page's session come from an address, as a proxy tells it that the gateway trusts."""
    page.route(
        "**/v1/widget/*/session",
        lambda route: route.continue_(headers=route.request.headers | {"x-forwarded-for": address}),
    )


def test_visitor_and_agent_meet_talk_and_part(browsing: Browsing, website: Site, gateway: Gateway, admin: str) -> None:
    ada = Agent(gateway, admin, "Ada Park")
    channel_id = open_shop(gateway, admin, ada)
    console = sign_in(browsing, ada)
    expect(console.get_by_text("You have no conversations")).to_be_visible()
    wait_until(lambda: ada.presence()["connected"], what="Ada's connection")

    # The visitor reads a page, opens the chat and answers the bot.
    widget = website.show(browsing, channel_id, "/pricing")
    come_from(widget.page, ADDRESS)
    widget.open()
    for words in ("Mia Lund", "mia at example", "mia@example.com"):
        widget.say_and_see(words)
    expect(widget.message("That does not look like an e-mail address.")).to_be_visible()
    screenshot(widget.page, "widget-bot")
    widget.choose("A quote")

    # The agent has the conversation, and sees all of it.
    expect(row(console, "Mia Lund")).to_be_visible()
    expect(widget.panel.get_by_text("You are talking to Ada Park")).to_be_visible()
    row(console, "Mia Lund").click()
    for words in ("Hi, I am the Acme bot.", "What is your name?", "mia at example", "mia@example.com", "A quote"):
        expect(turn(console, words)).to_be_visible()
    # Whoever has read to the end has read.
    console.get_by_role("button", name="To the newest message").click()
    expect(row(console, "Mia Lund").get_by_text("unread")).to_have_count(0)

    # They talk.
    widget.box.press_sequentially("How much is it for ten people?")
    expect(console.get_by_text("Mia Lund is writing…")).to_be_visible()
    widget.box.press("Enter")
    expect(turn(console, "How much is it for ten people?")).to_be_visible()
    console.get_by_label("Message to the visitor").press_sequentially("Ten seats are 90")
    expect(widget.typing).to_have_text("Ada Park is typing")
    console.get_by_label("Message to the visitor").press_sequentially(" a month: see https://shop.example/teams")
    console.get_by_label("Message to the visitor").press("Enter")
    answer = "Ten seats are 90 a month: see https://shop.example/teams"
    expect(widget.log).to_contain_text(answer)
    expect(console.get_by_role("log").get_by_role("link", name="https://shop.example/teams")).to_have_attribute(
        "rel", re.compile("noopener")
    )
    expect(console.get_by_role("log").get_by_text("Seen")).to_be_visible()

    # The profile has filled in.
    profile = console.get_by_role("tabpanel", name="Info")
    for known in ("Mia Lund", "mia@example.com", ADDRESS, "United States", f"{website.url}/pricing"):
        expect(profile.get_by_text(known).first).to_be_visible()
    expect(profile).to_contain_text("🇺🇸")
    expect(profile).to_contain_text(re.compile("topic.*quote", re.DOTALL))

    # A highlighted note stands on the profile.
    console.get_by_role("tab", name="Notes").click()
    console.get_by_label("New note").fill("Prefers to be called in the afternoon.")
    console.get_by_label("Highlight on the profile").check()
    console.get_by_role("button", name="Add note").click()
    expect(console.get_by_role("tabpanel", name="Notes").get_by_text("Prefers to be called in the afternoon.")).to_be_visible()
    console.get_by_role("tab", name="Info").click()
    expect(console.get_by_role("tabpanel", name="Info").get_by_text("Prefers to be called in the afternoon.")).to_be_visible()
    screenshot(console, "console-conversation")
    screenshot(widget.page, "widget-agent")
    axe(console)
    axe(widget.page)

    # Why Ada has it is on record.
    console.get_by_role("tab", name="History").click()
    expect(console.get_by_role("tabpanel", name="History")).to_contain_text("Assigned to Ada Park")
    screenshot(console, "console-history")

    # And the end.
    console.get_by_role("button", name="Archive").click()
    expect(row(console, "Mia Lund")).to_have_count(0)
    expect(console.get_by_text("This conversation is archived.")).to_be_visible()
    expect(widget.panel.get_by_text("This conversation has ended.")).to_be_visible()
    console.get_by_role("link", name="Archived", exact=True).click()
    expect(row(console, "Mia Lund").first).to_contain_text("Ten seats are 90 a month")
    wait_until(lambda: gateway.ask("GET", f"/v1/agents/{ada.id}", token=admin)["active_conversations"] == 0, what="Ada's freedom")


def test_both_sides_go_on_without_a_reload_when_the_gateway_is_killed(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str
) -> None:
    browsing.expect(
        "ERR_CONNECTION_REFUSED",
        "ERR_CONNECTION_RESET",
        "ERR_EMPTY_RESPONSE",
        "ERR_INCOMPLETE",
        "ERR_SOCKET",
        "WebSocket",
        "Failed to load resource",
    )
    ada = Agent(gateway, admin, "Ada Park")
    channel_id = open_shop(gateway, admin, ada)
    console = sign_in(browsing, ada)
    wait_until(lambda: ada.presence()["connected"], what="Ada's connection")
    widget = website.show(browsing, channel_id).open()
    for words in ("Mia Lund", "mia@example.com"):
        widget.say_and_see(words)
    widget.choose("A quote")
    row(console, "Mia Lund").click()
    say(console, "Before 1")
    expect(widget.message("Before 1", "agent")).to_be_visible()
    for page in (console, widget.page):
        page.evaluate("() => { window.untouched = true; }")

    with gateway.dead():
        for number in (1, 2):
            say(console, f"Agent, meanwhile {number}")
            widget.say(f"Visitor, meanwhile {number}")
        expect(console.get_by_text("Connection lost. Trying again…")).to_be_visible()
        screenshot(console, "console-connection-lost")

    for number in (1, 2):
        expect(widget.message(f"Agent, meanwhile {number}", "agent")).to_have_count(1, timeout=RETURN_MS)
        expect(turn(console, f"Visitor, meanwhile {number}")).to_have_count(1, timeout=RETURN_MS)
    expect(console.get_by_text("Connection lost. Trying again…")).to_have_count(0)
    say(console, "After")
    expect(widget.message("After", "agent")).to_be_visible()
    widget.say("And after")
    expect(turn(console, "And after")).to_be_visible()
    expect(console.get_by_label("Not sent yet")).to_have_count(0)
    assert console.evaluate("() => window.untouched")
    assert widget.page.evaluate("() => window.untouched")

    # What both see is what is stored: nothing lost, nothing doubled, each one's own words in order.
    (conversation,) = ada.ask("GET", "/v1/conversations?folder=mine")["items"]
    stored = ada.ask("GET", f"/v1/conversations/{conversation['id']}/messages?limit=200")["items"]
    assert [message["seq"] for message in stored] == list(range(1, len(stored) + 1))
    wait_until(lambda: widget.texts() == [message["text"] for message in stored], what="the widget to show what is stored")
    said = {kind: [each["text"] for each in stored if each["author"]["kind"] == kind] for kind in ("agent", "visitor")}
    assert said["agent"] == ["Before 1", "Agent, meanwhile 1", "Agent, meanwhile 2", "After"]
    assert said["visitor"][-3:] == ["Visitor, meanwhile 1", "Visitor, meanwhile 2", "And after"]


def test_the_console_is_usable_on_a_phone(browsing: Browsing, website: Site, gateway: Gateway, admin: str) -> None:
    ada = Agent(gateway, admin, "Ada Park")
    channel_id = open_shop(gateway, admin, ada)
    console = sign_in(browsing, ada, size=PHONE, scheme="dark")
    wait_until(lambda: ada.presence()["connected"], what="Ada's connection")
    widget = website.show(browsing, channel_id, size=PHONE, scheme="dark").open()
    for words in ("Mia Lund", "mia@example.com"):
        widget.say_and_see(words)
    widget.choose("A quote")
    screenshot(widget.page, "widget-phone")
    expect(row(console, "Mia Lund")).to_be_visible()
    screenshot(console, "console-phone-list")
    row(console, "Mia Lund").click()
    say(console, "Hello, Mia")
    expect(widget.message("Hello, Mia", "agent")).to_be_visible()
    screenshot(console, "console-phone-conversation")
    console.get_by_role("button", name="Profile").click()
    expect(console.get_by_role("tabpanel", name="Info")).to_contain_text("mia@example.com")
    screenshot(console, "console-phone-profile")
    console.go_back()
    expect(turn(console, "Hello, Mia")).to_be_visible()
    console.get_by_role("button", name="Back to the list").click()
    expect(row(console, "Mia Lund")).to_be_visible()
    assert console.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the phone"
