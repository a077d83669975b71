from services.common.times import from_wire, to_wire
from tests.service.assignment.office import BOT, Office, conversations
from tests.support.events import Collector, DeadLetters
from tests.support.waiting import wait_until


def test_a_request_goes_to_the_least_busy_when_agents_are_eligible(office: Office, collector: Collector) -> None:
    office.hire("ann", "bob", "cyd")
    office.hire("dan", availability="busy")
    first, second, conversation = conversations(3)
    office.assign(first, "ann")
    office.assign(second, "bob")

    office.request(conversation)

    event = office.wait_changed(conversation, "assigned")
    assert event["entity"] == {"kind": "assignment", "id": conversation, "version": 1}
    assert event["contact_id"] == "contact1"
    data = event["data"]
    assert (data["state"], data["assignee"], data["queue_position"]) == ("assigned", {"id": "cyd", "name": "Cyd"}, None)
    decision = data["decision"]
    assert (decision["action"], decision["rule"], decision["actor"]["kind"]) == ("assigned", "least_busy", "bot")
    assert decision["reason"] == "Cyd is the least busy, of 3 eligible; had 0 of 4."
    assert [(c["agent_id"], c["eligible"], c["reason"], c["load"], c["rank"]) for c in decision["candidates"]] == [
        ("cyd", True, None, 0, 1),
        ("ann", True, None, 1, 2),
        ("bob", True, None, 1, 3),
        ("dan", False, "busy", 0, None),
    ]
    load = collector.wait_for("agent_load_changed", lambda e: e["data"]["agent_id"] == "cyd")
    assert load["data"] == {"agent_id": "cyd", "active_conversations": 1, "version": load["entity"]["version"]}
    assert load["entity"]["kind"] == "agent_load"
    assert office.get(conversation) == {
        key: value for key, value in data.items() if key not in {"outcome", "decision", "conversation_version"}
    }
    assert office.history(conversation) == [decision]


def test_a_request_waits_with_its_position_when_nobody_is_eligible(office: Office) -> None:
    office.hire("ann", connected=False)
    first, second = conversations(2)
    office.request(first)
    office.wait_state(first, "queued")
    office.request(second)
    assert office.wait_state(second, "queued")["queue_position"] == 2
    event = office.wait_changed(second, "queued")
    assert event["data"]["queue_position"] == 2
    assert event["data"]["decision"]["reason"] == "Nobody of 1 can be chosen: 1 disconnected."
    assert office.line() == [first, second]


def test_the_line_is_served_in_order_when_an_agent_becomes_available(office: Office) -> None:
    office.hire("ann", capacity=2, availability="busy")
    waiting = conversations(4)
    for conversation in waiting:  # one by one: handled in another order, they would be told of steps
        office.request(conversation)
        office.wait_state(conversation, "queued")

    office.tell_agent("ann", availability="available")

    for conversation in waiting[:2]:
        office.wait_state(conversation, "assigned", "ann")
    assert office.line() == waiting[2:]
    assert office.wait_changed(waiting[2], "queued", count=2)["data"]["queue_position"] == 1
    moved = office.wait_changed(waiting[3], "queued", count=2)["data"]
    assert (moved["queue_position"], moved["decision"]) == (2, None)

    office.tell_agent("ann", capacity=3)
    office.wait_state(waiting[2], "assigned", "ann")
    assert office.line() == waiting[3:]


def test_the_order_is_that_of_the_requests_when_their_events_arrive_in_another(office: Office) -> None:
    office.hire("ann", capacity=1, availability="busy")
    early, late = conversations(2)
    office.request(late, at=from_wire("2026-01-05T10:00:01.000Z"))
    office.wait_state(late, "queued")
    office.request(early, at=from_wire("2026-01-05T10:00:00.000Z"))
    assert office.wait_state(early, "queued")["queue_position"] == 1
    assert office.wait_changed(late, "queued", count=2)["data"]["queue_position"] == 2

    office.tell_agent("ann", availability="available")

    office.wait_state(early, "assigned", "ann")
    assert office.line() == [late]


def test_the_flow_goes_on_when_it_would_not_wait_and_nobody_is_there(office: Office) -> None:
    office.hire("ann", availability="busy")
    (conversation,) = conversations(1)
    office.request(conversation, unavailable="leave_a_message")
    data = office.wait_changed(conversation, "unavailable")["data"]
    assert (data["state"], data["assignee"], data["queue_position"]) == ("unassigned", None, None)
    assert data["decision"]["action"] == "unassigned"
    assert office.line() == []

    office.tell_agent("ann", availability="available")
    office.wait_known("ann")
    assert office.wait_state(conversation, "unassigned")["version"] == 1


def test_only_named_agents_are_chosen_when_the_request_names_some(office: Office) -> None:
    office.hire("ann", "bob")
    office.hire("cyd", availability="busy")
    for_bob, for_cyd = conversations(2)
    office.request(for_bob, agents=["bob", "cyd"])
    office.wait_state(for_bob, "assigned", "bob")
    office.request(for_cyd, agents=["cyd"])
    office.wait_state(for_cyd, "queued")


def test_each_strategy_follows_its_rule_when_asked_for(office: Office) -> None:
    office.hire("ann", "bob", capacity=9)
    turns = conversations(4)
    for conversation in turns:
        office.request(conversation, strategy="round_robin")
        office.wait_state(conversation, "assigned")
    served = [(office.get(conversation) or {})["assignee"]["id"] for conversation in turns]
    assert served in (["ann", "bob"] * 2, ["bob", "ann"] * 2)

    (drawn,) = conversations(1)
    office.request(drawn, strategy="random")
    decision = office.wait_changed(drawn, "assigned")["data"]["decision"]
    assert (decision["rule"], decision["ordering"]) == ("random", ["random"])
    assert isinstance(decision["seed"], int)


def test_archiving_serves_the_next_when_it_frees_an_agent(office: Office) -> None:
    office.hire("ann", capacity=1)
    held, waiting = conversations(2)
    office.request(held)
    office.wait_state(held, "assigned")
    office.request(waiting)
    office.wait_state(waiting, "queued")

    office.archive(held)

    office.wait_state(waiting, "assigned", "ann")
    event = office.wait_changed(held, "closed")
    assert (event["data"]["state"], event["data"]["assignee"]) == ("closed", None)
    assert [(d["action"], d["rule"]) for d in office.history(held)] == [("closed", "archive"), ("assigned", "least_busy")]
    assert office.load("ann") == 1


def test_it_leaves_the_line_when_archived_while_waiting(office: Office) -> None:
    left, stays = conversations(2)
    for conversation in (left, stays):
        office.request(conversation)
        office.wait_state(conversation, "queued")
    office.archive(left)
    office.wait_state(left, "closed")
    assert office.line() == [stays]
    assert office.wait_changed(stays, "queued", count=2)["data"]["queue_position"] == 1


def test_an_event_counts_once_when_delivered_twice(office: Office) -> None:
    office.hire("ann")
    (conversation,) = conversations(1)
    office.request(conversation, times=3)
    office.wait_state(conversation, "assigned")
    office.archive(conversation, times=3)
    office.wait_state(conversation, "closed")
    office.request(conversations(1)[0])
    wait_until(lambda: office.load("ann") == 1)
    office.wait_changed(conversation, "closed")
    assert [decision["action"] for decision in office.history(conversation)] == ["closed", "assigned"]
    assert [event["data"]["outcome"] for event in office.changes(conversation)] == ["assigned", "closed"]


def test_an_older_event_changes_nothing_when_a_newer_one_came_first(office: Office) -> None:
    office.hire("ann")
    (conversation,) = conversations(1)
    office.archive(conversation, version=9)
    office.wait_state(conversation, "closed")
    office.request(conversation, version=8)
    office.request(conversation, version=10)
    office.wait_state(conversation, "assigned", "ann")
    office.archive(conversation, version=9)
    office.hand_back(conversation, version=11)
    office.wait_state(conversation, "unassigned")
    assert [decision["action"] for decision in office.history(conversation)] == ["returned", "assigned"]
    assert office.load("ann") == 0


def test_an_older_word_of_presence_changes_nothing_when_a_newer_one_came_first(office: Office) -> None:
    office.hire("ann")
    office.tell_agent("ann", version=7, availability="busy")
    wait_until(lambda: office.database.agents.find_one({"_id": "ann", "availability": "busy"}))
    office.tell_agent("ann", version=6)
    office.tell_agent("ann", version=8, availability="busy")
    wait_until(lambda: office.database.agents.find_one({"_id": "ann", "presence_version": 8}))
    (conversation,) = conversations(1)
    office.request(conversation)
    office.wait_state(conversation, "queued")


def test_an_unreadable_request_is_put_aside_when_it_keeps_failing(office: Office, dead_letters: DeadLetters) -> None:
    (conversation,) = conversations(1)
    office.request(conversation, strategy=7)
    headers, _ = wait_until(lambda: dead_letters.take("assignment"), 20, what="the dead letter")[0]
    assert headers["x-foyer-reason"] == "failed"
    assert office.get(conversation) is None


def test_the_queue_is_paged_in_order_when_long(office: Office) -> None:
    waiting = conversations(5)
    for conversation in waiting:
        office.request(conversation, requested_by=BOT)
        office.wait_state(conversation, "queued")
    pages, cursor = [], None
    while True:
        answer = office.rpc.call("assignment", "list_queue", limit=2, cursor=cursor)
        pages.append([(item["conversation_id"], item["position"]) for item in answer["items"]])
        assert all(to_wire(from_wire(item["requested_at"])) == item["requested_at"] for item in answer["items"])
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert pages == [[(waiting[0], 1), (waiting[1], 2)], [(waiting[2], 3), (waiting[3], 4)], [(waiting[4], 5)]]
