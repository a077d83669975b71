"""A visitor talks in the widget: to the bot, in the line, with an agent, and again after the end."""

import json
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.website import Site, Widget
from tests.e2e.conftest import make_desk
from tests.support.browser import Browsing
from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until


def open_conversation(agent: Agent, channel_id: str) -> dict[str, Any]:
    """The channel's newest conversation."""
    found: dict[str, Any] = agent.ask("GET", f"/v1/conversations?channel_id={channel_id}")["items"][0]
    return found


def test_bot_and_visitor_talk_when_the_launcher_is_opened(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id).open()
    expect(widget.message("Hi, I am the Acme bot.", "bot")).to_be_visible()
    expect(widget.log.locator(".who").first).to_have_text("Shop · Bot")
    expect(widget.box).to_be_focused()
    widget.say("Mia Lund")
    expect(widget.message("And your e-mail, Mia Lund?")).to_be_visible()
    widget.say("mia@example.com")
    widget.choose("Just looking")
    expect(widget.mine("Just looking")).to_be_visible()
    expect(widget.message("Enjoy!")).to_be_visible()
    expect(widget.log.get_by_role("button", name="A quote")).to_have_count(0)
    expect(widget.log.locator(".day")).to_have_text(["Today"])


def place(position: int) -> str:
    """How the widget says it; whoever waits in other tests' channels may be ahead."""
    return "You are next in line" if position == 1 else f"You are number {position} in line"


def test_visitor_learns_the_place_in_line_and_is_answered_when_an_agent_is_free(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str, request: pytest.FixtureRequest
) -> None:
    agent = Agent(gateway, admin, "Ada", capacity=1)
    channel_id = make_desk(gateway, admin, agents=[agent.id])
    request.addfinalizer(agent.watch().close)
    first = Visitor(gateway, channel_id)
    wait_until(lambda: first.conversation()["assignee"], what="the first visitor's agent")
    second = Visitor(gateway, channel_id)
    ahead = wait_until(lambda: second.conversation()["queue"], what="the second visitor's place")["position"]
    widget = website.show(browsing, channel_id).open()
    expect(widget.queue).to_contain_text(place(ahead + 1))
    agent.archive(first.conversation_id)
    expect(widget.queue).to_contain_text(place(ahead))
    agent.archive(second.conversation_id)
    expect(widget.panel.get_by_text("You are talking to Ada")).to_be_visible()
    expect(widget.queue).to_be_hidden()
    conversation_id = open_conversation(agent, channel_id)["id"]
    agent.ask("POST", f"/v1/conversations/{conversation_id}/typing", {"typing": True})
    expect(widget.typing).to_have_text("Ada is typing")
    agent.say(conversation_id, "How can I help?")
    expect(widget.message("How can I help?", "agent")).to_be_visible()
    expect(widget.typing).to_be_hidden()


def test_visitor_leaves_the_line_when_waiting_takes_too_long(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str
) -> None:
    channel_id = make_desk(gateway, admin, agents=[Agent(gateway, admin).id])
    widget = website.show(browsing, channel_id).open()
    widget.queue.get_by_role("button", name="Stop waiting").click()
    expect(widget.queue).to_be_hidden()
    expect(widget.log.get_by_text("You are not waiting any more.")).to_be_visible()
    widget.say_and_see("Is there really nobody?")
    expect(widget.queue).to_be_visible()
    expect(widget.log.get_by_text("You are not waiting any more.")).to_have_count(0)


@pytest.mark.parametrize(
    ("position", "seconds", "said"),
    [
        (2, 240, "You are number 2 in line, about 4 minutes"),
        (1, 50, "You are next in line, about a minute"),
        (30, 9_000, "You are number 30 in line, more than an hour"),
        (3, None, "You are number 3 in line"),
    ],
)
def test_place_in_line_is_told_with_the_wait_when_it_is_known(
    browsing: Browsing, website: Site, channel_id: str, position: int, seconds: int | None, said: str
) -> None:
    def put_in_line(route: Route) -> None:
        answer = route.fetch()
        session = answer.json()
        session["conversation"] |= {"handler": "queue", "queue": {"position": position, "estimated_wait_seconds": seconds}}
        route.fulfill(response=answer, body=json.dumps(session))

    page = browsing.open()
    page.route("**/session", put_in_line)
    page.goto(website.put("/", channel_id))
    expect(Widget(page, website).open().queue.locator("span")).to_have_text(said)


def test_visitor_is_told_what_is_new_when_the_panel_is_closed(
    browsing: Browsing, website: Site, channel_id: str, ada: Agent
) -> None:
    widget = website.show(browsing, channel_id)
    page = widget.page
    page.evaluate("() => { window.heard = []; addEventListener('foyer:unread', ({detail}) => heard.push(detail.count)); }")
    widget.open().say_and_see("Mia")
    conversation_id = open_conversation(ada, channel_id)["id"]
    seen = ada.say(conversation_id, "Seen at once")["seq"]
    wait_until(lambda: widget.ask("GET", "/conversation")["visitor_read_seq"] == seen, what="the read marker")
    widget.close()
    expect(widget.launcher).to_be_focused()
    for text in ("One", "Two"):
        ada.say(conversation_id, text)
    expect(widget.badge).to_have_text("2")
    expect(widget.host.locator(".root > [role=status]")).to_have_text("Ada: Two")
    expect(widget.launcher).to_have_accessible_name("Open the chat, 2 unread")
    assert page.evaluate("heard") == [1, 2]
    page.reload()
    expect(widget.badge).to_have_text("2")
    widget.open()
    wait_until(lambda: widget.ask("GET", "/conversation")["visitor_read_seq"] == seen + 2, what="the read marker")
    widget.close()
    expect(widget.badge).to_be_hidden()


def test_visitor_is_invited_when_nobody_greets(browsing: Browsing, website: Site, gateway: Gateway, admin: str) -> None:
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Quiet"}, token=admin)
    widget = website.show(browsing, channel["id"]).open()
    expect(widget.log.get_by_text("Write to us.")).to_be_visible()
    widget.say_and_see("Hello?")
    expect(widget.log.get_by_text("Write to us.")).to_have_count(0)


def test_conversation_begins_anew_when_the_last_was_archived(
    browsing: Browsing, website: Site, channel_id: str, ada: Agent
) -> None:
    here = website.show(browsing, channel_id).open()
    there = Widget(here.page.context.new_page(), website)
    here.say_and_see("Mia")
    there.page.goto(f"{website.url}/")
    there.open()
    expect(there.mine("Mia")).to_be_visible()
    first = open_conversation(ada, channel_id)["id"]
    ada.say(first, "Goodbye")
    ada.archive(first)
    for widget in (here, there):
        expect(widget.log.get_by_text("This conversation has ended.")).to_be_visible()
        expect(widget.box).to_be_enabled()
    there.say("One more thing")
    for widget in (here, there):
        expect(widget.mine("One more thing")).to_be_visible()
        expect(widget.message("What is your name?")).to_have_count(2)
        expect(widget.message("Goodbye")).to_be_visible()
    second = open_conversation(ada, channel_id)
    assert second["id"] != first
    ada.archive(second["id"])
    here.log.get_by_role("button", name="Start a new one").click()
    for widget in (here, there):
        expect(widget.message("What is your name?")).to_have_count(3)


def test_older_messages_come_when_the_visitor_scrolls_up(
    browsing: Browsing, website: Site, gateway: Gateway, channel_id: str
) -> None:
    visitor = Visitor(gateway, channel_id)
    for number in range(80):
        visitor.say(f"Number {number}")
    here = website.show(browsing, channel_id)
    here.page.evaluate("([key, token]) => localStorage.setItem(key, token)", [website.key(channel_id, "token"), visitor.token])
    here.page.reload()
    here.open()
    expect(here.mine("Number 79")).to_be_in_viewport()
    expect(here.mine("Number 20")).to_have_count(0)
    said = [
        message["text"]
        for message in gateway.ask("GET", "/v1/widget/messages?after_seq=0&limit=200", token=visitor.token)["items"]
    ]

    def scrolled() -> bool:
        here.log.hover()
        here.page.mouse.wheel(0, -4000)
        return len(here.texts()) == len(said)

    wait_until(scrolled, 30, what="the first message", interval=0.1)
    assert here.texts() == said


def test_typing_is_told_while_the_visitor_writes(browsing: Browsing, website: Site, channel_id: str, ada: Agent) -> None:
    widget = website.show(browsing, channel_id).open()
    expect(widget.message("What is your name?")).to_be_visible()
    stream = ada.watch()
    conversation_id = open_conversation(ada, channel_id)["id"]
    widget.box.press_sequentially("Hello there")
    stream.wait_for("conversation.typing", conversation_id=conversation_id, typing=True)
    widget.box.fill("")
    stream.wait_for("conversation.typing", conversation_id=conversation_id, typing=False)
    assert len([each for each in stream.named("conversation.typing") if each["conversation_id"] == conversation_id]) == 2
    stream.close()


def test_composer_breaks_lines_and_sends_when_the_right_keys_are_pressed(
    browsing: Browsing, website: Site, channel_id: str
) -> None:
    widget = website.show(browsing, channel_id).open()
    widget.box.press_sequentially("One")
    widget.box.press("Shift+Enter")
    widget.box.press_sequentially("Two")
    composing = "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true, cancelable: true})"
    assert widget.box.evaluate(f"(box) => box.dispatchEvent({composing})")
    expect(widget.box).to_have_value("One\nTwo")
    widget.box.press("Enter")
    expect(widget.box).to_have_value("")
    expect(widget.mine("One\nTwo")).to_be_visible()


def test_composer_counts_when_the_longest_text_is_near(browsing: Browsing, website: Site, channel_id: str) -> None:
    widget = website.show(browsing, channel_id).open()
    count, send = widget.host.locator(".count"), widget.host.get_by_role("button", name="Send")
    widget.box.fill("x")
    expect(count).to_be_hidden()
    # Each of these is one character to the API and two units to JavaScript.
    widget.box.fill("😀" * 9_990)
    expect(count).to_have_text("10 left")
    expect(send).to_be_enabled()
    widget.box.fill("😀" * 10_003)
    expect(count).to_have_text("3 too many")
    expect(send).to_be_disabled()
    widget.box.fill("😀" * 10_000)
    widget.box.press("Enter")
    expect(widget.message("And your e-mail, " + "😀" * 10_000 + "?")).to_have_count(0)
    expect(widget.log.locator(".msg.visitor")).to_have_count(1)
    expect(widget.log.locator(".msg.waiting, .msg.failed")).to_have_count(0)


def test_links_are_made_of_http_addresses_alone(browsing: Browsing, website: Site, channel_id: str, ada: Agent) -> None:
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    text = (
        "See https://shop.example/a_(b), (http://shop.example/?q=1#top) and https://shop.example/end. "
        "Not javascript:alert(1) nor data:text/html,x nor ftp://shop.example/ nor https:// nor https://[::bad/"
    )
    ada.say(open_conversation(ada, channel_id)["id"], text)
    expect(widget.message(text)).to_be_visible()
    links = widget.log.locator("a")
    hrefs = links.evaluate_all("(links) => links.map((link) => link.getAttribute('href'))")
    assert hrefs == ["https://shop.example/a_(b)", "http://shop.example/?q=1#top", "https://shop.example/end"]
    long = f"https://shop.example/{')' * 9_000}"
    ada.say(open_conversation(ada, channel_id)["id"], long)
    expect(widget.message(long).locator("a")).to_have_attribute("href", "https://shop.example/")
    for link in links.all():
        expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
        expect(link).to_have_attribute("target", "_blank")


HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "\u202edelrows \u2066olleh\u2069 <b>x</b>",
    "שלום עולם https://evil.example/\u202egpj.exe",
    "{name} ${7*7} {{constructor.constructor('window.hacked=1')()}}",
    "Z̸̢̛̼a̵͇͌l̶̰͝g̴̹̈́o" * 20,
    "x" * 3_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(browsing: Browsing, website: Site, gateway: Gateway, admin: str, text: str) -> None:
    page = browsing.open()
    flow = {
        "start": "a",
        "blocks": {
            "a": {
                "type": "buttons",
                "text": text[:500],
                "field": "x",
                "options": [{"label": text[:80], "value": "v", "next": None}],
            }
        },
    }
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": text[:60]}, token=admin)
    gateway.ask("PUT", f"/v1/channels/{channel['id']}/flow", flow, token=admin)
    agent = Agent(gateway, admin, text[:60])
    page.goto(website.put("/", channel["id"], title=text))
    widget = Widget(page, website).open()
    expect(widget.log.locator(".who bdi").first).to_have_text(text[:60].strip())
    expect(widget.log.get_by_role("group").get_by_role("button")).to_have_text(text[:80].strip())
    widget.say_and_see(text)
    conversation_id = open_conversation(agent, channel["id"])["id"]
    agent.say(conversation_id, text)
    agent.ask("POST", f"/v1/conversations/{conversation_id}/typing", {"typing": True})
    expect(widget.log.locator(".msg.agent .text")).to_have_text(text)
    expect(widget.typing).to_contain_text("is typing")
    assert page.evaluate("window.hacked") is None
    assert widget.host.locator("script, img, b, iframe, style, [onerror]").count() == 0
    panel, bubbles = widget.panel.bounding_box(), [each.bounding_box() for each in widget.log.locator(".text").all()]
    assert panel is not None
    for bubble in bubbles:
        assert bubble is not None
        assert panel["x"] <= bubble["x"]
        assert bubble["x"] + bubble["width"] <= panel["x"] + panel["width"]
