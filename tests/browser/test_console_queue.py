"""The console's waiting queue: who is next, for whom, and a hand to take them."""

import re

from playwright.sync_api import expect

from tests.browser.people import MODULE, sign_in
from tests.e2e.conftest import make_desk
from tests.support.browser import Browsing, axe
from tests.support.product import Agent, Gateway, Visitor

FAILED_LOAD = "Failed to load resource"
# A line whose page the test answers, and an event stream on which it says what it likes; nothing else of the console runs.
LINE = """
async () => {
    const module = MODULE;
    const [session, stream, { Line }] = await Promise.all(["core/session", "core/stream", "views/queue/line"].map(module));
    const answer = (data) => new Response(JSON.stringify(data));
    window.fetch = async () => answer({ access_token: "t", expires_in: 900, agent: { id: "me", version: 1 }, ticket: "t" });
    await session.signIn("me@example.org", "any");
    window.WebSocket = class { constructor() { window.socket = this; } close() {} };
    stream.start();
    while (!window.socket) await new Promise((resolve) => setTimeout(resolve, 5));
    const place = (conversation_id, position) => ({ conversation_id, position, estimated_wait_seconds: 60, priority: "normal", returned: false });
    window.reads = 0;
    window.fetch = async () => {
        window.reads += 1;
        return answer({ items: [place("a", 1), place("b", 2), place("c", 3)], next_cursor: null });
    };
    window.line = new Line();
    window.hear = (conversation_id, state, queue_position = null) => {
        const data = { conversation_id, state, queue_position, estimated_wait_seconds: 30, priority: "high", returned: false };
        window.socket.onmessage({ data: JSON.stringify({ event: "assignment.updated", data }) });
    };
    window.shown = () => window.line.items.value.map((item) => `${item.conversation_id}${item.position}`).join(" ");
    await window.line.reload();
}
"""
# Conversations that aren't there, of which the answers take their time.
SLOW_NAMES = """
() => {
    const fetch = window.fetch;
    Object.assign(window, { asked: [], asking: 0, most: 0 });
    window.fetch = async (path, options) => {
        if (!path.startsWith("/v1/conversations/far-")) return fetch(path, options);
        window.asked.push(path);
        window.most = Math.max(window.most, ++window.asking);
        await new Promise((resolve) => setTimeout(resolve, 30));
        window.asking -= 1;
        return new Response(JSON.stringify({ code: "CONVERSATION_NOT_FOUND", detail: "Gone." }), { status: 404 });
    };
}
"""


def test_who_waits_is_listed_in_order_and_taken_by_whoever_is_faster(browsing: Browsing, gateway: Gateway, admin: str) -> None:
    ann, bob = Agent(gateway, admin, "Ann Archer"), Agent(gateway, admin, "Bob Brown")
    desk = make_desk(gateway, admin, agents=[ann.id], text="One moment.")
    ann.ask("PATCH", "/v1/agents/me", {"availability": "busy"})
    bobs = sign_in(browsing, bob, "/console/#/queue")
    anns = sign_in(browsing, ann, "/console/#/queue")
    visitors = [Visitor(gateway, desk) for _ in range(3)]
    streams = [visitor.watch() for visitor in visitors]
    try:
        for visitor in visitors:
            visitor.say("Please")
        places = [anns.locator(".queue-place").filter(has=anns.locator(f"[href$='{each.conversation_id}']")) for each in visitors]
        for place in places:
            expect(place).to_contain_text("Ann Archer")
            expect(place).to_contain_text("less than a minute")
            expect(place).to_contain_text("Desk")
        axe(anns)
        order = anns.locator(".queue-name").evaluate_all("(links) => links.map((link) => link.href.split('/').at(-1))")
        ours = [each.conversation_id for each in visitors]
        assert [each for each in order if each in ours] == ours

        bobs.locator(f".queue-place:has([href$='{ours[0]}'])").get_by_role("button", name="Take").click()
        expect(bobs).to_have_url(re.compile(f"#/chats/mine/{ours[0]}$"))
        expect(bobs.locator(f"[data-row='{ours[0]}']")).to_be_visible()
        expect(places[0]).to_have_count(0)

        # Ann's page is kept from hearing of it, as if she pressed at the same moment.
        anns.evaluate(f"async () => (await ({MODULE})('core/stream')).stop()")
        bob.ask("PUT", f"/v1/conversations/{ours[1]}/assignee", {"agent_id": bob.id})
        browsing.expect(FAILED_LOAD)
        places[1].get_by_role("button", name="Take").click()
        expect(anns.get_by_text("Bob Brown was faster and has the conversation now.")).to_be_visible()
        expect(places[1]).to_have_count(0)
        expect(places[2]).to_be_visible()
    finally:
        for stream in streams:
            stream.close()


def test_who_moves_in_line_moves_at_once_and_the_line_is_read_seldom_when_it_moves_on_and_on(browsing: Browsing) -> None:
    page = browsing.open()
    page.clock.install()
    page.route("**/app/main.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto("/console/")
    page.evaluate(LINE.replace("MODULE", MODULE))
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)  # else it goes on by itself, too
    assert page.evaluate("() => { hear('b', 'queued', 1); hear('a', 'queued', 2); return shown(); }") == "b1 a2 c3"
    assert page.evaluate("() => { hear('c', 'assigned'); return shown(); }") == "b1 a2"
    # A minute in which somebody comes ten times a second.
    for _ in range(60):
        page.evaluate("() => { for (let each = 0; each < 10; each += 1) hear(`new-${each}`, 'queued'); }")
        page.clock.run_for(1_000)
    assert 10 <= page.evaluate("reads") <= 32
    page.evaluate("() => { line.close(); reads = 0; hear('a', 'queued', 1); }")
    page.clock.run_for(5_000)
    assert page.evaluate("reads") == 0


def test_names_are_asked_for_a_few_at_a_time_and_only_in_view_when_the_line_is_long(
    browsing: Browsing, gateway: Gateway, admin: str
) -> None:
    ann = Agent(gateway, admin, "Ann Archer")
    page = sign_in(browsing, ann, "/console/#/chats/archived")
    item = {
        "channel_id": "c",
        "contact_id": "k",
        "priority": "normal",
        "returned": False,
        "reason": None,
        "estimated_wait_seconds": None,
    }
    item |= {"requested_at": "2026-11-24T09:00:00.000Z", "agents": None, "team_id": None}
    items = [item | {"conversation_id": f"far-{number}", "position": number} for number in range(1, 51)]
    page.route("**/v1/queue?*", lambda route: route.fulfill(json={"items": items, "next_cursor": None}))
    page.evaluate(SLOW_NAMES)
    page.goto("/console/#/queue")
    places = page.locator(".queue-place")
    expect(places).to_have_count(50)
    expect(places.nth(4)).to_contain_text("Unknown visitor")
    page.wait_for_function("() => asking === 0")
    assert page.evaluate("most") == 3
    assert 5 <= page.evaluate("asked.length") < 30
    expect(places.last).not_to_contain_text("Unknown visitor")
    places.last.scroll_into_view_if_needed()
    expect(places.last).to_contain_text("Unknown visitor")
    assert page.evaluate("asked.length === new Set(asked).size")
