"""The administrators' pages: accounts, teams, API tokens and webhooks, as an admin works with them while others do the same."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from services.common.ids import new_id
from tests.browser.people import sign_in, sign_in_as
from tests.support.browser import DESKTOP, PHONE, Browsing, axe
from tests.support.product import ADMIN_EMAIL, PASSWORD, Agent, Gateway
from tests.support.receiver import Receiver, answering, running_receiver
from tests.support.waiting import wait_until

REFUSED = r"Failed to load resource.*\(\S*/v1/"  # the browser logs each answer that isn't 2xx


@pytest.fixture
def chief(gateway: Gateway, admin: str) -> Iterator[Agent]:
    """An admin of the test's own."""
    chief = Agent(gateway, admin, "Chief Charlie", role="admin")
    yield chief
    gateway.ask("PATCH", f"/v1/agents/{chief.id}", {"active": False}, token=admin)


receiver = pytest.fixture(running_receiver)


def visit(browsing: Browsing, chief: Agent, page: str, **options: object) -> Page:
    return sign_in(browsing, chief, f"/console/#/admin/{page}", **options)


def row(page: Page, words: str) -> Locator:
    return page.get_by_role("row").filter(has_text=words)


def copied_value(dialog: Locator, label: str) -> str:
    return dialog.get_by_role("group", name=label).locator("code").inner_text()


def test_a_new_agent_signs_in_with_the_password_that_was_generated_and_shown_once(
    browsing: Browsing, gateway: Gateway, chief: Agent
) -> None:
    page = visit(browsing, chief, "agents", permissions=["clipboard-read", "clipboard-write"])
    browsing.expect(REFUSED)
    email = f"{new_id()}@example.org"
    page.get_by_role("button", name="New agent").click()
    form = page.get_by_role("dialog", name="New agent")
    form.get_by_label("Name").fill("Nora <b>New</b>")
    form.get_by_label("E-mail address").fill(chief.email)
    form.get_by_role("button", name="Generate").click()
    form.get_by_role("button", name="Create agent").click()
    expect(form.get_by_role("alert")).to_have_text("Another agent has this e-mail address.")
    form.get_by_label("E-mail address").fill(email)
    form.get_by_role("button", name="Create agent").click()
    shown = page.get_by_role("dialog", name="The password of Nora <b>New</b>")
    password = copied_value(shown, "Password")
    shown.get_by_role("button", name="Copy Password").click()
    expect(shown.get_by_role("button", name="Copied Password")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == password
    shown.get_by_role("button", name="I have copied it").click()
    expect(row(page, email)).to_contain_text("Nora <b>New</b>")
    expect(page.get_by_text(password)).to_have_count(0)
    assert gateway.sign_in(email, password)


def test_what_was_typed_stays_and_the_rest_follows_when_events_arrive_while_a_form_is_open(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    agent = Agent(gateway, admin, "Ann Archer")
    page = visit(browsing, chief, "agents")
    row(page, agent.email).get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name=re.compile("^Edit Ann "))
    form.get_by_label("Name").fill("Ann Baker")
    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"capacity": 9, "availability": "busy"}, token=admin)
    expect(form.get_by_label("Capacity")).to_have_value("9")
    expect(form.get_by_label("Name")).to_have_value("Ann Baker")
    gateway.ask("PATCH", f"/v1/agents/{agent.id}", {"name": "Ann Carter"}, token=admin)
    expect(form.get_by_role("status")).to_contain_text("Somebody else changed this meanwhile: Name")
    form.get_by_label("Status").select_option("available")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    assert gateway.ask("GET", f"/v1/agents/{agent.id}", token=admin) | {
        "name": "Ann Baker",
        "capacity": 9,
        "availability": "available",
    } == gateway.ask("GET", f"/v1/agents/{agent.id}", token=admin)


def test_an_account_is_closed_and_opened_again_and_its_connection_explained(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    agent = Agent(gateway, admin, "Ben Boyd")
    page = visit(browsing, chief, "agents")
    row(page, agent.email).get_by_role("button", name="Why Ben Boyd is connected or not").click()
    why = page.get_by_role("dialog", name="Connection of Ben Boyd")
    expect(why).to_contain_text("Never connected so far.")
    stream = agent.watch()
    expect(why).to_contain_text("Server-Sent Events")
    axe(page)
    page.keyboard.press("Escape")
    row(page, agent.email).get_by_role("button", name="Deactivate").click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    inactive = page.get_by_role("table", name="Inactive")
    expect(inactive.get_by_role("row").filter(has_text=agent.email)).to_contain_text("Closed")
    stream.close()
    inactive.get_by_role("button", name="Reactivate Ben Boyd").click()
    page.get_by_role("dialog").get_by_role("button", name="Reactivate").click()
    expect(page.get_by_role("table", name="Active agents").get_by_text(agent.email)).to_be_visible()
    assert gateway.sign_in(agent.email)


def test_the_last_admin_stays_one_and_is_told_so(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    agents = gateway.ask("GET", "/v1/agents?limit=100", token=admin)["items"]
    others = [each["id"] for each in agents if each["role"] == "admin" and each["active"] and each["email"] != ADMIN_EMAIL]
    browsing.expect(REFUSED)
    page = sign_in_as(browsing, ADMIN_EMAIL, PASSWORD, "/console/#/admin/agents")
    try:
        for agent_id in others:
            gateway.ask("PATCH", f"/v1/agents/{agent_id}", {"active": False}, token=admin)
        row(page, ADMIN_EMAIL).get_by_role("button", name="Deactivate").click()
        asked = page.get_by_role("dialog")
        expect(asked).to_contain_text("This is your own account")
        asked.get_by_role("button", name="Deactivate").click()
        expect(asked.get_by_role("alert")).to_have_text("This is the last active admin. Make somebody else an admin first.")
    finally:
        for agent_id in others:
            gateway.ask("PATCH", f"/v1/agents/{agent_id}", {"active": True}, token=admin)


def test_two_admins_change_a_team_at_once_and_both_changes_stay(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    ann, ben = Agent(gateway, admin, "Ann Archer"), Agent(gateway, admin, "Ben Boyd")
    name = f"Sales {new_id()[:8]}"
    page = visit(browsing, chief, "teams")
    page.get_by_role("button", name="New team").click()
    form = page.get_by_role("dialog", name="New team")
    form.get_by_label("Name").fill(name)
    form.get_by_role("checkbox", name=ann.email).check()
    form.get_by_role("button", name="Create team").click()
    expect(row(page, name)).to_contain_text("Ann Archer")
    [team] = [each for each in gateway.ask("GET", "/v1/teams?limit=100", token=admin)["items"] if each["name"] == name]

    page.get_by_role("button", name=f"Edit {name}").click()
    form = page.get_by_role("dialog", name=f"Edit {name}")
    form.get_by_role("checkbox", name=ann.email).uncheck()
    gateway.ask("PUT", f"/v1/teams/{team['id']}/agents/{ben.id}", token=admin)
    expect(form.get_by_role("checkbox", name=ben.email)).to_be_checked()
    expect(form.get_by_role("checkbox", name=ann.email)).not_to_be_checked()
    form.get_by_label("Name").fill(f"{name} 2")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    changed = gateway.ask("GET", f"/v1/teams/{team['id']}", token=admin)
    assert (changed["name"], changed["agent_ids"]) == (f"{name} 2", [ben.id])

    page.get_by_role("button", name=f"Delete {name} 2").click()
    asked = page.get_by_role("dialog", name=re.compile("^Delete the team"))
    expect(asked).to_contain_text("restricts nobody")
    asked.get_by_role("button", name="Delete").click()
    expect(row(page, name)).to_have_count(0)


def test_a_token_is_shown_once_and_refused_when_it_was_revoked(browsing: Browsing, gateway: Gateway, chief: Agent) -> None:
    page = visit(browsing, chief, "tokens")
    name = f"CRM {new_id()[:8]}"
    page.get_by_role("button", name="New API token").click()
    form = page.get_by_role("dialog", name="New API token")
    form.get_by_label("Name").fill(name)
    form.get_by_role("button", name="Create token").click()
    shown = page.get_by_role("dialog", name=f"The token {name}")
    page.mouse.click(5, 5)  # beside the window, which would lose the token
    token = copied_value(shown, "API token")
    shown.get_by_role("button", name="I have copied it").click()
    nowhere = f"/v1/bot/contacts/{new_id()}"
    assert gateway.send("GET", nowhere, token=token).status_code == 404
    row(page, name).get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog", name=f"Revoke {name}?").get_by_role("button", name="Revoke").click()
    expect(row(page, name)).to_have_count(0)
    assert gateway.send("GET", nowhere, token=token).status_code == 401


def test_a_token_that_may_have_been_made_is_looked_for_when_no_answer_came(browsing: Browsing, chief: Agent) -> None:
    page = visit(browsing, chief, "tokens")
    browsing.expect("Failed to load resource")
    name = f"Lost {new_id()[:8]}"

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/tokens", lose)
    page.get_by_role("button", name="New API token").click()
    form = page.get_by_role("dialog", name="New API token")
    form.get_by_label("Name").fill(name)
    form.get_by_role("button", name="Create token").click()
    expect(form.get_by_role("alert")).to_contain_text("the token may have been made")
    form.get_by_role("button", name="Cancel").click()
    expect(row(page, name)).to_have_count(1)
    page.goto("/console/#/admin/constructor")
    expect(page.get_by_text("There is no such page.")).to_be_visible()


def test_a_webhook_is_made_tried_and_its_failures_sent_again(browsing: Browsing, chief: Agent, receiver: Receiver) -> None:
    page = visit(browsing, chief, "webhooks")
    browsing.expect(REFUSED)
    path = f"/{new_id()}"
    page.get_by_role("button", name="New webhook").click()
    form = page.get_by_role("dialog", name="New webhook")
    form.get_by_label("Address").fill("https://10.0.0.1/")
    form.get_by_label("Description").fill("CRM")
    form.get_by_role("checkbox", name="message.created").check()
    form.get_by_role("button", name="Create webhook").click()
    expect(form.get_by_role("alert")).to_be_visible()
    form.get_by_label("Address").fill(receiver.url(path))
    form.get_by_role("button", name="Create webhook").click()
    shown = page.get_by_role("dialog", name="Signing secret")
    secret = copied_value(shown, "Signing secret")
    shown.get_by_role("button", name="I have copied it").click()

    receiver.react(path, answering(503))
    page.get_by_role("button", name="Send a trial").click()
    expect(page.get_by_role("status").filter(has_text="The trial did not arrive. Answered 503.")).to_be_visible()
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    delivery = page.locator(".webhook-delivery").filter(has_text="Failed")
    expect(delivery).to_have_count(1)
    receiver.react(path, answering(204))
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("button", name="Disable")).to_be_enabled()
    delivery.get_by_role("button", name="Trial").click()
    expect(delivery.get_by_label("What is sent")).to_contain_text('"type": "ping"')
    axe(page)
    delivery.get_by_role("button", name="Send again").click()
    expect(page.locator(".webhook-delivery").filter(has_text="Delivered")).to_have_count(1)
    trials = receiver.at(path)
    assert len({trial.id for trial in trials}) == 1
    assert trials[-1].is_signed_with(secret)


def test_a_webhooks_settings_are_saved_and_not_left_by_mistake(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, receiver: Receiver
) -> None:
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": f"Shop {new_id()[:8]}"}, token=admin)
    body = {"url": receiver.url(), "events": ["message.created"], "description": "CRM"}
    webhook = gateway.ask("POST", "/v1/webhooks", body, token=admin)
    page = visit(browsing, chief, f"webhooks/{webhook['id']}")
    page.get_by_role("radio", name="Only these").check()
    page.get_by_role("checkbox", name=channel["name"]).check()
    page.get_by_role("checkbox", name="contact.created").check()
    page.get_by_role("link", name="All webhooks").click()
    page.get_by_role("dialog", name="Leave without saving?").get_by_role("button", name="Stay here").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The webhook was saved.")).to_be_visible()
    kept = gateway.ask("GET", f"/v1/webhooks/{webhook['id']}", token=admin)
    assert (kept["channel_ids"], kept["events"]) == ([channel["id"]], ["contact.created", "message.created"])
    page.get_by_label("Description").fill("Not saved")
    page.get_by_role("button", name="Delete webhook").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete webhook").click()
    expect(page).to_have_url(re.compile("#/admin/webhooks$"))
    wait_until(
        lambda: gateway.send("GET", f"/v1/webhooks/{webhook['id']}", token=admin).status_code == 404,
        what="the webhook to be gone",
    )


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "dark"), (PHONE, "light")], ids=["desktop", "phone"])
def test_every_page_is_usable_by_everybody_and_fits(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, receiver: Receiver, size: object, scheme: str
) -> None:
    agent = Agent(gateway, admin, "<img src=x onerror=alert(1)> " + "Wolfeschlegelsteinhausenbergerdorff" * 2)
    team = {"name": f"\u202e\u0645\u0631\u062d\u0628\u0627 {new_id()}", "agent_ids": [agent.id, chief.id]}
    gateway.ask("POST", "/v1/teams", team, token=admin)
    gateway.ask("POST", "/v1/tokens", {"name": "n" * 100, "scopes": ["bot"]}, token=admin)
    webhook = gateway.ask(
        "POST", "/v1/webhooks", {"url": receiver.url("/" + "w" * 300), "events": ["message.created"]}, token=admin
    )
    page = visit(browsing, chief, "agents", size=size, scheme=scheme)
    for name, words in {
        "agents": agent.email,
        "teams": "<img src=x",
        "tokens": "n" * 100,
        "webhooks": "w" * 300,
        f"webhooks/{webhook['id']}": "Nothing was sent yet",
    }.items():
        page.goto(f"/console/#/admin/{name}")
        expect(page.get_by_text(words).first).to_be_visible()
        axe(page)
        content = page.locator("#content")
        assert content.evaluate("element => element.scrollWidth <= element.clientWidth"), f"{name} is wider than the page"


def test_agents_are_found_by_name_or_address_when_there_are_many(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent
) -> None:
    name = f"Zoe {new_id()[:8]}"
    agents = [Agent(gateway, admin, name) for _ in range(2)]
    for _ in range(7):
        gateway.ask("POST", "/v1/agents", {"name": "Ivo", "email": f"{new_id()}@example.org", "password": PASSWORD}, token=admin)
    page = visit(browsing, chief, "agents")
    page.get_by_role("searchbox").fill(name.upper())
    expect(page.get_by_role("rowheader")).to_have_count(2)
    page.get_by_role("searchbox").fill(agents[1].email)
    expect(page.get_by_role("rowheader")).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody of this name")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()
