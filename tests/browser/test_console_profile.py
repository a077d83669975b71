"""The profile beside a conversation: who has it, what is known of the visitor, tickets, notes, and why it went where it went."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from services.common.ids import new_id
from tests.browser.people import MODULE, sign_in, sign_in_as
from tests.e2e.conftest import candidate, simulate
from tests.support.browser import DESKTOP, PHONE, Browsing, axe
from tests.support.product import ADMIN_EMAIL, PASSWORD, Agent, Gateway, Visitor
from tests.support.waiting import wait_until
from tests.unit.messaging.flows import ACME

REFUSED = "Failed to load resource"
HOSTILE = '<img src=x onerror="document.title=1"> مريم'


@pytest.fixture(scope="module")
def channel_id(gateway: Gateway, admin: str) -> str:
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Shop"}, token=admin)
    gateway.ask("PUT", f"/v1/channels/{channel['id']}/flow", ACME, token=admin)
    return str(channel["id"])


@pytest.fixture
def ann(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ann Archer")


@pytest.fixture
def bo(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Bo Berg")


@pytest.fixture
def mia(gateway: Gateway, channel_id: str) -> Visitor:
    visitor = Visitor(
        gateway,
        channel_id,
        address="2.80.0.1",
        url="https://shop.example/shoes?utm_source=newsletter&utm_campaign=spring",
        title="Shoes",
        referrer="https://search.example/?q=shoes",
        locale="pt-PT",
        time_zone="Europe/Lisbon",
    )
    visitor.say("Mia Lund")
    return visitor


def address_of(visitor: Visitor) -> str:
    return f"/console/#/chats/all/{visitor.conversation_id}/profile"


def open_profile(browsing: Browsing, agent: Agent, visitor: Visitor, **options: Any) -> Locator:
    """The profile in the agent's own console."""
    page = sign_in(browsing, agent, address_of(visitor), **options)
    return shown(page)


def open_as_admin(browsing: Browsing, visitor: Visitor) -> Locator:
    return shown(sign_in_as(browsing, ADMIN_EMAIL, PASSWORD, address_of(visitor)))


def shown(page: Page) -> Locator:
    profile = page.locator(".profile")
    expect(profile.get_by_role("heading", name="Contact")).to_be_visible()
    return profile


def choose_tab(profile: Locator, name: str) -> None:
    profile.get_by_role("tab", name=re.compile(f"^{name}")).click()


def row(profile: Locator, label: str) -> Locator:
    return profile.locator(".row", has=profile.page.get_by_text(label, exact=True))


def assignee(profile: Locator) -> Locator:
    return profile.get_by_role("button", name=re.compile("^Assigned to"))


def give(profile: Locator, name: str) -> None:
    assignee(profile).click()
    profile.get_by_role("dialog").get_by_role("button", name=re.compile(name)).click()


def test_both_consoles_agree_when_a_conversation_is_given_to_a_colleague(
    browsing: Browsing, ann: Agent, bo: Agent, mia: Visitor
) -> None:
    hers, his = open_profile(browsing, ann, mia), open_profile(browsing, bo, mia)
    expect(assignee(hers)).to_contain_text("Nobody")
    hers.get_by_role("button", name="Take it").click()
    expect(assignee(hers)).to_contain_text("Ann Archer")
    expect(assignee(hers)).to_be_focused()
    expect(assignee(his)).to_contain_text("Ann Archer")
    choose_tab(his, "History")
    assignee(hers).click()
    hers.get_by_role("button", name="Add a remark").click()
    hers.page.keyboard.type("Knows <b>her</b>.")
    hers.get_by_role("button", name=re.compile("^Bo Berg 0 of 4 Available")).click()
    expect(assignee(his)).to_contain_text("Bo Berg")
    newest = his.get_by_label("Who had the conversation, and why").get_by_role("listitem").first
    expect(newest).to_contain_text("Assigned to Bo Berg")
    expect(newest).to_contain_text("By hand by Ann Archer")
    expect(newest).to_contain_text("Moved from Ann Archer to Bo Berg by Ann Archer.")
    expect(newest).to_contain_text("Knows <b>her</b>.")


def test_the_slower_one_is_told_who_was_faster_when_two_choose_at_once(
    browsing: Browsing, ann: Agent, bo: Agent, mia: Visitor
) -> None:
    browsing.expect(REFUSED)
    profile = open_profile(browsing, ann, mia)

    def overtaken(route: Route) -> None:
        if route.request.method == "PUT":
            bo.ask("PUT", f"/v1/conversations/{mia.conversation_id}/assignee", {"agent_id": bo.id})
        route.continue_()

    profile.page.route("**/assignee", overtaken)
    profile.get_by_role("button", name="Take it").click()
    expect(profile.page.get_by_text("Bo Berg was faster")).to_be_visible()
    expect(assignee(profile)).to_contain_text("Bo Berg")


def test_the_history_says_who_was_considered_when_an_agent_is_found(
    browsing: Browsing, gateway: Gateway, admin: str, channel_id: str, ann: Agent, bo: Agent, mia: Visitor
) -> None:
    profile = open_profile(browsing, ann, mia)
    choose_tab(profile, "History")
    expect(profile.get_by_text("No decisions yet")).to_be_visible()
    wait_until(lambda: candidate(simulate(gateway, admin, channel_id), ann.id).get("eligible"), what="the news that Ann is there")
    profile.get_by_role("button", name="Find an agent").click()
    expect(assignee(profile)).not_to_contain_text("Nobody")
    decision = profile.locator(".decision", has_text="Assigned to")
    expect(decision).to_contain_text("Least busy asked by Ann Archer")
    decision.get_by_text(re.compile("agents considered")).click()
    away = decision.get_by_role("listitem").filter(has_text="Bo Berg").last
    expect(away).to_contain_text("Not connected")


def test_the_place_in_line_is_shown_until_it_is_given_up(browsing: Browsing, ann: Agent, bo: Agent, mia: Visitor) -> None:
    profile = open_profile(browsing, ann, mia)
    ann.ask("POST", f"/v1/conversations/{mia.conversation_id}/assign", {"agents": [bo.id], "priority": "high"})
    expect(profile.get_by_text(re.compile(r"(Next|Place \d+) in line · high priority"))).to_be_visible()
    expect(profile.get_by_role("button", name="Find an agent")).to_have_count(0)
    give(profile, "Nobody and out of the line")
    expect(profile.get_by_role("button", name="Find an agent")).to_be_visible()
    choose_tab(profile, "History")
    expect(profile.locator(".decision").first).to_contain_text("Taken out of the line")


def test_the_visitor_is_shown_as_they_came_and_go_on(browsing: Browsing, gateway: Gateway, ann: Agent, mia: Visitor) -> None:
    profile = open_profile(browsing, ann, mia)
    expect(row(profile, "Name")).to_contain_text("Told to the bot")
    expect(row(profile, "Country")).to_contain_text("🇵🇹 Portugal")
    expect(row(profile, "IP address")).to_contain_text("2.80.0.1")
    expect(row(profile, "Language")).to_contain_text("European Portuguese")
    expect(row(profile, "Time zone")).to_contain_text("there now")
    expect(row(profile, "Campaign")).to_contain_text("Source: newsletter")
    expect(row(profile, "Came from").get_by_role("link")).to_have_attribute("href", "https://search.example/?q=shoes")
    for name in ("boots", "socks"):
        page = {"url": f"https://shop.example/{name}", "title": name.title()}
        gateway.ask("POST", "/v1/widget/pages", page, token=mia.token)
    expect(row(profile, "Current page")).to_contain_text("https://shop.example/socks")
    expect(row(profile, "First page")).to_contain_text("https://shop.example/shoes")
    profile.get_by_role("button", name="Show all 3 pages").click()
    expect(profile.get_by_label("Pages, newest first").get_by_role("listitem")).to_contain_text(["Socks", "Boots", "Shoes"])
    mia.say("mia@example.com")
    expect(row(profile, "E-mail")).to_contain_text("mia@example.com")
    mia.say(choice="looking")
    expect(row(profile, "topic")).to_contain_text("looking")


def test_a_value_is_mended_in_place_and_refused_beside_its_field(browsing: Browsing, ann: Agent, bo: Agent, mia: Visitor) -> None:
    browsing.expect(REFUSED)
    hers, his = open_profile(browsing, ann, mia), open_profile(browsing, bo, mia)
    keyboard = hers.page.keyboard
    hers.get_by_role("button", name="Edit: E-mail").click()
    keyboard.type("no address")
    keyboard.press("Enter")
    expect(row(hers, "E-mail").get_by_role("alert")).to_contain_text("Not a valid email address.")
    keyboard.press("Escape")
    expect(row(hers, "E-mail")).to_contain_text("Not known")
    expect(hers.get_by_role("button", name="Edit: E-mail")).to_be_focused()
    hers.get_by_role("button", name="Edit: Name").click()
    keyboard.type(HOSTILE)
    hers.get_by_role("button", name="Save").click()
    for profile in (hers, his):
        expect(profile.get_by_role("heading", level=2)).to_have_text(HOSTILE)
        expect(row(profile, "Name")).to_contain_text("Set by an agent")


def test_notes_appear_in_both_consoles_and_belong_to_who_wrote_them(
    browsing: Browsing, ann: Agent, bo: Agent, mia: Visitor
) -> None:
    hers, his = open_profile(browsing, ann, mia), open_profile(browsing, bo, mia)
    choose_tab(hers, "Notes")
    hers.get_by_label("New note").fill(f"Call her. {HOSTILE}")
    hers.get_by_label("Highlight on the profile").check()
    hers.get_by_role("button", name="Add note").click()
    expect(hers.get_by_label("New note")).to_have_value("")
    expect(his.get_by_text(f"Call her. {HOSTILE}")).to_be_visible()  # highlighted, so among the infos
    choose_tab(his, "Notes")
    note = his.get_by_role("article", name="Note by Ann Archer")
    expect(note).to_be_visible()
    expect(note.get_by_role("button")).to_have_count(0)
    own = hers.get_by_role("article", name="Note by Ann Archer")
    own.get_by_role("button", name="Edit note").click()
    own.get_by_label("Text").fill("Write to her.")
    own.get_by_role("button", name="Save").click()
    expect(note).to_contain_text("Write to her.")
    expect(note).to_contain_text("(edited)")
    own.get_by_role("button", name="Highlighted").click()
    expect(own.get_by_role("button", name="Highlighted")).to_have_attribute("aria-pressed", "false")
    own.get_by_role("button", name="Delete note").click()
    hers.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(note).to_have_count(0)
    expect(his.get_by_text("No notes yet")).to_be_visible()


@pytest.mark.parametrize(("tab", "field", "button"), [("Notes", "New note", "Add note"), ("Tickets", "Subject", "Open ticket")])
def test_what_is_sent_again_is_made_once_when_the_answer_was_lost(
    browsing: Browsing, ann: Agent, mia: Visitor, tab: str, field: str, button: str
) -> None:
    browsing.expect(REFUSED)
    profile = open_profile(browsing, ann, mia)
    path = f"/v1/contacts/{mia.contact_id}/{tab.lower()}"

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.fulfill(status=500, json={"code": "INTERNAL", "detail": "Something broke."})
        else:
            route.continue_()

    def write() -> None:
        choose_tab(profile, tab)
        if tab == "Tickets":
            profile.get_by_role("button", name="New ticket").click()

    profile.page.route(f"**{path}", lose)
    write()
    profile.get_by_label(field).fill("Once only")
    profile.get_by_role("button", name=button).click()
    expect(profile.get_by_text("Something broke.")).to_be_visible()
    profile.page.unroute(f"**{path}")
    # The draft is the same after a look elsewhere, and so is what it makes.
    choose_tab(profile, "Info")
    write()
    expect(profile.get_by_label(field)).to_have_value("Once only")
    profile.get_by_role("button", name=button).click()
    expect(profile.get_by_role("button", name=button)).to_be_disabled() if tab == "Notes" else expect(
        profile.get_by_role("heading", name="Once only")
    ).to_be_visible()
    assert len(ann.ask("GET", path)["items"]) == 1


def test_assignee_says_that_it_may_be_out_of_date_when_it_could_not_be_read_anew(
    browsing: Browsing, ann: Agent, mia: Visitor
) -> None:
    browsing.expect(REFUSED)
    profile = open_profile(browsing, ann, mia)
    profile.page.route(
        "**/assignee", lambda route: route.fulfill(status=500, json={"code": "INTERNAL", "detail": "Something broke."})
    )
    profile.page.evaluate(f"async () => {{ (await ({MODULE})('store/live')).epoch.value += 1; }}")
    told = profile.locator(".assignee .outdated")
    expect(told).to_contain_text("This may be out of date.")
    profile.page.unroute("**/assignee")
    told.get_by_role("button", name="Try again").click()
    expect(told).to_have_count(0)


def test_a_ticket_is_opened_and_gone_on_with_in_both_consoles(browsing: Browsing, ann: Agent, bo: Agent, mia: Visitor) -> None:
    hers, his = open_profile(browsing, ann, mia), open_profile(browsing, bo, mia)
    choose_tab(his, "Tickets")
    choose_tab(hers, "Tickets")
    hers.get_by_role("button", name="New ticket").click()
    hers.get_by_label("Subject").fill("Invoice 4711")
    hers.get_by_label("Description").fill(HOSTILE)
    choose_tab(hers, "Info")
    choose_tab(hers, "Tickets")
    hers.get_by_role("button", name="New ticket").click()
    expect(hers.get_by_label("Subject")).to_have_value("Invoice 4711")  # what was begun is kept
    hers.get_by_label("Assignee").select_option(label="Bo Berg")
    hers.get_by_role("button", name="Open ticket").click()
    expect(hers.get_by_role("heading", name="Invoice 4711")).to_be_visible()
    item = his.get_by_role("button", name=re.compile("^Invoice 4711"))
    expect(item).to_contain_text("for Bo Berg")
    item.click()
    expect(his.get_by_text(HOSTILE)).to_be_visible()
    his.get_by_label("Comment", exact=True).fill("Refunded.")
    his.get_by_role("button", name="Add comment").click()
    expect(hers.locator(".comment")).to_contain_text("Refunded.")
    his.get_by_label("Status").select_option("Solved")
    expect(hers.get_by_label("Status")).to_have_value("solved")
    his.get_by_role("button", name="All tickets").click()
    expect(item).to_be_focused()
    expect(item).to_contain_text("Solved")
    expect(item).to_contain_text("1 comment")
    his.get_by_label("Status").select_option("Open")
    expect(his.get_by_text("No tickets of this status")).to_be_visible()


def test_addresses_that_would_run_are_only_read(browsing: Browsing, gateway: Gateway, channel_id: str, ann: Agent) -> None:
    visitor = Visitor(gateway, channel_id, url="javascript:document.title=1", title=HOSTILE, referrer="data:text/html,<script>1")
    visitor.say(HOSTILE)
    profile = open_profile(browsing, ann, visitor)
    expect(profile.get_by_role("heading", level=2)).to_have_text(HOSTILE)
    current = row(profile, "Current page")
    expect(current).to_contain_text(HOSTILE)
    expect(current).to_contain_text("javascript:document.title=1")
    expect(current.get_by_role("link")).to_have_count(0)
    expect(row(profile, "Came from").get_by_role("link")).to_have_count(0)
    expect(profile.locator("img, script")).to_have_count(0)
    expect(profile.page).to_have_title(re.compile("Foyer"))


def test_the_earlier_conversation_is_a_link_when_the_visitor_comes_again(
    browsing: Browsing, gateway: Gateway, ann: Agent, channel_id: str, mia: Visitor
) -> None:
    earlier = mia.conversation_id
    ann.archive(earlier)
    again = {"url": "https://shop.example/", "title": "Shop", "visitor_token": mia.token}
    gateway.ask("POST", f"/v1/widget/{channel_id}/session", again)
    mia.say("Hello again")
    mia.conversation_id = mia.conversation()["id"]
    profile = open_profile(browsing, ann, mia)
    link = profile.get_by_role("link", name=re.compile("^Archived"))
    link.click()
    expect(profile.page).to_have_url(re.compile(f"/chats/archived/{earlier}"))
    expect(profile.get_by_text("Archived. It can be assigned again once it is open.")).to_be_visible()
    expect(assignee(profile)).to_be_disabled()


def test_a_blocked_visitor_is_refused_until_unblocked(browsing: Browsing, gateway: Gateway, ann: Agent, mia: Visitor) -> None:
    profile = open_profile(browsing, ann, mia)
    dialog = profile.get_by_role("dialog")

    def post() -> int:
        words = {"text": "Hello?", "client_message_id": new_id()}
        return gateway.send("POST", "/v1/widget/messages", words, token=mia.token).status_code

    for action, answer in (("Block", 403), ("Unblock", 201)):
        profile.get_by_role("button", name=action, exact=True).click()
        expect(dialog).to_contain_text("Mia Lund")
        dialog.get_by_role("button", name=action, exact=True).click()
        expect(dialog).to_have_count(0)
        wait_until(lambda answer=answer: post() == answer, what=f"{answer} for what is posted")  # type: ignore[misc]
    expect(profile.locator(".pill-bad")).to_have_count(0)
    expect(profile.get_by_role("button", name="Erase…")).to_have_count(0)  # an admin's


def test_an_admin_exports_and_then_erases_and_all_consoles_forget(
    browsing: Browsing, ann: Agent, mia: Visitor, tmp_path: Path
) -> None:
    browsing.expect(REFUSED)
    hers, boss = open_profile(browsing, ann, mia), open_as_admin(browsing, mia)
    with boss.page.expect_download() as download:
        boss.get_by_role("button", name="Export as JSON").click()
    assert download.value.suggested_filename == f"contact-{mia.contact_id}.json"
    download.value.save_as(tmp_path / "export.json")
    assert json.loads((tmp_path / "export.json").read_text())["contact"]["name"] == "Mia Lund"
    boss.get_by_role("button", name="Erase…").click()
    dialog = boss.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Erase for good")
    expect(confirm).to_be_disabled()
    boss.page.keyboard.type("erase")
    confirm.click()
    for profile in (boss, hers):
        expect(profile.get_by_text("This contact was erased.")).to_be_visible()
        expect(profile).not_to_contain_text("Mia Lund")


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_everybody_can_use_every_part(browsing: Browsing, ann: Agent, mia: Visitor, size: Any, scheme: Any) -> None:
    ann.ask("PUT", f"/v1/conversations/{mia.conversation_id}/assignee", {"agent_id": ann.id, "remark": "Mine."})
    ann.ask("POST", f"/v1/contacts/{mia.contact_id}/notes", {"text": "Call her.", "highlighted": True})
    ann.ask("POST", f"/v1/contacts/{mia.contact_id}/tickets", {"subject": "Invoice 4711"})
    profile = open_profile(browsing, ann, mia, size=size, scheme=scheme)
    for name in ("Tickets", "Notes", "History", "Info"):
        choose_tab(profile, name)
        expect(profile.locator(".skeleton")).to_have_count(0)
        axe(profile.page, within=".profile")
        overflow = "() => [...document.querySelectorAll('html, .profile, .tab-panel')].some((each) => each.scrollWidth > each.clientWidth)"
        assert not profile.page.evaluate(overflow), name
    profile.get_by_role("button", name="Edit: Phone").click()
    assignee(profile).click()
    axe(profile.page, within=".profile")


def test_a_listing_has_what_was_told_while_it_was_read(browsing: Browsing) -> None:
    page = browsing.open("/console/")
    seen = page.evaluate(
        """async () => {
            const { LiveList } = await import("/console/app/store/live_list.js");
            const { newestFirst } = await import("/console/app/store/order.js");
            const answers = [];
            const list = new LiveList({ fetchPage: () => new Promise((answer) => answers.push(answer)), order: newestFirst });
            const item = (id, version, created_at = id) => ({ id, version, created_at });
            const shown = () => list.items.value.map(({ id, version }) => id + version).join(" ");
            const reading = list.reload();
            list.put(item("4", 1));
            list.put(item("1", 2));
            list.put(item("1", 1));
            list.drop("3");
            answers[0]({ items: [item("3", 1), item("2", 1), item("1", 1)], next_cursor: "more" });
            await reading;
            const first = shown();
            list.put(item("0", 1));
            const unread = shown();
            const again = list.reload();
            answers[1]({ items: [item("2", 2)], next_cursor: null });
            await again;
            return [first, unread, shown()];
        }"""
    )
    # New, mended and gone; what belongs to a page that was not read yet; whatever the next answer has.
    assert seen == ["41 21 12", "41 21 12", "22"]
