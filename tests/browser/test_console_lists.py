"""The console's lists of conversations stay true whatever comes first: a page that was asked for, or an event."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.people import MODULE
from tests.support.browser import Browsing

# What the modules ask the API for is answered by the test, when it says so; nothing else of the console runs.
SETUP = """
async () => {
    const module = MODULE;
    const [session, store, lists, collections] = await Promise.all(
        ["core/session", "store/conversations", "store/conversation_list", "store/collection"].map(module),
    );
    window.fetch = async () => new Response(JSON.stringify({ access_token: "t", expires_in: 900, agent: { id: "me", version: 1 } }));
    await session.signIn("me@example.org", "any");
    const asked = [];
    window.fetch = (path) => new Promise((resolve) => asked.push({ path, resolve }));
    // In many turns, not in one: what has several of its own to go then comes first also where the machine stands still for a moment.
    const settle = async () => {
        for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    const at = (minute) => `2026-11-24T10:${String(minute).padStart(2, "0")}:00.000Z`;
    const by = (kind) => ({ kind, id: "x", name: "X" });
    Object.assign(window, store, lists, collections, {
        asked, settle,
        answer: async (data) => { asked.shift().resolve(new Response(JSON.stringify(data))); await settle(); },
        conversation: (id, minute, more = {}) => ({
            id, status: "open", handler: "agent", contact: { id: "k", name: "V" }, channel: { id: "c" }, assignee: null, queue: null,
            last_message: { seq: 1, author: by("visitor"), preview: "", created_at: at(minute) }, last_seq: 1, unread_count: 1,
            read_seq: 0, awaiting_answer_since: null, created_at: at(0), version: 1, ...more,
        }),
        message: (conversation_id, seq, minute, text, kind = "visitor") => ({ conversation_id, seq, author: by(kind), text, created_at: at(minute) }),
        mine: { assignee: { id: "me", name: "Me" }, version: 2 },
    });
}
"""


@pytest.fixture
def page(browsing: Browsing) -> Page:
    page = browsing.open()
    page.route("**/app/main.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/console/")
    page.evaluate(SETUP.replace("MODULE", MODULE))
    return page


def run(page: Page, script: str) -> Any:
    return page.evaluate("async () => {" + script + "}")


def test_conversation_that_enters_while_its_page_is_on_its_way_is_not_lost(page: Page) -> None:
    assert (
        run(
            page,
            """
        const list = new ConversationList({ folder: "mine" });
        list.reload(); await settle();
        await answer({ items: [conversation("a", 9, mine), conversation("b", 8, mine)], next_cursor: "1" });
        list.more(); await settle();
        putConversation(conversation("x", 6, mine));   // assigned after the page was read, within what it holds
        putConversation(conversation("far", 1, mine)); // older: it comes with a later page
        await answer({ items: [conversation("c", 7, mine), conversation("d", 5, mine)], next_cursor: "2" });
        return list.ids.value.join();
        """,
        )
        == "a,b,c,x,d"
    )


def test_conversation_is_listed_when_it_lies_between_the_last_one_left_and_what_was_read(page: Page) -> None:
    assert (
        run(
            page,
            """
        const list = new ConversationList({ folder: "mine" });
        list.reload(); await settle();
        await answer({ items: [conversation("a", 9, mine), conversation("b", 5, mine)], next_cursor: "1" });
        applyMessage(message("b", 2, 20, "up"));
        putConversation(conversation("x", 6, mine)); // the next page begins behind where b was
        return list.ids.value.join();
        """,
        )
        == "b,a,x"
    )


def test_folder_is_left_when_an_event_says_so_before_the_page_comes(page: Page) -> None:
    assert run(
        page,
        """
        const list = new ConversationList({ folder: "unassigned" });
        list.reload(); await settle();
        putConversation(conversation("b", 8, mine));
        putConversation(conversation("new", 10));
        await answer({ items: [conversation("a", 9), conversation("b", 8)], next_cursor: null });
        const before = list.ids.value.join();
        putConversation(conversation("a", 9, { ...mine, version: 3 }));
        putConversation(conversation("new", 10, { status: "archived", version: 3 }));
        return [before, list.ids.value.join()];
        """,
    ) == ["new,a", ""]


def test_reload_drops_what_went_unheard_and_keeps_what_came_meanwhile(page: Page) -> None:
    assert run(
        page,
        """
        const list = new ConversationList({ folder: "all" });
        list.reload(); await settle();
        await answer({ items: [conversation("a", 9), conversation("gone", 8)], next_cursor: null });
        list.reload(); await settle();
        const shown = list.ids.value.join();
        putConversation(conversation("new", 10));
        await answer({ items: [conversation("a", 9)], next_cursor: null });
        return [shown, list.ids.value.join()];
        """,
    ) == ["a,gone", "new,a"]


def test_messages_that_come_while_their_conversation_is_fetched_are_on_top_of_it(page: Page) -> None:
    assert run(
        page,
        """
        const list = new ConversationList({ folder: "all" });
        list.reload(); await settle();
        await answer({ items: [], next_cursor: null });
        applyMessage(message("u", 2, 11, "first")); await settle();
        applyMessage(message("u", 3, 12, "second"));
        applyMessage(message("u", 2, 11, "first"));
        const requests = asked.length;
        await answer(conversation("u", 11, { last_seq: 2, unread_count: 2 }));
        const { last_message, last_seq, unread_count } = conversations.peek("u");
        return [requests, list.ids.value.join(), last_message.preview, last_seq, unread_count];
        """,
    ) == [1, "u", "second", 3, 3]


def test_gap_in_the_messages_has_the_conversation_fetched(page: Page) -> None:
    assert run(
        page,
        """
        putConversation(conversation("g", 1));
        applyMessage(message("g", 5, 11, "fifth")); await settle();
        const path = asked[0].path;
        await answer(conversation("g", 11, { last_seq: 5, unread_count: 4, version: 5 }));
        applyMessage(message("g", 6, 12, "sixth")); await settle();
        return [path, asked.length, conversations.peek("g").unread_count];
        """,
    ) == ["/v1/conversations/g", 0, 5]


def test_read_marker_told_before_a_newer_message_does_not_hide_it(page: Page) -> None:
    assert run(
        page,
        """
        putConversation(conversation("r", 1));
        applyMessage(message("r", 2, 11, "and this"));
        putConversation(conversation("r", 1, { unread_count: 0, read_seq: 1, version: 2 }));
        const { unread_count, last_seq, last_message } = conversations.peek("r");
        applyMessage(message("r", 3, 12, "an answer", "agent"));
        return [unread_count, last_seq, last_message.preview, conversations.peek("r").unread_count];
        """,
    ) == [1, 2, "and this", 0]


def test_page_that_failed_is_asked_for_again_from_where_it_was(page: Page) -> None:
    assert run(
        page,
        """
        const list = new ConversationList({ folder: "all" });
        list.reload(); await settle();
        await answer({ items: [conversation("a", 9)], next_cursor: "next" });
        list.more(); await settle();
        asked.shift().resolve(new Response("{}", { status: 500 })); await settle();
        const failed = [list.problem.value.status, list.ids.value.join()];
        list.more(); await settle();
        const path = asked[0].path;
        await answer({ items: [conversation("b", 8)], next_cursor: null });
        return [...failed, path.includes("cursor=next"), list.ids.value.join(), list.done.value];
        """,
    ) == [500, "a", True, "a,b", True]


def test_server_is_asked_when_what_was_searched_for_may_be_in_an_older_message(page: Page) -> None:
    assert run(
        page,
        """
        const list = new ConversationList({ folder: "all", q: "ship" });
        list.reload(); await settle();
        await answer({ items: [conversation("a", 9, { contact: { id: "k", name: "Shipley" } })], next_cursor: null });
        putConversation(conversation("named", 10, { contact: { id: "k", name: "Ann SHIP" } }));
        putConversation(conversation("other", 11));
        putConversation(conversation("older", 12));
        const before = list.ids.value.join();
        while (asked.length === 0) await settle();
        await answer({ items: [conversation("older", 12)], next_cursor: null });
        return [before, list.ids.value.join()];
        """,
    ) == ["named,a", "older,named,a"]


def test_preview_is_shortened_as_the_api_does(page: Page) -> None:
    assert (
        run(
            page,
            """
        putConversation(conversation("p", 1));
        applyMessage(message("p", 2, 11, "😀".repeat(118) + " and more"));
        return conversations.peek("p").last_message.preview;
        """,
        )
        == "😀" * 118 + "…"
    )


def test_colleague_who_comes_while_all_are_loaded_is_kept_and_who_goes_stays_gone(page: Page) -> None:
    assert (
        run(
            page,
            """
        const known = new Collection("/v1/teams", (one, other) => (one.id < other.id ? -1 : 1));
        known.load(); await settle();
        known.put({ id: "new", version: 1 });
        known.put({ id: "b", version: 3 });
        known.drop("gone");
        await answer({ items: [{ id: "a", version: 1 }, { id: "b", version: 2 }, { id: "gone", version: 1 }], next_cursor: null });
        return known.items.value.map((item) => `${item.id}${item.version}`).join();
        """,
        )
        == "a1,b3,new1"
    )
