"""The widget when something is wrong: the server, the network, a message, the page's setup, the visitor."""

import json
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from services.common.ids import new_id
from tests.browser.website import Site, Widget
from tests.e2e.conftest import make_channel
from tests.support.browser import RETURN_MS, Browsing
from tests.support.product import Agent, Gateway, Product
from tests.support.waiting import wait_until

FAILED_LOAD = "Failed to load resource"
FAILED_SOCKET = "WebSocket connection to .* failed"
REFUSED_ORIGIN = "blocked by CORS policy"


def problem(status: int, code: str, detail: str, *, retry_after: int | None = None) -> dict[str, Any]:
    """What `route.fulfill` takes to answer as the gateway would."""
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body = json.dumps({"status": status, "code": code, "detail": detail})
    return {"status": status, "headers": headers, "content_type": "application/problem+json", "body": body}


def transcript(agent: Agent, conversation_id: str) -> list[str]:
    return [message["text"] for message in agent.ask("GET", f"/v1/conversations/{conversation_id}/messages")["items"]]


def test_nothing_is_missing_or_doubled_when_the_gateway_dies_in_the_middle(
    browsing: Browsing, website: Site, product: Product, gateway: Gateway, channel_id: str, ada: Agent
) -> None:
    browsing.expect(FAILED_LOAD, FAILED_SOCKET)
    widget = website.show(browsing, channel_id).open()
    widget.page.evaluate("window.never_reloaded = true")
    widget.say_and_see("Mia")
    conversation_id = ada.ask("GET", f"/v1/conversations?channel_id={channel_id}")["items"][0]["id"]
    other = product.start_gateway("other")
    elsewhere = Agent(other, other.sign_in(), "Bob")
    with gateway.dead():
        widget.say("Said to nobody")
        widget.say("Again")
        elsewhere.say(conversation_id, "Meanwhile")
        expect(widget.status).to_have_text("Reconnecting…")
    expect(widget.message("Meanwhile")).to_be_visible(timeout=RETURN_MS)
    expect(widget.status).to_be_hidden()
    expect(widget.log.locator(".msg.waiting, .msg.failed")).to_have_count(0)
    elsewhere.say(conversation_id, "And now")
    expect(widget.message("And now")).to_be_visible()
    wait_until(lambda: widget.texts() == transcript(elsewhere, conversation_id), what="the widget to show what is stored")
    said = ["Mia", "Said to nobody", "Again", "Meanwhile", "And now"]
    assert [widget.texts().count(text) for text in said] == [1] * len(said)
    assert widget.page.evaluate("window.never_reloaded")
    other.process.stop()


def test_message_is_sent_once_when_its_answer_was_lost(browsing: Browsing, website: Site, channel_id: str, ada: Agent) -> None:
    browsing.expect(FAILED_LOAD)
    widget = website.show(browsing, channel_id).open()
    expect(widget.message("What is your name?")).to_be_visible()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    widget.page.route("**/v1/widget/messages", lose, times=1)
    widget.say("Mia")
    widget.say("mia@example.com")
    expect(widget.message("What is it about?")).to_be_visible()
    assert widget.texts() == [
        "Hi, I am the Acme bot.",
        "What is your name?",
        "Mia",
        "And your e-mail, Mia?",
        "mia@example.com",
        "What is it about?",
    ]
    assert widget.kept().keys() == {"token"}


def test_message_is_sent_when_the_visitor_left_the_page_before(browsing: Browsing, website: Site, channel_id: str) -> None:
    browsing.expect(FAILED_LOAD)
    website.put("/next", channel_id)
    widget = website.show(browsing, channel_id).open()
    expect(widget.message("What is your name?")).to_be_visible()
    widget.page.route("**/v1/widget/messages", lambda route: route.abort())
    widget.say("Mia")
    expect(widget.log.get_by_text("Sending…")).to_be_visible()
    widget.page.goto(f"{website.url}/next")
    expect(widget.mine("Mia")).to_be_visible()
    another = Widget(widget.page.context.new_page(), website)
    another.page.goto(f"{website.url}/")
    another.open()
    widget.page.unroute("**/v1/widget/messages")
    for each in (widget, another):
        expect(each.message("And your e-mail, Mia?")).to_be_visible()
        expect(each.mine("Mia")).to_have_count(1)
    assert [message["text"] for message in widget.ask("GET", "/messages")["items"]].count("Mia") == 1


def test_refused_message_is_shown_with_its_reason_and_tried_again_only_by_hand(
    browsing: Browsing, website: Site, channel_id: str
) -> None:
    browsing.expect(FAILED_LOAD)
    widget = website.show(browsing, channel_id).open()
    expect(widget.message("What is your name?")).to_be_visible()
    tried: list[str] = []

    def refuse(route: Route) -> None:
        tried.append(json.loads(route.request.post_data or "")["text"])
        route.fulfill(**problem(422, "VALIDATION_FAILED", "This can't be said."))

    widget.page.route("**/v1/widget/messages", refuse)
    widget.say("Mia")
    widget.say("Never mind")
    expect(widget.log.locator(".fault")).to_have_count(2)
    expect(widget.log.locator(".fault").first).to_contain_text("Not sent. This can't be said.")
    widget.page.reload()
    expect(widget.log.locator(".fault")).to_have_count(2)
    assert tried == ["Mia", "Never mind"]
    widget.page.unroute("**/v1/widget/messages")
    widget.log.get_by_role("button", name="Delete").last.click()
    widget.log.get_by_role("button", name="Try again").click()
    expect(widget.message("And your e-mail, Mia?")).to_be_visible()
    expect(widget.message("Never mind")).to_have_count(0)
    expect(widget.log.locator(".fault")).to_have_count(0)


@pytest.mark.parametrize(("status", "code"), [(429, "RATE_LIMITED"), (503, "SERVICE_UNAVAILABLE")])
def test_message_waits_as_long_as_the_server_asks(
    browsing: Browsing, website: Site, channel_id: str, status: int, code: str
) -> None:
    browsing.expect(FAILED_LOAD)
    widget = website.show(browsing, channel_id).open()
    expect(widget.message("What is your name?")).to_be_visible()
    busy = problem(status, code, "Not now.", retry_after=2)
    widget.page.route("**/v1/widget/messages", lambda route: route.fulfill(**busy), times=1)
    widget.page.evaluate("window.began = performance.now()")
    widget.say("Mia")
    widget.say("mia@example.com")
    expect(widget.message("What is it about?")).to_be_visible()
    assert widget.page.evaluate("performance.now() - window.began") >= 2000
    assert widget.texts()[2::2] == ["Mia", "mia@example.com"]


def test_chat_opens_by_itself_when_the_server_comes_back(
    browsing: Browsing, website: Site, gateway: Gateway, channel_id: str
) -> None:
    browsing.expect(FAILED_LOAD)
    widget = website.show(browsing, channel_id)
    expect(widget.launcher).to_be_visible()
    with gateway.dead():
        widget.open()
        expect(widget.status).to_have_text("We can't be reached just now. Trying again…")
        widget.say("Mia")
    expect(widget.message("And your e-mail, Mia?")).to_be_visible(timeout=RETURN_MS)
    expect(widget.status).to_be_hidden()


def test_session_is_the_same_visitors_when_its_answer_was_lost(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str
) -> None:
    browsing.expect(FAILED_LOAD)
    channel_id = make_channel(gateway, admin)
    widget = website.show(browsing, channel_id)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    widget.page.route("**/session", lose, times=2)
    widget.open()
    expect(widget.message("What is your name?")).to_be_visible()
    assert len(gateway.ask("GET", f"/v1/contacts?channel_id={channel_id}", token=admin)["items"]) == 1


def test_visitor_is_asked_to_wait_when_too_many_begin(browsing: Browsing, website: Site, channel_id: str) -> None:
    browsing.expect(FAILED_LOAD)
    widget = website.show(browsing, channel_id)
    busy = problem(429, "RATE_LIMITED", "No more than 30 per 1 minute.", retry_after=2)
    widget.page.route("**/session", lambda route: route.fulfill(**busy), times=1)
    widget.open()
    expect(widget.status).to_have_text("A lot is going on here. Trying again…")
    expect(widget.message("What is your name?")).to_be_visible()
    expect(widget.status).to_be_hidden()


@pytest.mark.parametrize("fault", ["unknown channel", "another kind of channel", "another origin"])
def test_widget_leaves_and_warns_once_when_the_page_is_set_up_wrongly(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str, fault: str
) -> None:
    browsing.expect(FAILED_LOAD, REFUSED_ORIGIN)
    body: dict[str, object] = {"kind": "web", "name": "Shop", "allowed_origins": ["https://elsewhere.example"]}
    if fault == "another kind of channel":
        body = {"kind": "messenger", "name": "Page"}
    made = gateway.ask("POST", "/v1/channels", body, token=admin)["id"]
    channel_id = new_id() if fault == "unknown channel" else made
    widget = website.show(browsing, channel_id).open()
    expect(widget.status).to_have_text("The chat is not available on this page.")
    expect(widget.box).to_be_hidden()
    widget.close()
    expect(widget.launcher).to_be_hidden()
    reason = f"the channel doesn't allow pages of {website.url}" if fault == "another origin" else "CHANNEL_NOT_FOUND"
    said = [line for line in browsing.console if "Foyer:" in line]
    assert len(said) == 1
    assert said[0].startswith(f"warning: Foyer: no chat on this page: {reason}")


def test_nothing_appears_when_the_channel_is_not_named(browsing: Browsing, website: Site) -> None:
    page = browsing.open(website.put("/", ""))
    wait_until(lambda: page.evaluate("1") and browsing.console, what="the warning")
    assert "the script needs data-channel" in browsing.console[0]
    assert page.locator("foyer-widget").count() == 0


def test_channel_talks_to_pages_of_its_origins(browsing: Browsing, website: Site, gateway: Gateway, admin: str) -> None:
    channel_id = make_channel(gateway, admin, allowed_origins=[website.url])
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    expect(widget.message("And your e-mail, Mia?")).to_be_visible()


def test_blocked_visitor_is_told_and_cannot_write(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str, ada: Agent
) -> None:
    browsing.expect(FAILED_LOAD)
    channel_id = make_channel(gateway, admin)
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    contact_id = gateway.ask("GET", f"/v1/contacts?channel_id={channel_id}", token=admin)["items"][0]["id"]
    ada.ask("PATCH", f"/v1/contacts/{contact_id}", {"blocked": True})
    refused = wait_until(lambda: gateway.send("POST", "/v1/widget/typing", {}, token=widget.token()).status_code == 403)
    assert refused
    widget.say("mia@example.com")
    expect(widget.status).to_have_text("You can't write to us here.")
    expect(widget.box).to_be_hidden()
    expect(widget.log.locator(".fault")).to_contain_text("blocked")
    again = Widget(widget.page.context.new_page(), website)
    again.page.goto(f"{website.url}/")
    again.open()
    expect(again.status).to_have_text("You can't write to us here.")


def test_erased_visitor_begins_anew(browsing: Browsing, website: Site, gateway: Gateway, admin: str) -> None:
    browsing.expect(FAILED_LOAD)
    channel_id = make_channel(gateway, admin)
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    contact_id = gateway.ask("GET", f"/v1/contacts?channel_id={channel_id}", token=admin)["items"][0]["id"]
    gateway.ask("DELETE", f"/v1/contacts/{contact_id}", token=admin)
    gone = lambda: gateway.send("POST", "/v1/widget/pages", {"url": "https://x.example"}, token=widget.token()).status_code == 404  # noqa: E731
    wait_until(gone, what="the erasure")
    widget.say("Hello?")
    expect(widget.mine("Hello?")).to_have_count(1)
    expect(widget.message("And your e-mail, Hello??")).to_be_visible()
    expect(widget.mine("Mia")).to_have_count(0)


@pytest.mark.parametrize("sockets", ["closed", "none"])
def test_stream_that_never_opens_is_made_up_for_by_asking(
    browsing: Browsing, website: Site, channel_id: str, ada: Agent, sockets: str
) -> None:
    page = browsing.open()
    if sockets == "closed":
        page.route_web_socket("**/v1/widget/events/ws?*", lambda socket: socket.close())
    else:
        page.add_init_script("delete window.WebSocket")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto(website.put("/", channel_id))
    widget = Widget(page, website).open()
    widget.say_and_see("Mia")
    ada.say(ada.ask("GET", f"/v1/conversations?channel_id={channel_id}")["items"][0]["id"], "Can you hear me?")
    expect(widget.message("Can you hear me?")).to_be_visible()
    # By then a stream that is away for a while would have been told of.
    wait_until(lambda: page.evaluate("1") and asked.count("conversation") >= 5, 40, what="five times", interval=0.1)
    expect(widget.status).to_be_hidden()
    assert asked.count("ticket") == 2


def test_message_of_two_tabs_keep_their_order_when_both_write(browsing: Browsing, website: Site, channel_id: str) -> None:
    here = website.show(browsing, channel_id).open()
    here.say_and_see("Mia")
    there = Widget(here.page.context.new_page(), website)
    there.page.goto(f"{website.url}/")
    there.open()
    expect(there.mine("Mia")).to_be_visible()
    for number in range(6):
        (here if number % 2 else there).say(f"Number {number}")
    said = [f"Number {number}" for number in range(6)]
    for widget in (here, there):
        for text in said:
            expect(widget.mine(text)).to_have_count(1)
        expect(widget.log.locator(".msg.waiting")).to_have_count(0)
    server = [message["text"] for message in here.ask("GET", "/messages")["items"]]
    assert [text for text in server if text in said] == said
    wait_until(lambda: here.texts() == there.texts() == server, what="both tabs to show what is stored")
