"""The console's frame: signing in and out, sessions over several tabs, the own status, what is said when nobody answers."""

import re

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.people import open_shop, row, sign_in
from tests.support.browser import PHONE, Browsing, axe
from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until

FAILED_LOAD = "Failed to load resource"


def spend_access_token(page: Page) -> None:
    """Make the browser believe that its access token is about to end; no console is open in it."""
    page.goto("/v1/openapi.json")
    page.evaluate(
        """() => {
            const session = JSON.parse(localStorage.getItem("foyer.session"));
            localStorage.setItem("foyer.session", JSON.stringify({ ...session, good_until: 0 }));
        }"""
    )


def test_a_wrong_password_is_said_and_the_right_one_opens_the_console(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ann Archer")
    browsing.expect(FAILED_LOAD)
    page = browsing.open("/console/")
    axe(page)
    page.get_by_label("E-mail address").fill(agent.email)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("don't match")
    page.get_by_label("Password").fill("a good long password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name=re.compile("Your account: Ann Archer"))).to_be_visible()
    expect(page.get_by_role("navigation", name="Sections").get_by_role("link", name="Admin")).to_have_count(0)


def test_a_reload_keeps_the_session_and_signing_out_ends_it_in_every_tab(
    browsing: Browsing, gateway: Gateway, admin: str
) -> None:
    page = sign_in(browsing, Agent(gateway, admin))
    page.reload()
    other = page.context.new_page()
    other.goto("/console/")
    expect(other.locator(".account-button")).to_be_visible()
    page.locator(".account-button").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(other.get_by_label("Password")).to_be_visible()


def test_tabs_whose_token_runs_out_at_once_refresh_it_once(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    page = sign_in(browsing, Agent(gateway, admin))
    spend_access_token(page)
    refreshes: list[Request] = []
    page.context.on("request", lambda asked: refreshes.append(asked) if asked.url.endswith("/v1/auth/refresh") else None)
    tabs = [page, page.context.new_page(), page.context.new_page()]
    for tab in tabs:
        tab.goto("/console/", wait_until="commit")
    for tab in tabs:
        expect(tab.locator(".account-button")).to_be_visible()
    # Each has asked for what it shows by now, and nobody was thrown out.
    for tab in tabs:
        tab.wait_for_load_state("networkidle")
        expect(tab.get_by_label("Password")).to_have_count(0)
    assert len(refreshes) == 1


def test_a_session_goes_on_when_the_answer_to_its_refresh_is_lost(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    browsing.expect(FAILED_LOAD)
    page = sign_in(browsing, Agent(gateway, admin))
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        answer = route.fetch()
        if lost:
            route.fulfill(response=answer)
        else:
            lost.append(answer.status)
            route.abort()

    page.route("**/v1/auth/refresh", lose_the_first)
    spend_access_token(page)
    page.goto("/console/")
    expect(page.locator(".account-button")).to_be_visible()
    expect(page.get_by_text("You have no conversations")).to_be_visible()
    assert lost == [200]


def test_signing_out_ends_the_session_also_with_a_token_that_has_run_out(
    browsing: Browsing, gateway: Gateway, admin: str
) -> None:
    page = sign_in(browsing, Agent(gateway, admin))
    expect(page.get_by_text("You have no conversations")).to_be_visible()
    refresh_token = page.evaluate(
        """() => {
            const session = JSON.parse(localStorage.getItem("foyer.session"));
            localStorage.setItem("foyer.session", JSON.stringify({ ...session, access_token: "a.b.c", good_until: 0 }));
            return session.refresh_token;
        }"""
    )
    with page.expect_response("**/v1/auth/logout") as told:
        page.locator(".account-button").click()
        page.get_by_role("button", name="Sign out").click()
    assert told.value.status == 204
    assert gateway.send("POST", "/v1/auth/refresh", {"refresh_token": refresh_token}).status_code == 401


def test_the_title_counts_what_is_for_this_agent_alone(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin)
    page = sign_in(browsing, agent)
    page.evaluate("() => { document.hasFocus = () => false; }")
    wait_until(lambda: agent.presence()["connected"], what="the console's connection")
    channel_id = open_shop(gateway, admin, agent)
    visitor = Visitor(gateway, channel_id)
    visitor.pass_bot()  # three answers to the bot, none of them for an agent
    expect(row(page, "Mia Lund")).to_be_visible()
    visitor.say("Hello?")
    expect(page).to_have_title("(1) Foyer")
    page.evaluate("() => dispatchEvent(new Event('focus'))")
    expect(page).to_have_title("Foyer")


def test_a_session_that_was_ended_elsewhere_leads_to_the_sign_in(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin)
    browsing.expect(FAILED_LOAD, "WebSocket")
    page = sign_in(browsing, agent)
    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"active": False}, token=admin)
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()


def test_the_own_status_changes_for_everybody(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin)
    page = sign_in(browsing, agent)
    wait_until(lambda: agent.presence()["connected"], what="the console's stream to count as a connection")
    page.locator(".account-button").click()
    page.get_by_role("radio", name="Busy").check()
    wait_until(lambda: agent.presence()["availability"] == "busy", what="busy")
    expect(page.locator(".account-button")).to_contain_text("Busy")
    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"availability": "available"}, token=admin)
    expect(page.locator(".account-button")).to_contain_text("Available")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_menu_works_by_keyboard_alone(browsing: Browsing, gateway: Gateway, admin: str, scheme: str) -> None:
    page = sign_in(browsing, Agent(gateway, admin), scheme=scheme)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.locator(".account-button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Your account")).to_be_visible()
    axe(page, ".top-bar")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Your account")).to_have_count(0)
    expect(page.locator(".account-button")).to_be_focused()


def test_a_chosen_theme_outlives_a_reload(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    page = sign_in(browsing, Agent(gateway, admin), size=PHONE)
    page.locator(".account-button").click()
    page.get_by_role("radio", name="Dark").check()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_an_unknown_address_says_so_and_leads_back(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    page = sign_in(browsing, Agent(gateway, admin))
    page.goto("/console/#/nowhere")
    expect(page.get_by_text("There is no such page.")).to_be_visible()
    page.get_by_role("link", name="Go to the chats").click()
    expect(page).to_have_url(re.compile("#/chats/mine$"))
