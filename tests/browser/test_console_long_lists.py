"""The console's contact list with more conversations than fit: only what is seen is in the page, and it stays where it is."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.people import MODULE, sign_in
from tests.support.browser import Browsing
from tests.support.product import Agent, Gateway

LISTING = re.compile(r"/v1/conversations\?")
FAILED_LOAD = "Failed to load resource"


@pytest.fixture
def ann(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ann Archer")


def open_console(browsing: Browsing, agent: Agent, count: int) -> tuple[Page, list[int]]:
    """A list of so many conversations that nobody has, once the stream is there; and where each page that was asked for begins."""
    page = sign_in(browsing, agent, "/console/#/admin")
    page.evaluate(
        """async () => {
            const { connection } = await (MODULE)("core/stream");
            while (connection.value !== "live") await new Promise(requestAnimationFrame);
        }""".replace("MODULE", MODULE)
    )
    begins = serve_made_up(page, count)
    page.goto("/console/#/chats/all")
    expect(page.get_by_text("Message 0", exact=True)).to_be_visible()
    return page, begins


def made_up(number: int) -> dict[str, Any]:
    """One of many conversations; the higher its number, the older."""
    at = f"2026-11-{28 - number // 1440:02d}T{23 - number // 60 % 24:02d}:{59 - number % 60:02d}:00.000Z"
    author = {"kind": "visitor", "id": f"k{number}", "name": f"Visitor {number}"}
    return {
        "id": f"c{99999 - number}",
        "status": "open",
        "handler": "bot",
        "contact": {"id": f"k{number}", "name": f"Visitor {number}"},
        "channel": {"id": "x", "name": "Shop", "kind": "web"},
        "assignee": None,
        "queue": None,
        "bot": {"flow_version": None, "block": None, "resumes_at": None},
        "last_message": {"seq": 1, "author": author, "preview": f"Message {number}", "created_at": at},
        "last_seq": 1,
        "unread_count": 1,
        "read_seq": 0,
        "visitor_read_seq": 0,
        "awaiting_answer_since": None,
        "created_at": at,
        "archived_at": None,
        "archived_by": None,
        "version": 1,
    }


def serve_made_up(page: Page, count: int) -> list[int]:
    """Answer listings with so many conversations; returns the list of where each page that was asked for begins."""
    begins: list[int] = []

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        begin, limit = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
        begins.append(begin)
        end = min(count, begin + limit)
        items = [made_up(number) for number in range(begin, end)]
        route.fulfill(json={"items": items, "next_cursor": str(end) if end < count else None})

    page.route(LISTING, answer)
    return begins


def say_in(page: Page, conversation_id: str, text: str) -> None:
    """A message of its visitor, as if the stream told of it."""
    page.evaluate(
        """async ([conversation_id, text]) => {
            const { applyMessage } = await (MODULE)("store/conversations");
            const author = { kind: "visitor", id: "k", name: "V" };
            applyMessage({ conversation_id, seq: 2, author, text, created_at: new Date().toISOString() });
        }""".replace("MODULE", MODULE),
        [conversation_id, text],
    )


def test_thousands_are_scrolled_by_rows_that_exist_only_while_seen(browsing: Browsing, ann: Agent) -> None:
    page, begins = open_console(browsing, ann, 1000)
    expect(page.locator("[aria-posinset='1']")).to_have_attribute("aria-setsize", "-1")
    scroller = page.locator(".virtual-list")
    blank = scroller.evaluate(
        """async (list) => {
            const frame = () => new Promise(requestAnimationFrame);
            const { left, top, height } = list.getBoundingClientRect();
            let blank = 0;
            while (list.querySelector(".list-end") === null || list.scrollTop < list.scrollHeight - list.clientHeight - 1) {
                list.scrollTop += 1000;
                await frame();
                const row = document.elementFromPoint(left + 100, top + height / 2).closest(".virtual-row, .skeleton");
                blank += Number(row === null);
                if (document.querySelectorAll(".virtual-row").length > 60) throw new Error("too many rows");
            }
            return blank;
        }"""
    )
    assert blank == 0
    assert begins == [0, *range(50, 1000, 100)]
    expect(page.get_by_text("Message 999", exact=True)).to_be_visible()
    expect(page.locator("[aria-posinset='1000']")).to_have_attribute("aria-setsize", "1000")


def test_view_stays_where_it_is_when_rows_move_above_it(browsing: Browsing, ann: Agent) -> None:
    page, _ = open_console(browsing, ann, 300)
    middle = page.get_by_text("Message 40", exact=True)
    page.locator(".virtual-list").evaluate("(list) => { list.scrollTop = 36 * 72 + 30; }")
    expect(middle).to_be_visible()
    before = middle.bounding_box()
    page.wait_for_function("() => document.querySelector('.virtual-list').scrollHeight > 100 * 72")
    say_in(page, made_up(90)["id"], "From far below")
    say_in(page, made_up(41)["id"], "From what is seen")
    expect(page.get_by_text("Message 41", exact=True)).to_have_count(0)
    assert middle.bounding_box() == before
    page.locator(".virtual-list").evaluate("(list) => { list.scrollTop = 0; }")
    expect(page.locator("[aria-posinset='1']")).to_contain_text("From what is seen")
    expect(page.locator("[aria-posinset='2']")).to_contain_text("From far below")
    # At the very top one sees what is new.
    say_in(page, made_up(120)["id"], "The newest")
    expect(page.get_by_text("The newest")).to_be_in_viewport()


def test_list_is_one_tab_stop_and_keeps_the_focus_when_its_row_moves(browsing: Browsing, ann: Agent) -> None:
    page, _ = open_console(browsing, ann, 120)
    focused = page.locator(".virtual-row:focus-within")
    page.get_by_label("Search names and messages").focus()
    page.keyboard.press("Tab")
    expect(focused).to_have_attribute("aria-posinset", "1")
    keys = {"ArrowDown": "2", "ArrowUp": "1", "End": "50|120", "PageUp": "[0-9]+", "Home": "1"}
    for key, position in keys.items():
        page.keyboard.press(key)
        expect(focused).to_have_attribute("aria-posinset", re.compile(f"^({position})$"))
        expect(focused).to_be_in_viewport()
        expect(page.locator(".virtual-row [tabindex='0']")).to_have_count(1)
    page.keyboard.press("PageDown")
    expect(focused).not_to_contain_text("Message 0")
    words = focused.locator(".chat-row-name").inner_text()
    say_in(page, str(focused.get_attribute("data-row")), "I move")
    expect(focused).to_have_attribute("aria-posinset", "1")
    expect(focused.locator(".chat-row-name")).to_have_text(words)
    browsing.expect(FAILED_LOAD)  # there are no such conversations
    address = str(focused.get_by_role("link").get_attribute("href"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{address}$"))
