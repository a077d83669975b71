"""The flow editor: blocks as a list and as JSON, problems where they are, the bot to try, versions, and two admins at once."""

import json
from copy import deepcopy
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.people import sign_in
from tests.support.browser import PHONE, Browsing, axe
from tests.support.product import Agent, Gateway, Visitor
from tests.unit.messaging.flows import ACME, EVERYTHING

REFUSED = r"Failed to load resource.*\(\S*/v1/"
Flow = dict[str, Any]


@pytest.fixture(scope="module")
def chief(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Chief Charlie", role="admin")


@pytest.fixture
def channel_id(gateway: Gateway, admin: str) -> str:
    """A channel of the test's own, without a flow."""
    return str(gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"}, token=admin)["id"])


def put(gateway: Gateway, admin: str, channel_id: str, flow: Flow) -> None:
    gateway.ask("PUT", f"/v1/channels/{channel_id}/flow", flow, token=admin)


def stored(gateway: Gateway, admin: str, channel_id: str) -> dict[str, Any]:
    found: dict[str, Any] = gateway.ask("GET", f"/v1/channels/{channel_id}/flow", token=admin)
    return found


def visit(browsing: Browsing, chief: Agent, channel_id: str, **options: Any) -> Page:
    page = sign_in(browsing, chief, f"/console/#/admin/channels/{channel_id}/flow", **options)
    expect(page.get_by_role("heading", name="Bot flow")).to_be_visible()
    return page


def block(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def names(page: Page) -> list[str]:
    """The blocks in the order in which they are shown."""
    return page.locator("article h3").all_inner_texts()


def more(page: Page, name: str, action: str) -> None:
    page.get_by_role("button", name=f"More actions for {name}", exact=True).click()
    page.get_by_role("dialog", name=f"More actions for {name}").get_by_role("button", name=action).click()


def expect_problems(page: Page, count: int) -> None:
    words = {0: "No problems", 1: "1 problem"}.get(count, f"{count} problems")
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


def say(page: Page, words: str) -> None:
    page.get_by_label("What the visitor says").fill(words)
    page.keyboard.press("Enter")


def save(page: Page, version: int) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"Saved as version {version}.")).to_be_visible()


def test_empty_channel_gets_a_bot_when_a_starter_is_tried_and_saved(
    browsing: Browsing, gateway: Gateway, chief: Agent, channel_id: str
) -> None:
    page = visit(browsing, chief, channel_id)
    page.get_by_role("button", name="Begin with this (Greet, ask, hand over)").click()
    expect_problems(page, 0)
    log = page.get_by_role("log", name="Conversation")
    expect(log).to_contain_text("What is your name?")
    say(page, "<b>Mia</b> Lund")
    expect(log).to_contain_text("And your e-mail, <b>Mia</b> Lund?")
    say(page, "not an address")
    expect(log).to_contain_text("That does not look like an e-mail address.")
    say(page, "mia@example.com")
    page.get_by_role("group", name="Buttons").get_by_role("button", name="A quote").click()
    expect(page.get_by_text("An agent is asked for.")).to_be_visible()
    expect(block(page, "handover")).to_contain_text("Here now")
    expect(page.locator(".flow-known")).to_contain_text("quote")
    axe(page)
    save(page, 1)
    expect(page.locator(".flow-saved")).to_contain_text("Chief Charlie")
    assert Visitor(gateway, channel_id).messages()[-1]["text"] == "What is your name?"


def test_references_follow_when_blocks_are_renamed_added_moved_and_deleted(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, channel_id: str
) -> None:
    put(gateway, admin, channel_id, ACME)
    page = visit(browsing, chief, channel_id)
    assert names(page) == ["hello", "name", "email", "topic", "handover", "bye"]
    more(page, "topic", "Rename…")
    form = page.get_by_role("dialog", name="Rename topic")
    form.get_by_label("Name").fill("bye")
    expect(form.get_by_role("alert")).to_have_text("There is a block of this name.")
    form.get_by_label("Name").fill("about")
    page.keyboard.press("Enter")
    expect(block(page, "about")).to_be_focused()
    expect(block(page, "email").get_by_role("link", name="about")).to_be_visible()
    more(page, "name", "Add a block after it")
    form = page.get_by_role("dialog", name="Add a block")
    form.get_by_label("Type").select_option("message")
    form.get_by_label("Name").fill("thanks")
    form.get_by_role("button", name="Add").click()
    expect(block(page, "thanks").get_by_label("What the bot says")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Thank you, {name}!")
    more(page, "thanks", "Move…")
    form = page.get_by_role("dialog", name="Move thanks")
    form.get_by_label("Where").select_option("After email: then")
    form.get_by_role("button", name="Move").click()
    more(page, "hello", "Delete")
    expect(block(page, "hello")).to_have_count(0)
    assert names(page) == ["name", "email", "thanks", "about", "handover", "bye"]
    page.get_by_role("button", name="Undo").click()
    assert names(page)[0] == "hello"
    page.get_by_role("button", name="Redo").click()
    expect_problems(page, 0)
    save(page, 2)
    flow = stored(gateway, admin, channel_id)["flow"]
    ways = {name: found.get("next") for name, found in flow["blocks"].items()}
    assert flow["start"] == "name"
    assert {name: ways[name] for name in ("name", "email", "thanks")} == {"name": "email", "email": "thanks", "thanks": "about"}
    assert flow["blocks"]["thanks"]["text"] == "Thank you, {name}!"


def test_problems_are_shown_at_their_blocks_when_a_draft_can_not_run(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, channel_id: str
) -> None:
    browsing.expect(REFUSED)
    put(gateway, admin, channel_id, ACME)
    page = visit(browsing, chief, channel_id)
    page.get_by_role("button", name="Edit topic").click()
    form = block(page, "topic")
    form.get_by_role("group", name="Option 2").get_by_label("Then go to").select_option("The flow ends")
    form.get_by_role("group", name="Option 1").get_by_label("Label").fill("")
    expect_problems(page, 2)
    expect(form.get_by_role("group", name="Option 1").get_by_label("Label")).to_have_attribute("aria-invalid", "true")
    expect(block(page, "bye")).to_contain_text("Not reached")
    expect(block(page, "bye")).to_contain_text("No way leads here from the start.")
    expect(page.get_by_text("The draft has problems.")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Save").click()
    summary = page.get_by_role("region", name="What keeps this flow from running")
    expect(summary).to_be_focused()
    summary.get_by_role("button", name="bye").click()
    expect(block(page, "bye")).to_be_focused()
    more(page, "bye", "Delete")
    page.get_by_role("button", name="Undo").click()
    expect(block(page, "bye")).to_be_visible()
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    expect_problems(page, 0)
    expect(page.get_by_text("Unsaved changes")).to_have_count(0)


def test_both_views_show_the_same_draft_and_keep_what_the_form_does_not_know(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, channel_id: str
) -> None:
    put(gateway, admin, channel_id, ACME)
    page = visit(browsing, chief, channel_id)
    hostile = "<img src=x onerror=alert(1)>"
    flow = deepcopy(ACME)
    flow["blocks"]["hello"] |= {"mood": {"kind": [1, "x"]}, "next": hostile}
    flow["blocks"] |= {hostile: {"type": "message", "text": hostile, "next": "__proto__"}}
    flow["blocks"] |= {"__proto__": {"type": "<b>strange</b>", "next": "name"}, "constructor": 7}
    page.get_by_role("tab", name="JSON").click()
    page.get_by_label("The flow as JSON").fill(json.dumps(flow) + "x")
    expect(page.get_by_role("alert")).to_contain_text("This is not valid JSON")
    page.get_by_role("tab", name="Blocks").click()
    expect(page.get_by_text("was not taken over")).to_be_visible()
    page.get_by_role("button", name="Go to the JSON").click()
    page.get_by_label("The flow as JSON").press("Control+End")
    page.get_by_label("The flow as JSON").press("Backspace")
    page.get_by_role("tab", name="Blocks").click()
    assert names(page)[:3] == ["hello", hostile, "__proto__"]
    expect(block(page, hostile).locator(".flow-said")).to_have_text(hostile)
    expect(block(page, "__proto__")).to_contain_text("<b>strange</b>")
    page.get_by_role("button", name="Edit hello").click()
    block(page, "hello").get_by_label("What the bot says").fill("Hello!")
    page.get_by_role("button", name="Edit __proto__").click()
    expect(block(page, "__proto__").get_by_label("Block as JSON")).to_be_visible()
    more(page, "__proto__", "Rename…")
    page.get_by_role("dialog").get_by_label("Name").fill("known")
    page.keyboard.press("Enter")
    expect(block(page, "known")).to_be_focused()
    page.get_by_role("tab", name="JSON").click()
    written = json.loads(page.get_by_label("The flow as JSON").input_value())
    assert written["blocks"]["hello"] == flow["blocks"]["hello"] | {"text": "Hello!"}
    assert written["blocks"][hostile]["next"] == "known"
    assert (written["blocks"]["known"], written["blocks"]["constructor"]) == (flow["blocks"]["__proto__"], 7)


def test_trial_keeps_the_inputs_when_the_draft_and_what_is_supposed_change(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, channel_id: str
) -> None:
    put(gateway, admin, channel_id, ACME)
    page = visit(browsing, chief, channel_id)
    log = page.get_by_role("log", name="Conversation")
    say(page, "Mia")
    say(page, "mia@example.com")
    page.get_by_role("group", name="Buttons").get_by_role("button", name="A quote").click()
    expect(page.get_by_text("An agent is asked for.")).to_be_visible()
    page.get_by_role("button", name="Edit handover").click()
    block(page, "handover").get_by_label("When nobody is there").select_option("bye")
    page.get_by_text("Suppose").click()
    page.get_by_label("Agents", exact=True).select_option("nobody")
    expect(page.get_by_text("The conversation is archived.")).to_be_visible()
    expect(log).to_contain_text("Enjoy!")
    page.get_by_role("button", name="Edit name").click()
    block(page, "name").get_by_label("Then go to").select_option("The flow ends")
    page.get_by_role("button", name="Edit email").click()
    expect_problems(page, 4)
    page.get_by_role("button", name="Undo").click()
    more(page, "topic", "Delete")
    more(page, "handover", "Delete")
    more(page, "bye", "Delete")
    expect(page.get_by_text("1 answer came to no use")).to_be_visible()
    expect(page.get_by_text("The flow has ended.")).to_be_visible()
    page.get_by_role("button", name="Take back the last answer").click()
    expect(log).not_to_contain_text("mia@example.com")
    page.get_by_role("button", name="Start again").click()
    expect(log).not_to_contain_text("Mia")


def test_condition_is_built_by_its_form_and_every_type_has_one(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, channel_id: str
) -> None:
    sally = Agent(gateway, admin, f"Sally {channel_id}")
    team = gateway.ask("POST", "/v1/teams", {"name": "Sales <i>team</i>", "agent_ids": [sally.id]}, token=admin)
    flow = deepcopy(EVERYTHING)
    flow["blocks"]["sales"]["team"] = team["id"]
    put(gateway, admin, channel_id, flow)
    page = visit(browsing, chief, channel_id)
    for name in names(page):
        page.get_by_role("button", name=f"Edit {name}", exact=True).click()
        expect(block(page, name).locator(".flow-form")).to_be_visible()
        expect(block(page, name).get_by_text("as JSON")).to_have_count(0)
    axe(page)
    expect(page.get_by_text("Unsaved changes")).to_have_count(0)
    page.get_by_role("button", name="Edit country").click()
    case = block(page, "country").get_by_role("group", name="Case 1")
    case.get_by_label("Country codes").fill("pt, es")
    case.get_by_label("Ask about").select_option("All of these")
    case.get_by_role("button", name="Add a test").click()
    added = case.get_by_role("listitem").nth(1)
    added.get_by_label("Field").fill("total")
    added.get_by_label("Relation").select_option("is above")
    added.get_by_label("Value").fill("99.5")
    page.get_by_role("button", name="Done country").click()
    expect(block(page, "country")).to_contain_text("if the country is one of “PT”, “ES” and total is above 99.5")
    page.get_by_role("button", name="Edit sales").click()
    expect(block(page, "sales").get_by_label("Team")).to_have_value(team["id"])
    block(page, "sales").get_by_label("Ask", exact=True).select_option("Some agents")
    block(page, "sales").get_by_label(f"Sally {channel_id}").check()
    expect_problems(page, 0)
    save(page, 2)
    blocks = stored(gateway, admin, channel_id)["flow"]["blocks"]
    above = {"on": "field", "field": "total", "is": "above", "value": 99.5}
    assert blocks["country"]["cases"][0]["if"] == {"all": [{"on": "country", "is": "one_of", "value": ["PT", "ES"]}, above]}
    assert (blocks["sales"]["agents"], blocks["sales"]["team"]) == ([sally.id], None)


def test_nobodys_work_is_lost_when_two_admins_save(
    browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, channel_id: str
) -> None:
    browsing.expect(REFUSED)
    put(gateway, admin, channel_id, ACME)
    page = visit(browsing, chief, channel_id)
    theirs = deepcopy(ACME)
    theirs["blocks"]["hello"]["text"] = "Theirs"
    put(gateway, admin, channel_id, theirs)
    expect(block(page, "hello")).to_contain_text("Theirs")
    page.get_by_role("button", name="Edit hello").click()
    words = block(page, "hello").get_by_label("What the bot says")
    words.fill("Mine")
    theirs["blocks"]["hello"]["text"] = "Theirs again"
    put(gateway, admin, channel_id, theirs)
    expect(page.get_by_text("Version 3 was saved by Admin meanwhile.")).to_be_visible()
    expect(words).to_have_value("Mine")
    page.get_by_role("button", name="Save").click()
    asked = page.get_by_role("dialog", name="Somebody else was faster")
    asked.get_by_role("button", name="Look at theirs").click()
    expect(asked.get_by_role("region")).to_contain_text("Theirs again")
    axe(page)
    asked.get_by_role("button", name="Overwrite with mine").click()
    expect(page.get_by_text("Saved as version 4.")).to_be_visible()
    assert stored(gateway, admin, channel_id)["flow"]["blocks"]["hello"]["text"] == "Mine"
    page.get_by_role("button", name="Versions").click()
    listed = page.get_by_role("dialog", name="Versions")
    expect(listed.get_by_role("listitem").first).to_contain_text("In use")
    listed.get_by_role("button", name="Look at version 2").click()
    expect(page.get_by_role("dialog")).to_contain_text("Theirs")
    page.get_by_role("button", name="Take into the draft").click()
    save(page, 5)
    assert stored(gateway, admin, channel_id)["flow"]["blocks"]["hello"]["text"] == "Theirs"
    page.get_by_role("button", name="Remove the flow").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the flow").click()
    expect(page.get_by_text("No bot answers here yet")).to_be_visible()
    assert stored(gateway, admin, channel_id)["flow"] is None
    page.get_by_role("button", name="Undo").click()
    save(page, 6)


def test_phone_shows_one_thing_at_a_time(browsing: Browsing, gateway: Gateway, admin: str, chief: Agent, channel_id: str) -> None:
    put(gateway, admin, channel_id, ACME)
    page = visit(browsing, chief, channel_id, size=PHONE, scheme="dark")
    page.get_by_role("button", name="Edit topic").click()
    axe(page)
    page.get_by_role("tab", name="Try it").click()
    say(page, "Mia")
    expect(page.get_by_role("log", name="Conversation")).to_contain_text("And your e-mail, Mia?")
    axe(page)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.locator(".flow-trial-state").get_by_role("button", name="email").click()
    expect(block(page, "email")).to_be_focused()
    page.get_by_role("link", name="Shop").click()
    expect(page.get_by_role("heading", name="Shop")).to_be_visible()


def test_blocks_lead_on_when_one_of_them_goes_elsewhere(browsing: Browsing) -> None:
    blocks = {"a": {"type": "message", "next": "b"}, "b": {"type": "message", "next": "c"}}
    flow = {"start": "a", "blocks": blocks | {"c": {"type": "assign", "unavailable": "wait"}}}
    expected: list[tuple[str, list[Any], str, dict[str, str | None]]] = [
        ("rename", ["b", "x"], "a", {"a": "x", "x": "c", "c": "wait"}),
        ("rename", ["c", "x"], "a", {"a": "b", "b": "x", "x": "wait"}),
        ("removeBlock", ["a"], "b", {"b": "c", "c": "wait"}),
        ("removeBlock", ["b"], "a", {"a": "c", "c": "wait"}),
        ("removeBlock", ["c"], "a", {"a": "b", "b": None}),
        ("move", ["b", "start"], "b", {"b": "a", "a": "c", "c": "wait"}),
        ("move", ["a", {"from": "b", "path": ["next"]}], "b", {"b": "a", "a": "c", "c": "wait"}),
        ("move", ["a", {"from": "c", "path": ["unavailable"]}], "b", {"b": "c", "c": "a", "a": None}),
        ("withStart", ["c"], "c", {"a": "b", "b": "c", "c": "wait"}),
    ]
    page = browsing.open("/console/")
    for function, arguments, start, ways in expected:
        changed = page.evaluate(
            """async ([name, args]) => (await import("/console/app/views/flow/document.js"))[name](...args)""",
            [function, [flow, *arguments]],
        )
        led = {name: block.get("next", block.get("unavailable")) for name, block in changed["blocks"].items()}
        assert (changed["start"], led) == (start, ways), (function, arguments)
