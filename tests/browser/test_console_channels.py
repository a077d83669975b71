"""The admins' pages about channels: made, joined to their website or page, set up while others do the same, and deleted."""

import hashlib
import hmac
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.people import sign_in
from tests.support.browser import PHONE, Browsing, axe
from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until

REFUSED = r"Failed to load resource.*\(\S*/v1/"  # the browser logs each answer that isn't 2xx
HOSTILE = "<img src=x onerror=alert(1)> متجر"
CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture(scope="module")
def chief(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Chief Charlie", role="admin")


def make(gateway: Gateway, admin: str, **values: object) -> dict[str, Any]:
    made: dict[str, Any] = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"} | values, token=admin)
    return made


def read(gateway: Gateway, admin: str, channel: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = gateway.ask("GET", f"/v1/channels/{channel['id']}", token=admin)
    return found


def change(gateway: Gateway, admin: str, channel: dict[str, Any], **values: object) -> None:
    gateway.ask("PATCH", f"/v1/channels/{channel['id']}", values, token=admin)


def visit(browsing: Browsing, chief: Agent, channel: dict[str, Any], **options: Any) -> Page:
    page = sign_in(browsing, chief, f"/console/#/admin/channels/{channel['id']}", **options)
    expect(page.get_by_role("heading", name=channel["name"], exact=True)).to_be_visible()
    return page


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The channel was saved.")).to_be_visible()


def copied(page: Page, box: Locator) -> str:
    box.get_by_role("button", name="Copy").click()
    expect(box.get_by_role("button", name="Copied")).to_be_visible()
    text: str = page.evaluate("() => navigator.clipboard.readText()")
    return text


def test_new_channel_has_its_snippet_when_what_was_wrong_with_it_is_mended(
    browsing: Browsing, gateway: Gateway, chief: Agent
) -> None:
    browsing.expect(REFUSED)
    page = sign_in(browsing, chief, "/console/#/admin/channels", permissions=CLIPBOARD)
    page.get_by_role("button", name="New channel").click()
    form = page.get_by_role("dialog", name="New channel")
    form.get_by_label("Name").fill(HOSTILE)
    for number, origin in enumerate(("https://shop.example/", "shop.example", ""), start=1):
        form.get_by_role("button", name="Add a website").click()
        expect(form.get_by_label(f"Allowed website {number}")).to_be_focused()
        page.keyboard.type(origin)
    form.get_by_role("button", name="Create channel").click()
    expect(form.get_by_label("Allowed website 2")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_role("alert").first).to_have_text("Not an origin such as https://shop.example.")
    axe(page)
    form.get_by_label("Allowed website 2").fill("http://127.0.0.1:8080")
    form.get_by_role("button", name="Create channel").click()
    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    channel_id = page.url.rsplit("/", 1)[1]
    made = gateway.ask("GET", f"/v1/channels/{channel_id}", token=chief.token)
    assert (made["name"], made["allowed_origins"]) == (HOSTILE, ["https://shop.example", "http://127.0.0.1:8080"])
    snippet = f'<script src="{gateway.url}/widget.js" data-channel="{channel_id}" async></script>'
    assert copied(page, page.get_by_role("group", name="Embed snippet")) == snippet
    expect(page.get_by_role("link", name="Try it on the demo page")).to_have_attribute("href", f"/demo?channel={channel_id}")
    page.get_by_role("navigation", name="Channels").get_by_role("link").click()
    row = page.get_by_role("listitem").filter(has_text=HOSTILE)
    expect(row).to_contain_text("Website · 0 visitors")
    expect(row.get_by_role("link", name="No bot")).to_be_visible()


def test_settings_are_stored_when_they_are_right_and_faults_told_beside_them(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    browsing.expect(REFUSED)
    channel = make(gateway, admin)
    page = visit(browsing, chief, channel)
    page.get_by_label("Always open").uncheck()
    page.get_by_label("Time zone").select_option("Europe/Lisbon")
    page.get_by_label("Monday, opening 1: until").fill("8")
    page.get_by_role("button", name="Remove opening 1 of Friday").click()
    page.get_by_role("button", name="Add an opening on Monday").click()
    page.get_by_label("Seconds after the visitor began to wait").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Must be greater than or equal to 10")).to_be_visible()
    page.get_by_label("Seconds after the visitor began to wait").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="Monday")).to_contain_text("Span 1 does not end after its start.")
    page.get_by_label("Monday, opening 1: from").fill("730")
    page.get_by_label("Monday, opening 2: until").fill("0:00")
    save(page)
    stored = read(gateway, admin, channel)
    usual = [["09:00", "17:00"]]
    assert stored["business_hours"]["time_zone"] == "Europe/Lisbon"
    assert stored["business_hours"]["weekly"] == {
        "monday": [["07:30", "08:00"], ["08:00", "24:00"]],
        **dict.fromkeys(("tuesday", "wednesday", "thursday"), usual),
        "friday": [],
    }
    assert stored["reassignment"] == {"disconnected_after_seconds": 60, "unanswered_after_seconds": None}


def test_what_is_typed_stays_when_somebody_else_changes_the_channel(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    channel = make(gateway, admin)
    page = visit(browsing, chief, channel)
    title, waiting = page.get_by_label("Name", exact=True), page.get_by_label("Seconds after the visitor began to wait")
    title.fill("Shop, mine")
    change(gateway, admin, channel, name="Shop, theirs", reassignment={"unanswered_after_seconds": 900})
    expect(waiting).to_have_value("900")
    expect(title).to_have_value("Shop, mine")
    expect(page.get_by_text("Somebody else changed this meanwhile: name.")).to_be_visible()
    save(page)
    stored = read(gateway, admin, channel)
    assert (stored["name"], stored["reassignment"]["unanswered_after_seconds"]) == ("Shop, mine", 900)
    change(gateway, admin, channel, name="Shop, theirs after all")
    expect(title).to_have_value("Shop, theirs after all")


def test_unsaved_changes_are_asked_about_when_the_page_is_left(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    channel = make(gateway, admin)
    page = visit(browsing, chief, channel)
    page.get_by_label("Name", exact=True).fill("Another name")
    page.get_by_role("link", name="Agents").click()
    asked = page.get_by_role("dialog", name="Leave without saving?")
    asked.get_by_role("button", name="Stay here").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Another name")
    assert page.url.endswith(f"/admin/channels/{channel['id']}")
    page.get_by_role("link", name="Make a bot flow").click()
    asked.get_by_role("button", name="Leave without saving").click()
    expect(page.get_by_role("heading", name="Bot flow")).to_be_visible()
    assert read(gateway, admin, channel)["name"] == "Shop"


def test_identity_secret_is_shown_once_and_works_until_it_is_removed(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    channel = make(gateway, admin)

    def enter(secret: str) -> int:
        user = {"id": "4711", "hash": hmac.new(secret.encode(), b"4711", hashlib.sha256).hexdigest()}
        body = {"url": "https://shop.example/", "title": "Shop", "user": user}
        return gateway.send("POST", f"/v1/widget/{channel['id']}/session", body).status_code

    page = visit(browsing, chief, channel, permissions=CLIPBOARD)
    page.get_by_role("button", name="Make a secret").click()
    shown = page.get_by_role("dialog", name="The identity secret")
    first = copied(page, shown.get_by_role("group", name="Identity secret"))
    assert enter(first) == 201
    shown.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_text("This channel has an identity secret.")).to_be_visible()
    expect(page.get_by_text(first)).to_have_count(0)
    page.get_by_role("button", name="Make a new secret").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a new secret").click()
    second = shown.get_by_role("group", name="Identity secret").locator("code").inner_text()
    assert (enter(first), enter(second)) == (403, 201)
    shown.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Remove the secret").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the secret").click()
    expect(page.get_by_text("This channel has no identity secret")).to_be_visible()
    assert enter(second) == 403


def test_messenger_secrets_are_kept_when_they_are_left_empty(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    settings = {"page_id": "1048576", "page_access_token": "EAA1", "app_secret": "hush"}
    channel = make(gateway, admin, kind="messenger", name="Acme on Facebook", messenger=settings)
    page = visit(browsing, chief, channel)
    address = page.get_by_role("group", name="Webhook address").locator("code")
    expect(address).to_have_text(f"{gateway.url}/v1/webhooks/messenger/{channel['id']}")
    expect(page.get_by_label("Page access token", exact=True)).to_have_attribute("placeholder", "kept")
    expect(page.get_by_label("Verify token", exact=True)).to_have_attribute("placeholder", "not set")
    page.get_by_label("Verify token", exact=True).fill("a-text-of-ours")
    page.get_by_role("button", name="Remove the app secret").click()
    page.get_by_label("Human agent").check()
    save(page)
    expect(page.get_by_label("Verify token", exact=True)).to_have_attribute("placeholder", "kept")
    stored = read(gateway, admin, channel)["messenger"]
    kept = {name: stored[name] for name in ("has_page_access_token", "has_app_secret", "has_verify_token", "human_agent_tag")}
    assert kept == {"has_page_access_token": True, "has_app_secret": False, "has_verify_token": True, "human_agent_tag": True}


def test_fault_of_a_page_is_shown_in_the_list_and_in_full_on_its_page(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    channel = make(gateway, admin, kind="messenger", name="Faulty page")
    fault = {"code": "190", "message": "Error <b>validating</b> access token.", "since": "2026-03-31T09:00:00.000Z"}

    def answer(route: Route) -> None:
        response = route.fetch()
        body = response.json()
        for item in body["items"]:
            if item["id"] == channel["id"]:
                item["messenger"]["fault"] = fault
        route.fulfill(response=response, json=body)

    page = browsing.open()
    page.context.route(re.compile(r"/v1/channels\?"), answer)
    page.goto("/console/#/admin/channels")
    page.get_by_label("E-mail address").fill(chief.email)
    page.get_by_label("Password").fill("a good long password")
    page.get_by_role("button", name="Sign in").click()
    row = page.get_by_role("listitem").filter(has_text="Faulty page")
    expect(row).to_contain_text("Messenger refuses to send")
    row.get_by_role("link", name="Faulty page", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(fault["message"])
    expect(page.get_by_role("alert")).to_contain_text("Code 190")


def test_channel_is_deleted_when_its_name_was_typed_and_no_conversation_is_open(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    browsing.expect(REFUSED)
    channel = make(gateway, admin, name="Old shop")
    visitor = Visitor(gateway, channel["id"])
    visitor.say("Hello?")
    page = visit(browsing, chief, channel, size=PHONE)
    page.get_by_role("button", name="Delete this channel").click()
    asked = page.get_by_role("dialog", name="Delete Old shop?")
    delete = asked.get_by_role("button", name="Delete channel")
    asked.get_by_label("To confirm, type the channel's name").fill("Old sho")
    expect(delete).to_be_disabled()
    asked.get_by_label("To confirm, type the channel's name").press_sequentially("p")
    delete.click()
    expect(asked.get_by_role("alert")).to_contain_text("The channel has 1 open conversations; archive them first.")
    chats = f"#/chats/all?channel={channel['id']}"
    expect(asked.get_by_role("link", name="Show its conversations")).to_have_attribute("href", chats)
    axe(page)
    chief.archive(visitor.conversation_id)
    delete.click()
    expect(page.get_by_role("heading", name="Channels")).to_be_visible()
    wait_until(
        lambda: gateway.send("GET", f"/v1/channels/{channel['id']}", token=admin).status_code == 404, what="the channel's end"
    )
    expect(page.get_by_text("Old shop")).to_have_count(0)
