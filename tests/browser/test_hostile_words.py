"""Script, markup and right-to-left texts as names, messages, fields and addresses: they show as text wherever they are shown."""

from playwright.sync_api import expect

from tests.browser.people import sign_in, turn
from tests.browser.website import Site
from tests.support.browser import Browsing
from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until

SCRIPT = "<img src=x onerror=\"window.struck='name'\"><script>window.struck='script'</script>"
MARKUP = "<b>bold</b> &amp; </span></div><style>*{display:none}</style> {{7*7}} ${7*7}"
RIGHT_TO_LEFT = "\u202eאבגד مرحبا\u202c end"
RUNNING_LINK = "javascript:window.struck='link'"
SPOKEN = (SCRIPT, MARKUP, RIGHT_TO_LEFT, RUNNING_LINK, "https://ok.example/\"onmouseover=\"window.struck='attribute'")


def desk_with_questions(gateway: Gateway, admin: str, agent: Agent) -> str:
    """A channel whose bot repeats what it was told, and has a name of the same kind."""
    channel = gateway.ask("POST", "/v1/channels", {"kind": "web", "name": f"Shop {MARKUP}"[:100]}, token=admin)
    blocks = {
        "name": {"type": "question", "kind": "name", "text": f"Name? {MARKUP}", "field": "name", "next": "wish"},
        "wish": {"type": "question", "kind": "text", "text": "So, {name}, your wish?", "field": "wish", "next": "desk"},
        "desk": {"type": "assign", "text": "One moment.", "agents": [agent.id]},
    }
    gateway.ask("PUT", f"/v1/channels/{channel['id']}/flow", {"start": "name", "blocks": blocks}, token=admin)
    return str(channel["id"])


def test_what_visitors_write_never_becomes_markup(browsing: Browsing, website: Site, gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, f"Eve {MARKUP}"[:100])
    console = sign_in(browsing, agent)
    wait_until(lambda: agent.presence()["connected"], what="the agent's connection")
    channel_id = desk_with_questions(gateway, admin, agent)
    widget = website.show(browsing, channel_id, "/").open()
    widget.say_and_see(SCRIPT)
    widget.say_and_see(MARKUP)
    expect(widget.panel.get_by_text("You are talking to")).to_be_visible()
    for words in SPOKEN[2:]:
        widget.say_and_see(words)
    named = console.get_by_role("list", name="Conversations").get_by_role("listitem").first
    expect(named).to_contain_text("<img src=x onerror=")
    named.click()
    log = console.get_by_role("log")
    for words in SPOKEN:
        expect(turn(console, words)).to_have_count(1)
        expect(widget.message(words, "visitor")).to_have_count(1)
    expect(log).to_contain_text(f"So, {SCRIPT}, your wish?")
    expect(log.locator("a")).to_have_count(1)
    expect(log.locator("a")).to_have_attribute("href", "https://ok.example/")
    profile = console.get_by_role("tabpanel", name="Info")
    expect(profile).to_contain_text("<img src=x onerror=")
    expect(profile).to_contain_text("<b>bold</b>")
    agent.say(agent.ask("GET", "/v1/conversations?folder=mine")["items"][0]["id"], SCRIPT)
    expect(widget.message(SCRIPT, "agent")).to_have_count(1)
    for page in (console, widget.page):
        assert page.evaluate("() => window.struck") is None
        assert page.locator("img[src=x]").count() == 0
        assert page.locator("main b, foyer-widget b").count() == 0


def test_addresses_that_visitors_come_from_are_shown_and_only_web_ones_can_be_followed(
    browsing: Browsing, gateway: Gateway, admin: str
) -> None:
    agent = Agent(gateway, admin)
    console = sign_in(browsing, agent)
    wait_until(lambda: agent.presence()["connected"], what="the agent's connection")
    channel_id = desk_with_questions(gateway, admin, agent)
    visitor = Visitor(
        gateway, channel_id, url=RUNNING_LINK, title=SCRIPT, referrer="data:text/html,<script>1</script>", locale='"><b>x'
    )
    visitor.say("Zoë")
    visitor.say("Nothing")
    console.get_by_role("list", name="Conversations").get_by_role("listitem").first.click()
    profile = console.get_by_role("tabpanel", name="Info")
    expect(profile).to_contain_text("Zoë")
    expect(profile).to_contain_text(SCRIPT[:20])
    followed = profile.locator("a").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))")
    assert [address for address in followed if not address.startswith(("#", "http://", "https://"))] == []
    assert console.evaluate("() => window.struck") is None
