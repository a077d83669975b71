"""The console's waiting queue: who is next, for whom, and a hand to take them."""

import re

from playwright.sync_api import expect

from tests.browser.people import sign_in
from tests.e2e.conftest import make_desk
from tests.support.browser import Browsing, axe
from tests.support.product import Agent, Gateway, Visitor

FAILED_LOAD = "Failed to load resource"


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
        anns.evaluate("async () => (await import('/console/app/core/stream.js')).stop()")
        bob.ask("PUT", f"/v1/conversations/{ours[1]}/assignee", {"agent_id": bob.id})
        browsing.expect(FAILED_LOAD)
        places[1].get_by_role("button", name="Take").click()
        expect(anns.get_by_text("Bob Brown was faster.")).to_be_visible()
        expect(places[1]).to_have_count(0)
        expect(places[2]).to_be_visible()
    finally:
        for stream in streams:
            stream.close()
