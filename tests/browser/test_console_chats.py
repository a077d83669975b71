"""The console's chats: folders and filters, the contact list as it moves, one pane at a time on phones."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import MODULE, sign_in
from tests.support.browser import PHONE, Browsing, axe
from tests.support.product import ADMIN_EMAIL, PASSWORD, Agent, Gateway, Visitor

HOSTILE = "<b>Bold</b> <script>alert(1)</script>"
LISTING = re.compile(r"/v1/conversations\?")
FAILED_LOAD = "Failed to load resource"


@pytest.fixture
def channel_id(gateway: Gateway, admin: str) -> str:
    """A channel of the test's own, without a bot."""
    return str(gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Quiet shop"}, token=admin)["id"])


@pytest.fixture
def ann(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ann Archer")


@pytest.fixture
def bob(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Bob Brown")


def visit(gateway: Gateway, channel_id: str, *texts: str) -> Visitor:
    visitor = Visitor(gateway, channel_id)
    for text in texts:
        visitor.say(text)
    return visitor


def row_of(page: Page, conversation_id: str) -> Any:
    return page.locator(f"[data-row='{conversation_id}']")


def test_two_consoles_agree_when_a_conversation_is_written_in_taken_and_archived(
    browsing: Browsing, gateway: Gateway, ann: Agent, bob: Agent, channel_id: str
) -> None:
    visitor = visit(gateway, channel_id, "Hello?")
    anns = sign_in(browsing, ann, f"/console/#/chats/unassigned?channel={channel_id}")
    bobs = sign_in(browsing, bob, f"/console/#/chats/all?channel={channel_id}")
    other = visit(gateway, channel_id, "Newer")
    for page in (anns, bobs):
        expect(page.locator(".chat-row")).to_have_count(2)
        expect(page.locator(".chat-row").first).to_contain_text("Newer")
    visitor.say("Is anybody there?")
    for page in (anns, bobs):
        first = page.locator(".chat-row").first
        expect(first).to_contain_text("Is anybody there?")
        expect(first.locator(".badge")).to_contain_text("2")

    ann.say(visitor.conversation_id, "Yes, I am.")
    expect(row_of(anns, visitor.conversation_id)).to_have_count(0)
    expect(row_of(anns, other.conversation_id)).to_be_visible()
    row = row_of(bobs, visitor.conversation_id)
    expect(row).to_contain_text("Ann Archer: Yes, I am.")
    expect(row.get_by_role("img", name="With Ann Archer")).to_be_visible()
    expect(row.locator(".badge")).to_have_count(0)
    anns.get_by_role("link", name="Mine", exact=True).click()
    expect(row_of(anns, visitor.conversation_id)).to_contain_text("You: Yes, I am.")

    ann.archive(visitor.conversation_id)
    expect(anns.get_by_text("No conversation matches")).to_be_visible()
    expect(row).to_have_count(0)
    bobs.get_by_role("link", name="Archived").click()
    expect(row).to_be_visible()


def test_colleagues_are_told_apart_by_how_they_stand(
    browsing: Browsing, gateway: Gateway, ann: Agent, bob: Agent, channel_id: str
) -> None:
    page = sign_in(browsing, ann, "/console/#/chats/all")
    colleagues = page.get_by_role("navigation", name="Colleagues")
    own = colleagues.locator(".folder-link").filter(has_text="(you)")
    expect(own).to_contain_text("Ann Archer")
    expect(own.get_by_role("img", name="Available")).to_be_visible()
    expect(own).to_contain_text("0 of 4 conversations")
    bobs = page.locator(f".folder-link[href*='{bob.id}']")
    expect(bobs.get_by_role("img", name="Not connected")).to_be_visible()
    expect(bobs).to_have_class(re.compile("colleague-away"))

    sign_in(browsing, bob, "/console/#/chats/all")
    bob.ask("PATCH", "/v1/agents/me", {"availability": "busy"})
    bob.say(visit(gateway, channel_id, "Hello").conversation_id, "Hi")
    expect(bobs.get_by_role("img", name="Busy")).to_be_visible()
    expect(bobs).not_to_have_class(re.compile("colleague-away"))
    expect(bobs).to_contain_text("1 of 4 conversations")
    expect(page.locator(f".folder-link[href*='{channel_id}']")).to_contain_text("1 visitor")


DRAWN = """
async () => {
    const { options } = await import("preact");
    const before = options.diffed;
    Object.assign(window, { drawn: [], drawnAt: performance.now() });
    options.diffed = (node) => {
        window.drawnAt = performance.now();
        if (typeof node.type === "function") window.drawn.push(node.type.name);
        before?.(node);
    };
}
"""


def test_only_the_colleague_is_drawn_anew_when_their_load_changes(
    browsing: Browsing, gateway: Gateway, ann: Agent, bob: Agent, channel_id: str
) -> None:
    bob.say(visit(gateway, channel_id, "Hello").conversation_id, "Hi")
    page = sign_in(browsing, ann, f"/console/#/chats/all?channel={channel_id}")
    expect(page.locator(".chat-row")).to_contain_text("Bob Brown: Hi")
    bobs = page.locator(f".folder-link[href*='{bob.id}']")
    expect(bobs).to_contain_text("1/4")
    # Who was there in earlier tests has gone, and what is read anew as the stream begins is drawn.
    expect(page.locator(".colleague:not(.colleague-away)")).to_have_count(1)
    page.evaluate(DRAWN)
    page.wait_for_function("() => performance.now() - drawnAt > 1000")
    page.evaluate("() => { drawn.length = 0; }")
    gateway.ask("PATCH", f"/v1/agents/{bob.id}", {"capacity": 9}, token=gateway.sign_in(ADMIN_EMAIL, PASSWORD))
    expect(bobs).to_contain_text("1/9")
    drawn = page.evaluate("drawn")
    assert drawn.count("Colleague") == 1
    assert not {"Row", "Colleagues", "Sidebar", "ContactList"} & set(drawn)
    # A new name is another matter.
    gateway.ask("PATCH", f"/v1/agents/{bob.id}", {"name": "Bob Black"}, token=gateway.sign_in(ADMIN_EMAIL, PASSWORD))
    expect(page.locator(".chat-row")).to_contain_text("Bob Black: Hi")


def test_list_says_above_that_it_may_be_out_of_date_when_it_could_not_be_read_anew(
    browsing: Browsing, gateway: Gateway, ann: Agent, channel_id: str
) -> None:
    visit(gateway, channel_id, "Here I am")
    browsing.expect(FAILED_LOAD)
    page = sign_in(browsing, ann, f"/console/#/chats/all?channel={channel_id}")
    expect(page.locator(".chat-row")).to_contain_text("Here I am")
    page.route(LISTING, lambda route: route.fulfill(status=500, json={"code": "INTERNAL", "detail": "Something broke."}))
    page.evaluate(f"async () => {{ (await ({MODULE})('store/live')).epoch.value += 1; }}")
    head = page.locator(".list-head")
    expect(head).to_contain_text("This may be out of date.")
    expect(page.locator(".chat-row")).to_contain_text("Here I am")
    page.unroute(LISTING)
    head.get_by_role("button", name="Try again").click()
    expect(head).not_to_contain_text("out of date")


def test_list_is_narrowed_by_channel_colleague_and_words_and_the_address_says_so(
    browsing: Browsing, gateway: Gateway, ann: Agent, bob: Agent, channel_id: str
) -> None:
    taken = visit(gateway, channel_id, "About shipping to Portugal")
    bob.say(taken.conversation_id, "Three days.")
    free = visit(gateway, channel_id, "About prices")
    page = sign_in(browsing, ann, "/console/#/chats/unassigned")
    page.locator(f".folder-link[href*='{channel_id}']").click()
    expect(page.locator(".chat-row")).to_have_count(1)
    expect(row_of(page, free.conversation_id)).to_be_visible()
    # Nobody's can't be Bob's: all open ones are looked at.
    page.locator(f".folder-link[href*='{bob.id}']").click()
    expect(page).to_have_url(re.compile(f"#/chats/all\\?channel={channel_id}&agent={bob.id}$"))
    expect(row_of(page, taken.conversation_id)).to_be_visible()
    expect(page.locator(".chat-row")).to_have_count(1)
    page.get_by_role("link", name="Remove the filter Bob Brown").click()
    expect(page.locator(".chat-row")).to_have_count(2)

    search = page.get_by_label("Search names and messages")
    search.press_sequentially("shipping", delay=15)
    expect(page).to_have_url(re.compile("q=shipping$"))
    expect(page.locator(".chat-row")).to_have_count(1)
    expect(row_of(page, taken.conversation_id)).to_be_visible()
    page.reload()
    expect(search).to_have_value("shipping")
    search.press("Escape")
    expect(search).to_have_value("")
    expect(page.locator(".chat-row")).to_have_count(2)
    search.fill("nobody said this")
    expect(page.get_by_text("No conversation matches")).to_be_visible()
    page.get_by_role("link", name="Remove all filters").click()
    expect(page).to_have_url(re.compile("#/chats/all$"))


def test_phone_shows_one_pane_at_a_time_and_goes_back_by_buttons_and_history(
    browsing: Browsing, gateway: Gateway, ann: Agent, channel_id: str
) -> None:
    visitors = [visit(gateway, channel_id, f"Number {number}") for number in range(14)]
    page = sign_in(browsing, ann, f"/console/#/chats/all?channel={channel_id}", size=PHONE)
    panes = {name: page.locator(f".chats-{name}") for name in ("list", "thread", "profile")}

    def expect_only(shown: str) -> None:
        for name, pane in panes.items():
            expect(pane).to_be_visible() if name == shown else expect(pane).not_to_be_visible()

    expect_only("list")
    folders = page.get_by_role("navigation", name="Folders")
    expect(folders).not_to_be_visible()
    button = page.get_by_role("button", name="Folders and filters")
    button.click()
    axe(page)
    folders.get_by_role("link", name="Unassigned").click()
    expect(folders).not_to_be_visible()
    expect(page).to_have_url(re.compile("#/chats/unassigned"))
    scroller = page.locator(".virtual-list")
    scroller.evaluate("(list) => { list.scrollTop = 300; }")
    row_of(page, visitors[3].conversation_id).get_by_role("link").click()
    expect_only("thread")
    page.locator(".chats-thread").get_by_role("button", name="Profile").click()
    expect(page).to_have_url(re.compile(f"{visitors[3].conversation_id}/profile"))
    expect_only("profile")
    page.locator(".chats-profile").get_by_role("button", name=re.compile("back", re.IGNORECASE)).first.click()
    expect_only("thread")
    page.locator(".chats-thread").get_by_role("button", name=re.compile("back", re.IGNORECASE)).first.click()
    expect_only("list")
    assert scroller.evaluate("(list) => list.scrollTop") == pytest.approx(300, abs=72)
    expect(row_of(page, visitors[3].conversation_id).get_by_role("link")).to_be_focused()
    page.go_back()
    expect_only("thread")
    page.go_back()
    expect_only("profile")


def test_conversation_opens_from_its_address_when_no_list_holds_it(
    browsing: Browsing, gateway: Gateway, ann: Agent, bob: Agent, channel_id: str
) -> None:
    visitor = visit(gateway, channel_id, "I was archived")
    bob.archive(visitor.conversation_id)
    page = sign_in(browsing, ann, f"/console/#/chats/mine/{visitor.conversation_id}")
    expect(page.get_by_text("You have no conversations")).to_be_visible()
    expect(page.locator(".chats-thread").get_by_text("I was archived")).to_be_visible()
    expect(page.locator(".chats-profile")).to_be_visible()
    browsing.expect(FAILED_LOAD)
    page.goto(f"/console/#/chats/elsewhere/{'0' * 32}")
    expect(page).to_have_url(re.compile("#/chats/mine"))


def test_failure_is_said_and_tried_again_by_hand(browsing: Browsing, gateway: Gateway, ann: Agent, channel_id: str) -> None:
    visit(gateway, channel_id, "Here I am")
    browsing.expect(FAILED_LOAD)
    page = sign_in(browsing, ann, "/console/#/admin")
    refuse = {"code": "INTERNAL", "detail": "Something broke."}
    page.route(LISTING, lambda route: route.fulfill(status=500, json=refuse))
    page.goto(f"/console/#/chats/all?channel={channel_id}")
    alert = page.locator(".chats-list").get_by_role("alert")
    expect(alert).to_contain_text("Something broke.")
    page.unroute(LISTING)
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".chat-row")).to_contain_text("Here I am")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_and_right_to_left_texts_are_shown_as_texts(
    browsing: Browsing, gateway: Gateway, ann: Agent, channel_id: str, scheme: str
) -> None:
    visitor = visit(gateway, channel_id, "<img src=x onerror=alert(1)>\n<script>document.title='x'</script>")
    ann.ask("PATCH", f"/v1/contacts/{visitor.contact_id}", {"name": HOSTILE})
    arab = visit(gateway, channel_id, "مرحبا، كم سعر الشحن إلى البرتغال؟")
    page = sign_in(browsing, ann, f"/console/#/chats/all?channel={channel_id}", scheme=scheme)
    row = row_of(page, visitor.conversation_id)
    expect(row.locator(".chat-row-name")).to_have_text(HOSTILE)
    expect(row.locator(".chat-row-words")).to_contain_text("<img src=x onerror=alert(1)>")
    words = page.get_by_text("مرحبا").locator("xpath=ancestor-or-self::*[@dir='auto']").last
    assert words.evaluate("(element) => getComputedStyle(element).direction") == "rtl"
    ann.ask("PATCH", f"/v1/contacts/{arab.contact_id}", {"name": "مريم"})
    name = row_of(page, arab.conversation_id).locator(".chat-row-name")
    expect(name).to_have_text("مريم")
    starts = "(element) => { const range = document.createRange(); range.selectNodeContents(element); return range.getBoundingClientRect().left; }"
    assert abs(name.evaluate(starts) - row.locator(".chat-row-name").evaluate(starts)) < 1
    axe(page)
