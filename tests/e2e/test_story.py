"""The main job: a visitor, a bot, an agent."""

from tests.e2e.conftest import candidate, make_channel, simulate
from tests.support.product import Agent, Gateway, Visitor
from tests.support.waiting import wait_until


def test_visitor_reaches_an_agent_through_the_bot_and_both_see_everything(gateway: Gateway, admin: str) -> None:
    channel_id = make_channel(gateway, admin)
    agent = Agent(gateway, admin, "Ada Park")
    agents_stream = agent.watch()
    wait_until(lambda: candidate(simulate(gateway, admin, channel_id), agent.id).get("eligible"), what="an eligible agent")
    visitor = Visitor(
        gateway,
        channel_id,
        address="8.8.8.8",
        url="https://shop.example/pricing?utm_source=mail&utm_campaign=spring",
        referrer="https://search.example/",
        locale="en-GB",
    )
    visitors_stream = visitor.watch()
    assert [message["text"] for message in visitor.session["messages"]] == ["Hi, I am the Acme bot.", "What is your name?"]
    generated = visitor.session["contact"]["name"]

    visitor.say("Mia Lund")
    visitor.say("mia at example")
    visitor.say("mia@example.com")
    visitor.say(choice="quote")

    conversation_path = f"/v1/conversations/{visitor.conversation_id}"
    assigned = agents_stream.wait_for("conversation.assigned", id=visitor.conversation_id)
    assert assigned["assignee"] == {"id": agent.id, "name": "Ada Park"}
    assert visitors_stream.wait_for("conversation.assigned")["assignee"] == {"name": "Ada Park"}

    visitor.say("How much is it?")
    agents_stream.wait_for("message.created", text="How much is it?")
    agent.say(visitor.conversation_id, "Ninety.")
    answer = visitors_stream.wait_for("message.created", text="Ninety.")
    assert answer["author"]["kind"] == "agent"
    assert answer["author"].get("id") is None

    transcript = agent.ask("GET", f"{conversation_path}/messages?after_seq=0")["items"]
    assert [(message["seq"], message["author"]["kind"], message["text"]) for message in transcript] == [
        (1, "bot", "Hi, I am the Acme bot."),
        (2, "bot", "What is your name?"),
        (3, "visitor", "Mia Lund"),
        (4, "bot", "And your e-mail, Mia Lund?"),
        (5, "visitor", "mia at example"),
        (6, "bot", "That does not look like an e-mail address."),
        (7, "visitor", "mia@example.com"),
        (8, "bot", "What is it about?"),
        (9, "visitor", "A quote"),
        (10, "bot", "A colleague will be right with you."),
        (11, "visitor", "How much is it?"),
        (12, "agent", "Ninety."),
    ]
    # The bot's first words may have been told before the stream was open, or after.
    seen = [message["seq"] for message in visitors_stream.named("message.created")]
    assert seen == list(range(seen[0], 13))
    assert seen[0] <= 3

    def profile_is_filled() -> bool:
        contact = agent.ask("GET", f"/v1/contacts/{visitor.contact_id}")
        return bool((contact["name"], contact["email"], contact["fields"]) == ("Mia Lund", "mia@example.com", {"topic": "quote"}))

    wait_until(profile_is_filled)
    contact = agent.ask("GET", f"/v1/contacts/{visitor.contact_id}")
    assert generated != "Mia Lund"
    assert contact["ip"] == "8.8.8.8"
    assert contact["country"] == {"code": "US", "name": "United States"}
    assert contact["url"]["first"]["campaign"]["source"] == "mail"
    assert contact["locale"] == "en-GB"
    wait_until(lambda: agent.ask("GET", conversation_path)["contact"]["name"] == "Mia Lund")

    def load() -> int:
        """What the agent has now, told alike by presence and by messaging; others' waiting conversations may be among it."""
        shown: int = agent.ask("GET", f"/v1/agents/{agent.id}")["active_conversations"]
        mine = agent.ask("GET", "/v1/conversations?folder=mine&limit=100")["items"]
        return shown if shown == len(mine) else 0

    agent.ask("PATCH", "/v1/agents/me", {"availability": "busy"})
    had = wait_until(load)
    wait_until(lambda: gateway.ask("GET", f"/v1/channels/{channel_id}", token=admin)["visitor_count"] == 1)

    [decision] = agent.ask("GET", f"{conversation_path}/assignments")["items"]
    assert (decision["rule"], decision["assignee"]["id"]) == ("least_busy", agent.id)
    assert next(c for c in decision["candidates"] if c["agent_id"] == agent.id)["eligible"]

    agent.ask("PATCH", conversation_path, {"status": "archived"})
    visitors_stream.wait_for("conversation.archived")
    wait_until(lambda: agent.ask("GET", f"/v1/agents/{agent.id}")["active_conversations"] == had - 1)
    for stream in (agents_stream, visitors_stream):
        stream.close()
    wait_until(lambda: not gateway.ask("GET", f"/v1/agents/{agent.id}", token=admin)["connected"], 20)


def test_conversation_waits_and_is_drained_first_in_first_out(gateway: Gateway, admin: str) -> None:
    agent = Agent(gateway, admin, "Ben", capacity=1)
    flow = {"start": "a", "blocks": {"a": {"type": "assign", "agents": [agent.id]}}}
    channel_id = make_channel(gateway, admin)
    gateway.ask("PUT", f"/v1/channels/{channel_id}/flow", flow, token=admin)
    first, second = Visitor(gateway, channel_id), Visitor(gateway, channel_id)

    def shown(visitor: Visitor) -> dict[str, object]:
        found: dict[str, object] = gateway.ask("GET", f"/v1/conversations/{visitor.conversation_id}", token=admin)
        return found

    wait_until(lambda: shown(first)["queue"] and shown(second)["queue"])
    stream = agent.watch()
    stream.wait_for("conversation.assigned", id=first.conversation_id)
    assert shown(second)["assignee"] is None
    agent.ask("PATCH", f"/v1/conversations/{first.conversation_id}", {"status": "archived"})
    stream.wait_for("conversation.assigned", id=second.conversation_id)
    stream.close()


def test_hands_win_over_rules_when_somebody_assigns(gateway: Gateway, admin: str, channel_id: str) -> None:
    ann, ben = Agent(gateway, admin, "Ann"), Agent(gateway, admin, "Ben")
    visitor = Visitor(gateway, channel_id)
    path = f"/v1/conversations/{visitor.conversation_id}"
    for method in ("GET", "DELETE"):
        nobody = ann.ask(method, f"{path}/assignee")
        assert (nobody["state"], nobody["assignee"], nobody["version"]) == ("unassigned", None, 0)
    assignment = ann.ask("PUT", f"{path}/assignee", {"agent_id": ben.id})
    assert (assignment["state"], assignment["assignee"]["id"]) == ("assigned", ben.id)
    wait_until(lambda: ann.ask("GET", path)["assignee"] == {"id": ben.id, "name": "Ben"})
    # The bot falls silent.
    visitor.say("Hello?")
    assert visitor.messages()[-1]["text"] == "Hello?"
    ann.ask("DELETE", f"{path}/assignee")
    wait_until(lambda: ann.ask("GET", path)["assignee"] is None)
    ann.say(visitor.conversation_id, "I take it.")
    wait_until(lambda: ann.ask("GET", path)["assignee"] == {"id": ann.id, "name": "Ann"})
    returned = ann.ask("POST", f"{path}/return-to-bot")
    assert (returned["handler"], returned["assignee"]) == ("bot", None)
    assert visitor.messages()[-1]["text"] == "What is your name?"
    actions = [item["action"] for item in wait_until(lambda: _four(ann.ask("GET", f"{path}/assignments")["items"]))]
    assert actions == ["returned", "assigned", "unassigned", "assigned"]


def _four(items: list[dict[str, object]]) -> list[dict[str, object]]:
    return items if len(items) >= 4 else []


def test_visitor_goes_on_where_it_was_when_it_comes_back(gateway: Gateway, admin: str, channel_id: str) -> None:
    visitor = Visitor(gateway, channel_id)
    visitor.say("Mia")
    again = Visitor(gateway, channel_id, visitor_token=visitor.token, url="https://shop.example/other")
    assert (again.contact_id, again.conversation_id) == (visitor.contact_id, visitor.conversation_id)
    assert len(again.session["messages"]) == 4
    contact = gateway.ask("GET", f"/v1/contacts/{visitor.contact_id}", token=admin)
    assert [page["url"] for page in contact["url"]["pages"]] == ["https://shop.example/", "https://shop.example/other"]
    stranger = Visitor(gateway, channel_id, visitor_token="forged")
    assert stranger.contact_id != visitor.contact_id


def test_new_name_reaches_what_the_agent_has_when_it_is_renamed(gateway: Gateway, admin: str, channel_id: str) -> None:
    agent = Agent(gateway, admin, "Before")
    visitor = Visitor(gateway, channel_id)
    path = f"/v1/conversations/{visitor.conversation_id}"
    agent.say(visitor.conversation_id, "Mine.")
    wait_until(lambda: agent.ask("GET", f"{path}/assignments")["items"])
    agent.ask("PATCH", "/v1/agents/me", {"name": "After"})
    wait_until(lambda: agent.ask("GET", path)["assignee"] == {"id": agent.id, "name": "After"})
    wait_until(lambda: agent.ask("GET", f"{path}/assignee")["assignee"] == {"id": agent.id, "name": "After"})
