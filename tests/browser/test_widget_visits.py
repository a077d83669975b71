"""The widget from page to page and from visit to visit: what the browser keeps, and what coming back costs."""

from typing import Any

from playwright.sync_api import expect

from tests.browser.website import Site, Widget
from tests.e2e.conftest import make_channel
from tests.support.browser import Browsing
from tests.support.product import Agent, Gateway
from tests.support.waiting import wait_until


def contacts(gateway: Gateway, admin: str, channel_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gateway.ask("GET", f"/v1/contacts?channel_id={channel_id}", token=admin)["items"]
    return found


def test_nobody_is_made_known_when_the_chat_is_not_opened(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str
) -> None:
    channel_id = make_channel(gateway, admin)
    asked: list[str] = []
    page = browsing.open()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(website.put("/", channel_id))
    widget = Widget(page, website)
    expect(widget.launcher).to_be_visible()
    page.goto(website.put("/cart", channel_id))
    expect(widget.launcher).to_be_visible()
    assert [url for url in asked if "/v1/" in url] == []
    assert contacts(gateway, admin, channel_id) == []
    widget.open()
    expect(widget.message("What is your name?")).to_be_visible()
    assert len(contacts(gateway, admin, channel_id)) == 1


def test_conversation_goes_on_when_the_visitor_goes_to_other_pages(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str
) -> None:
    channel_id = make_channel(gateway, admin)
    website.put("/shoes", channel_id)
    page = browsing.open(website.put("/", channel_id, body='<a href="/shoes?size=42#top">Shoes</a>'))
    widget = Widget(page, website).open()
    widget.say_and_see("Mia")
    widget.box.fill("half a sen")
    page.get_by_role("link", name="Shoes").click()
    expect(page).to_have_title("Shop /shoes")
    expect(widget.mine("Mia")).to_be_visible()
    expect(widget.box).to_have_value("half a sen")
    contact_id = contacts(gateway, admin, channel_id)[0]["id"]

    def pages() -> list[str]:
        seen = gateway.ask("GET", f"/v1/contacts/{contact_id}", token=admin)["url"]
        return [page["url"] for page in seen["pages"]]

    expected = [f"{website.url}/", f"{website.url}/shoes?size=42"]
    wait_until(lambda: pages() == expected, what="the second page")
    page.evaluate("() => { history.pushState(null, '', '/boots'); document.title = 'Boots'; }")
    expected.append(f"{website.url}/boots")
    wait_until(lambda: pages() == expected, what="the page that was shown without loading")
    page.evaluate("() => { location.hash = 'token=secret'; }")
    page.evaluate("() => { location.hash = '#/checkout'; }")
    expected.append(f"{website.url}/boots#/checkout")
    wait_until(lambda: pages() == expected, what="the page behind the hash")
    assert len(contacts(gateway, admin, channel_id)) == 1


def test_visitor_is_known_again_when_the_browser_comes_back(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str
) -> None:
    channel_id = make_channel(gateway, admin)
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    again = Widget(widget.page.context.new_page(), website)
    widget.page.close()
    again.page.goto(f"{website.url}/")
    expect(again.panel).to_be_hidden()
    again.open()
    expect(again.mine("Mia")).to_be_visible()
    assert len(contacts(gateway, admin, channel_id)) == 1


def test_nothing_is_missed_when_the_browser_kept_the_page_meanwhile(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str, channel_id: str
) -> None:
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    agent = Agent(gateway, admin, "Ada")
    widget.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    agent.say(agent.ask("GET", f"/v1/conversations?channel_id={channel_id}")["items"][0]["id"], "Still there?")
    widget.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(widget.message("Still there?")).to_have_count(1)
    expect(widget.mine("Mia")).to_have_count(1)


def test_returning_visitor_costs_two_requests_when_nobody_looks(
    browsing: Browsing, website: Site, gateway: Gateway, admin: str
) -> None:
    channel_id = make_channel(gateway, admin)
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    expect(widget.message("And your e-mail, Mia?")).to_be_visible()
    wait_until(lambda: widget.ask("GET", "/conversation")["visitor_read_seq"] == 4, what="the read marker")
    widget.close()
    asked: list[str] = []
    page = widget.page
    page.on("request", lambda request: asked.append(f"{request.method} {request.url.partition('/v1/widget')[2]}"))
    page.on("websocket", lambda _: asked.append("stream"))
    page.reload()
    expect(widget.launcher).to_be_visible()
    messages = "GET /messages?limit=50"
    wait_until(lambda: page.evaluate("1") and messages in asked, what="the messages", interval=0.1)
    page.wait_for_load_state("networkidle")
    assert [each for each in asked if not each.endswith(" ")] == ["GET /conversation", messages]
    asked.clear()
    widget.open()
    wait_until(
        lambda: page.evaluate("1") and "GET /conversation" in asked, what="what was said before the stream began", interval=0.1
    )
    page.wait_for_load_state("networkidle")
    assert asked == ["POST /events/ticket", "stream", "GET /conversation"]


def test_nothing_is_kept_but_what_the_site_stores_when_the_visitor_talks(
    browsing: Browsing, website: Site, channel_id: str
) -> None:
    widget = website.show(browsing, channel_id).open()
    widget.say_and_see("Mia")
    context = widget.page.context
    assert context.cookies() == []
    assert widget.kept().keys() == {"token"}
    session = widget.page.evaluate("Object.keys(sessionStorage).map((name) => name.split(':').at(-1)).sort()")
    assert session == ["open", "visiting"]


def test_visitor_can_talk_when_the_browser_denies_storage(browsing: Browsing, website: Site, channel_id: str) -> None:
    page = browsing.open()
    denied = "get() { throw new DOMException('denied', 'SecurityError'); }"
    page.add_init_script(
        f"for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, {{ {denied} }});"
    )
    page.goto(website.put("/", channel_id))
    widget = Widget(page, website).open()
    widget.say_and_see("Mia")
    expect(widget.message("And your e-mail, Mia?")).to_be_visible()


def test_waiting_message_is_sent_when_the_page_emptied_its_storage(browsing: Browsing, website: Site, channel_id: str) -> None:
    browsing.expect("Failed to load resource")
    widget = website.show(browsing, channel_id).open()
    expect(widget.message("What is your name?")).to_be_visible()
    widget.page.route("**/v1/widget/messages", lambda route: route.abort())
    widget.say("Mia")
    expect(widget.log.get_by_text("Sending…")).to_be_visible()
    widget.page.evaluate("localStorage.clear()")
    widget.say("mia@example.com")
    widget.page.unroute("**/v1/widget/messages")
    expect(widget.message("What is it about?")).to_be_visible()
    assert widget.texts()[2::2] == ["Mia", "mia@example.com"]
    expect(widget.log.locator(".msg.waiting")).to_have_count(0)
