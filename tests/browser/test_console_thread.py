"""One conversation in the console: what is shown of it, what comes in while it is open, what an agent writes, and what goes wrong meanwhile."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from tests.browser.people import sign_in
from tests.e2e.conftest import make_channel
from tests.support.browser import PHONE, Browsing, axe
from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until

FAILED_LOAD = "Failed to load resource"
RELEASED: Any = "released"
MESSAGES = re.compile(r"/v1/conversations/\w+/messages$")


@pytest.fixture(scope="module")
def plain(gateway: Gateway, admin: str) -> str:
    """A channel whose bot says nothing."""
    return str(gateway.ask("POST", "/v1/channels", {"kind": "web", "name": "Plain"}, token=admin)["id"])


@pytest.fixture(scope="module")
def shop(gateway: Gateway, admin: str) -> str:
    return make_channel(gateway, admin)


@pytest.fixture(scope="module")
def ann(gateway: Gateway, admin: str) -> Agent:
    return Agent(gateway, admin, "Ann Archer", capacity=100)


class Pane:
    """A thread in an agent's console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.log = page.get_by_role("log", name="Messages")
        self.box = page.get_by_role("textbox", name="Message to the visitor")
        self.head = page.locator(".thread-head")
        self.status = page.locator(".thread-status")
        self.turns = self.log.locator("li.thread-turn")
        self.sent = self.turns.filter(has=page.locator(".thread-delivery-sent"))

    def show(self, visitor: Visitor) -> "Pane":
        """Go to a visitor's conversation."""
        self.page.evaluate("address => { location.hash = address; }", f"#/chats/all/{visitor.conversation_id}")
        expect(self.page.locator(".thread")).to_be_visible()
        return self

    def turn(self, text: str) -> Locator:
        """The turns with exactly this text."""
        return self.turns.filter(has=self.page.locator(".words", has_text=re.compile(f"^\\s*{re.escape(text)}\\s*$")))

    def texts(self) -> list[str]:
        """What was said, from the oldest to the newest."""
        return [text.strip() for text in self.log.locator(".words").all_inner_texts()]

    def write(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def scroll(self) -> dict[str, float]:
        """Where the view is."""
        place: dict[str, float] = self.log.evaluate(
            "frame => ({ top: frame.scrollTop, left: frame.scrollHeight - frame.scrollTop - frame.clientHeight })"
        )
        return place


def open_pane(browsing: Browsing, agent: Agent, visitor: Visitor, **options: Any) -> Pane:
    pane = Pane(sign_in(browsing, agent, f"/console/#/chats/all/{visitor.conversation_id}", **options))
    expect(pane.log).to_be_visible()
    return pane


def tapped(page: Page, passes: Callable[[dict[str, Any]], bool]) -> list[WebSocketRoute]:
    """Load the page again with a stream of which only events that pass come through; the list gets the page's ends of it."""
    ends: list[WebSocketRoute] = []

    def tap(end: WebSocketRoute) -> None:
        server = end.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            told = json.loads(message)
            if told["event"] == "stream.ready":
                ends.append(end)
            if passes(told):
                end.send(message)

        server.on_message(pass_on)
        end.on_message(server.send)

    page.route_web_socket(re.compile("/v1/events/ws"), tap)
    page.reload()
    wait_in(page, lambda: bool(ends), "the stream")
    return ends


def wait_in(page: Page, condition: Callable[[], bool], what: str) -> None:
    """Wait for what handlers of the page bring about; they run while Playwright is asked something."""
    wait_until(lambda: page.evaluate("1") and condition(), what=what)


def hold(page: Page, address: str | re.Pattern[str], method: str = "") -> list[Route]:
    """Keep the page's requests of an address from being answered until they are released."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        if RELEASED in held or (method and route.request.method != method):
            route.continue_()
        else:
            held.append(route)

    page.route(address, keep)
    return held


def release(held: list[Route]) -> None:
    """Let what was held go on, and whatever follows pass."""
    for route in held:
        route.continue_()
    held[:] = [RELEASED]


def test_hostile_words_are_shown_as_text(browsing: Browsing, gateway: Gateway, plain: str, ann: Agent) -> None:
    visitor = Visitor(gateway, plain)
    name = "<img src=x onerror=alert(1)>"
    ann.ask("PATCH", f"/v1/contacts/{visitor.contact_id}", {"name": name})
    pane = open_pane(browsing, ann, visitor)
    hostile = [
        "<script>document.title = 'taken'</script>",
        "<b>bold</b> & &amp; <a href='javascript:alert(1)'>x</a>",
        "javascript:alert(1) https://shop.example/?q=<svg/onload=alert(1)>",
        "two\nlines",
        "مرحبا، كيف حالك؟",
        "w" * 2000,
    ]
    for text in hostile:
        visitor.say(text)
    expect(pane.turns.last).to_contain_text("w" * 2000)
    assert pane.texts() == hostile
    expect(pane.head.get_by_role("heading")).to_have_text(name)
    assert pane.page.evaluate("document.querySelectorAll('.thread :is(img, script, b, svg[onload])').length") == 0
    links = pane.log.get_by_role("link")
    expect(links).to_have_count(1)
    expect(links).to_have_attribute("href", "https://shop.example/?q=")
    assert pane.turn(hostile[4]).locator(".words").evaluate("words => getComputedStyle(words).direction") == "rtl"
    # Nothing is wider than the pane.
    assert pane.log.evaluate("frame => frame.scrollWidth === frame.clientWidth")
    assert "taken" not in pane.page.title()


@pytest.mark.parametrize(("size", "scheme"), [(None, "light"), (PHONE, "dark")])
def test_every_author_is_told_apart_and_named(
    browsing: Browsing, gateway: Gateway, admin: str, shop: str, ann: Agent, size: Any, scheme: str
) -> None:
    visitor = Visitor(gateway, shop)
    visitor.pass_bot()
    colleague = Agent(gateway, admin, "Mia Lund")
    colleague.say(visitor.conversation_id, "I am Mia.")
    ann.say(visitor.conversation_id, "And I am Ann.")
    options = {"scheme": scheme} | ({"size": size} if size else {})
    pane = open_pane(browsing, ann, visitor, **options)
    for text, side, name in [
        ("Hi, I am the Acme bot.", "bot", "Bot"),
        ("mia@example.com", "visitor", "Mia Lund"),
        ("I am Mia.", "agent", "Mia Lund"),
        ("And I am Ann.", "own", "You"),
    ]:
        expect(pane.turn(text)).to_have_class(re.compile(f"thread-turn-{side}"))
        expect(pane.turn(text)).to_contain_text(name)
    choices = pane.turn("What is it about?").get_by_role("list", name="Choices offered").get_by_role("listitem")
    expect(choices).to_have_text(["A quote", "Just looking"])
    # Two in a row of one author are one's name once.
    expect(pane.log.locator(".thread-turn-author")).to_have_count(9)
    expect(pane.log.get_by_role("heading")).to_have_text(["Today"])
    axe(pane.page, ".thread")


def test_writing_takes_over_from_the_bot_and_the_visitor_is_seen_reading(
    browsing: Browsing, gateway: Gateway, shop: str, ann: Agent
) -> None:
    visitor = Visitor(gateway, shop)
    stream = visitor.watch()
    pane = open_pane(browsing, ann, visitor)
    expect(pane.status).to_have_text("Bot answers")
    expect(pane.page.get_by_text("Writing takes this conversation over from the bot.")).to_be_visible()
    expect(pane.box).to_be_focused()
    pane.box.press_sequentially("Hello,")
    assert stream.wait_for("conversation.typing", typing=True)["author"]["name"] == "Ann Archer"
    pane.box.press("Shift+Enter")
    pane.box.press_sequentially("Ann here.")
    pane.box.press("Enter")
    expect(pane.box).to_have_value("")
    sent = pane.turn("Hello,\nAnn here.")
    expect(sent).to_contain_text("Sent")
    stream.wait_for("conversation.typing", typing=False)
    expect(pane.status).to_have_text("Assigned to you")
    expect(pane.page.get_by_text("Writing takes")).to_have_count(0)
    message = visitor.messages()[-1]
    assert message["text"] == "Hello,\nAnn here."
    gateway.ask("POST", "/v1/widget/read", {"seq": message["seq"]}, token=visitor.token)
    expect(sent).to_contain_text("Seen")
    gateway.ask("POST", "/v1/widget/typing", {"typing": True}, token=visitor.token)
    expect(pane.page.get_by_text("is writing…")).to_be_visible()
    visitor.say("Hello Ann")
    expect(pane.page.get_by_text("is writing…")).to_have_count(0)
    stream.close()


def test_messages_wait_for_the_server_and_go_out_in_their_order(
    browsing: Browsing, gateway: Gateway, plain: str, ann: Agent
) -> None:
    visitor = Visitor(gateway, plain)
    pane = open_pane(browsing, ann, visitor)
    browsing.expect(FAILED_LOAD)
    problem = {"code": "SERVICE_UNAVAILABLE", "detail": "Down.", "status": 503}
    answers = [
        (503, problem, {"Retry-After": "4"}),  # long enough for all of it to be written and seen
        (429, problem | {"code": "RATE_LIMITED", "status": 429}, {"Retry-After": "4"}),
    ]

    def refuse(route: Route) -> None:
        if route.request.method == "POST" and answers:
            status, body, headers = answers.pop(0)
            route.fulfill(status=status, json=body, headers=headers)
        else:
            route.continue_()

    pane.page.route(MESSAGES, refuse)
    for text in ("first", "second", "third"):
        pane.write(text)
    waiting = pane.page.get_by_text("Will be sent when the server answers")
    expect(waiting).to_have_count(3)
    expect(pane.page.get_by_text("Will be sent as soon as the server takes more messages").first).to_be_visible()
    expect(pane.sent).to_have_count(3)
    assert pane.texts() == ["first", "second", "third"]
    assert [message["text"] for message in visitor.messages()] == ["first", "second", "third"]


@pytest.mark.parametrize("broken_off", [False, True], ids=["no answer", "half an answer"])
def test_message_is_there_once_when_only_its_answer_got_lost(
    browsing: Browsing, gateway: Gateway, plain: str, ann: Agent, broken_off: bool
) -> None:
    visitor = Visitor(gateway, plain)
    pane = open_pane(browsing, ann, visitor)
    browsing.expect(FAILED_LOAD)
    tries: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        tries.append(json.loads(route.request.post_data or "{}")["client_message_id"])
        if len(tries) > 1:
            route.continue_()
            return
        answer = route.fetch()
        if broken_off:
            route.fulfill(response=answer, body=answer.text()[:20])
        else:
            route.abort()

    tapped(pane.page, lambda told: told["event"] != "message.created")
    pane.page.route(MESSAGES, lose)
    pane.write("only once")
    expect(pane.sent).to_have_count(1)
    expect(pane.turns).to_have_count(1)
    assert len(tries) == 2
    assert len(set(tries)) == 1
    assert [message["text"] for message in visitor.messages()] == ["only once"]


def test_refused_message_is_kept_until_it_is_sent_again_or_discarded(
    browsing: Browsing, gateway: Gateway, plain: str, ann: Agent
) -> None:
    visitor = Visitor(gateway, plain)
    pane = open_pane(browsing, ann, visitor)
    browsing.expect(FAILED_LOAD)
    ann.archive(visitor.conversation_id)
    expect(pane.page.get_by_text("This conversation is archived.")).to_be_visible()
    pane.page.get_by_role("button", name="Open again").last.click()
    expect(pane.box).to_be_focused()

    # Somebody archives it between the keys and the server.
    held = hold(pane.page, MESSAGES, "POST")
    pane.write("too late")
    pane.write("and this")
    expect(pane.page.get_by_text("Sending…")).to_have_count(2)
    ann.archive(visitor.conversation_id)
    release(held)
    expect(pane.turn("too late")).to_contain_text("Not sent: the conversation is archived")
    expect(pane.turn("and this")).to_contain_text("the message before it wasn't")
    # Neither another conversation nor a reload loses them.
    pane.show(Visitor(gateway, plain)).show(visitor)
    pane.page.reload()
    expect(pane.turn("too late")).to_contain_text("Not sent")
    pane.page.get_by_role("button", name="Open again").first.click()
    pane.turn("and this").get_by_role("button", name="Discard").click()
    pane.turn("too late").get_by_role("button", name="Try again").click()
    expect(pane.sent).to_have_count(1)
    assert [message["text"] for message in visitor.messages()] == ["too late"]


def test_missing_messages_are_fetched_when_the_stream_leaves_some_out(
    browsing: Browsing, gateway: Gateway, plain: str, ann: Agent
) -> None:
    visitor = Visitor(gateway, plain)
    visitor.say("before")
    pane = open_pane(browsing, ann, visitor)
    muted, unheard = [True], []

    def passes(told: dict[str, Any]) -> bool:
        if muted[0] and told["event"] == "message.created":
            unheard.append(told["data"]["text"])
            return False
        return True

    ends = tapped(pane.page, passes)
    expect(pane.turn("before")).to_be_visible()
    for number in range(3):
        visitor.say(f"unheard {number}")
    wait_in(pane.page, lambda: len(unheard) == 3, "events that don't come through")
    muted[0] = False
    visitor.say("heard")
    expect(pane.turns).to_have_count(5)
    assert pane.texts() == ["before", "unheard 0", "unheard 1", "unheard 2", "heard"]
    # What was missed for good the stream can't tell, and says so.
    muted[0] = True
    visitor.say("missed for good")
    wait_in(pane.page, lambda: len(unheard) == 4, "another one")
    ends[-1].send(json.dumps({"id": None, "event": "reset", "data": {}}))
    expect(pane.turn("missed for good")).to_be_visible()


def test_nothing_falls_between_the_first_answer_and_the_first_event(
    browsing: Browsing, gateway: Gateway, plain: str, ann: Agent
) -> None:
    visitor = Visitor(gateway, plain)
    visitor.say("before")
    page = sign_in(browsing, ann)
    page.goto(f"/console/#/chats/all/{visitor.conversation_id}")
    held = hold(page, "**/v1/events/ticket")
    page.reload()
    pane = Pane(page)
    expect(pane.turn("before")).to_be_visible()
    wait_in(page, lambda: bool(held), "the stream's request")
    visitor.say("in between")
    assert len(held) == 1
    release(held)
    expect(pane.turn("in between")).to_be_visible()


def test_older_messages_come_in_above_and_the_view_stays(browsing: Browsing, gateway: Gateway, plain: str, ann: Agent) -> None:
    visitor = Visitor(gateway, plain)
    for number in range(1, 121):
        visitor.say(f"number {number} " + "and more " * (number % 9 * 6))
    ann.say(visitor.conversation_id, "the last")
    pane = open_pane(browsing, ann, visitor)
    expect(pane.turns).to_have_count(50)
    assert pane.scroll()["left"] < 2
    held = hold(pane.page, re.compile("before_seq"))
    pane.log.evaluate("frame => { frame.scrollTop = 300; }")
    expect(pane.page.get_by_text("Loading earlier messages…")).to_be_attached()
    anchor = pane.log.locator("[data-seq='76']")
    before = anchor.bounding_box()
    release(held)
    expect(pane.turns).to_have_count(100)
    after = anchor.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 1
    pane.log.evaluate("frame => { frame.scrollTop = 0; }")
    expect(pane.turns).to_have_count(121)
    assert [text.split(" and")[0] for text in pane.texts()] == [*(f"number {number}" for number in range(1, 121)), "the last"]


def test_new_messages_are_counted_and_read_when_they_are_looked_at(
    browsing: Browsing, gateway: Gateway, plain: str, ann: Agent
) -> None:
    visitor = Visitor(gateway, plain)
    for number in range(30):
        visitor.say(f"number {number}")

    def unread() -> int:
        return int(ann.ask("GET", f"/v1/conversations/{visitor.conversation_id}")["unread_count"])

    pane = open_pane(browsing, ann, visitor)
    # It begins at what nobody has read.
    expect(pane.turn("number 0").get_by_text("New")).to_be_in_viewport()
    assert unread() == 30
    pane.page.get_by_role("button", name="To the newest message").click()
    wait_until(lambda: unread() == 0, what="everything to be read")
    visitor.say("followed")
    expect(pane.turn("followed")).to_be_in_viewport()
    wait_until(lambda: unread() == 0, what="the followed one to be read")
    pane.log.evaluate("frame => { frame.scrollTop = 100; }")
    expect(pane.page.get_by_role("button", name="To the newest message")).to_be_visible()
    visitor.say("below")
    visitor.say("the view")
    button = pane.page.get_by_role("button", name="2 new messages")
    expect(button).to_be_visible()
    assert pane.scroll()["top"] == 100
    assert unread() == 2
    button.click()
    expect(pane.turn("the view")).to_be_in_viewport()
    expect(pane.turn("below").get_by_text("New")).to_be_visible()
    expect(button).to_have_count(0)
    wait_until(lambda: unread() == 0, what="all to be read")


def test_late_answer_of_another_conversation_shows_nothing_and_drafts_stay_apart(
    browsing: Browsing, gateway: Gateway, plain: str, ann: Agent
) -> None:
    slow, quick = Visitor(gateway, plain), Visitor(gateway, plain)
    slow.say("of the slow one")
    quick.say("of the quick one")
    pane = Pane(sign_in(browsing, ann))
    held = hold(pane.page, re.compile(f"/v1/conversations/{slow.conversation_id}/messages"))
    pane.show(slow)
    pane.box.fill("for the slow one")
    pane.show(quick)
    expect(pane.turn("of the quick one")).to_be_visible()
    expect(pane.box).to_have_value("")
    release(held)
    pane.write("to the quick one")
    expect(pane.sent).to_have_count(1)
    assert pane.texts() == ["of the quick one", "to the quick one"]
    pane.show(slow)
    expect(pane.box).to_have_value("for the slow one")
    expect(pane.turn("of the slow one")).to_be_visible()
    assert [message["text"] for message in slow.messages()] == ["of the slow one"]


def test_message_still_goes_out_when_its_thread_is_left(browsing: Browsing, gateway: Gateway, plain: str, ann: Agent) -> None:
    first, second = Visitor(gateway, plain), Visitor(gateway, plain)
    pane = open_pane(browsing, ann, first)
    held = hold(pane.page, MESSAGES, "POST")
    pane.write("one")
    pane.write("two")
    expect(pane.page.get_by_text("Sending…")).to_have_count(2)
    pane.show(second)
    release(held)
    pane.show(first)
    expect(pane.sent).to_have_count(2)
    assert [message["text"] for message in first.messages()] == ["one", "two"]
    assert second.messages() == []


def test_conversation_is_taken_returned_archived_and_opened_again(
    browsing: Browsing, gateway: Gateway, admin: str, shop: str, ann: Agent
) -> None:
    visitor = Visitor(gateway, shop)
    colleague = Agent(gateway, admin, "Mia Lund")
    colleague.say(visitor.conversation_id, "Mine.")
    pane = open_pane(browsing, ann, visitor)
    expect(pane.status).to_have_text("Assigned to Mia Lund")
    expect(pane.page.get_by_text("Mia Lund has this conversation, and keeps it when you write.")).to_be_visible()
    pane.head.get_by_role("button", name="Take").click()
    expect(pane.status).to_have_text("Assigned to you")
    expect(pane.head.get_by_role("button", name="Take")).to_have_count(0)
    pane.head.get_by_role("button", name="Send back to the bot").click()
    expect(pane.status).to_have_text("Bot answers")
    expect(pane.head.get_by_role("button", name="Send back to the bot")).to_have_count(0)
    pane.head.get_by_role("button", name="Archive").click()
    expect(pane.status).to_have_text("Archived")
    expect(pane.box).to_have_count(0)
    # The visitor goes on elsewhere, so this one can't be opened.
    browsing.expect(FAILED_LOAD)
    visitor.say("Anybody there?")
    pane.head.get_by_role("button", name="Open again").click()
    expect(pane.page.locator(".thread-composer")).to_contain_text("newer conversation that is open")
    pane.page.get_by_role("button", name="Go to it").click()
    expect(pane.turn("Anybody there?")).to_be_visible()


def test_delivery_only_moves_forward_and_says_why_it_failed(browsing: Browsing, gateway: Gateway, plain: str, ann: Agent) -> None:
    visitor = Visitor(gateway, plain)
    first, second = (ann.say(visitor.conversation_id, text) for text in ("the first", "the second"))
    pane = open_pane(browsing, ann, visitor)
    ends = tapped(pane.page, lambda _: True)
    expect(pane.sent).to_have_count(2)

    def tell(message: dict[str, Any], state: str, reason: dict[str, str] | None = None) -> None:
        delivery = {"state": state, "at": "2026-11-24T07:31:47.120Z", "reason": reason}
        ends[-1].send(json.dumps({"id": None, "event": "message.updated", "data": message | {"delivery": delivery}}))

    tell(second, "queued", {"code": "2", "message": "Service temporarily unavailable"})
    expect(pane.turn("the second")).to_contain_text("Waiting to be sent: Service temporarily unavailable")
    tell(second, "failed", {"code": "OUTSIDE_WINDOW", "message": "…"})
    expect(pane.turn("the second")).to_contain_text("Not delivered: the visitor's last message is too old")
    tell(first, "read")
    tell(first, "delivered")
    tell(second, "delivered")
    expect(pane.turn("the second")).to_contain_text("Delivered")
    expect(pane.turn("the first")).to_contain_text("Seen")


def test_days_are_told_apart_and_none_comes_twice_when_clocks_differ(browsing: Browsing) -> None:
    page = browsing.open("/console/")
    author = {"kind": "visitor", "id": "1", "name": "Mia"}
    times = ["2026-11-22T23:59:58Z", "2026-11-23T00:00:01Z", "2026-11-22T23:59:59Z", "2026-11-24T10:00:00Z"]
    messages = [{"seq": seq, "created_at": at, "author": author} for seq, at in enumerate(times, start=1)]
    days = page.evaluate(
        "async messages => (await import('/console/app/views/thread/layout.js')).layOut(messages, 3)"
        ".map(({ key, turns }) => [key, turns.map((turn) => [turn.message.seq, turn.heads, turn.ends, turn.isNew])])",
        messages,
    )
    assert days == [
        ["2026-11-22", [[1, True, True, False]]],
        ["2026-11-23", [[2, True, True, False], [3, True, True, True]]],
        ["2026-11-24", [[4, True, True, False]]],
    ]


def test_what_cannot_be_written_or_shown_is_said(
    browsing: Browsing, gateway: Gateway, admin: str, plain: str, ann: Agent
) -> None:
    visitor = Visitor(gateway, plain)
    visitor.say("my secret")
    pane = open_pane(browsing, ann, visitor)
    browsing.expect(FAILED_LOAD)
    pane.box.fill("x" * 9_950)
    expect(pane.page.get_by_text("50 left")).to_be_visible()
    pane.box.fill("😀" * 10_003)
    expect(pane.page.get_by_text("3 too many")).to_be_visible()
    expect(pane.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    gateway.ask("PATCH", f"/v1/contacts/{visitor.contact_id}", {"blocked": True}, token=ann.token)
    expect(pane.page.locator(".thread-composer")).to_contain_text("is blocked")
    gateway.ask("DELETE", f"/v1/contacts/{visitor.contact_id}", token=admin)
    expect(pane.page.locator(".thread-composer")).to_contain_text("data was erased")
    expect(pane.page.get_by_text("my secret")).to_have_count(0)
    pane.page.evaluate("location.hash = '#/chats/all/nobody'")
    expect(pane.page.get_by_text("There is no such conversation.")).to_be_visible()
