"""Teams, and priorities, in the line and beside it."""

from tests.service.assignment.office import Office, conversations


def test_a_teams_conversation_goes_to_its_members_alone(office: Office) -> None:
    office.hire("ann", "bob", capacity=1)
    office.tell_team("sales", "bob", "never_heard_of")
    office.wait_team("sales")
    first, second = conversations(2)
    office.request(first, team_id="sales")
    data = office.wait_changed(first, "assigned")["data"]
    assert data["assignee"]["id"] == "bob"
    assert [(c["agent_id"], c["reason"]) for c in data["decision"]["candidates"]] == [("bob", None), ("ann", "not_in_team")]

    office.request(second, team_id="sales")
    office.wait_state(second, "queued")
    assert (office.queue()[0]["team_id"], office.queue()[0]["agents"]) == ("sales", None)

    office.tell_team("sales", "ann")
    office.wait_state(second, "assigned", "ann")


def test_its_conversations_wait_until_a_team_is_heard_of_and_are_everybodys_when_it_was_deleted(office: Office) -> None:
    office.hire("ann", capacity=9)
    unheard, deleted, behind = conversations(3)
    office.request(unheard, team_id="sales")
    office.wait_state(unheard, "queued")
    office.request(behind)
    office.wait_state(behind, "assigned", "ann")
    assert office.line() == [unheard]

    office.tell_team("sales", "ann")
    office.wait_state(unheard, "assigned", "ann")

    office.tell_team("support")
    office.wait_team("support")
    office.request(deleted, team_id="support")
    office.wait_state(deleted, "queued")
    office.delete_team("support")
    office.wait_state(deleted, "assigned", "ann")
    reason = office.history(deleted)[0]["reason"]
    assert reason == "Ann is the least busy, the only one eligible; had 2 of 9. Its team was deleted, so everybody may be asked."


def test_an_older_word_on_a_team_changes_nothing_when_a_newer_one_came_first(office: Office) -> None:
    office.hire("ann", "bob")
    office.delete_team("sales")
    office.wait_team("sales")
    office._announcer.publish(
        "presence", "team_updated", {"id": "sales", "name": "Sales", "agent_ids": ["ann"]}, entity=("team", "sales", 0)
    )
    office.tell_team("later")
    office.wait_team("later")
    (conversation,) = conversations(1)
    office.assign(conversations(1)[0], "ann")
    office.request(conversation, team_id="sales")
    office.wait_state(conversation, "assigned", "bob")


def test_the_urgent_are_served_first_when_an_agent_comes(office: Office) -> None:
    low, normal, high, early = conversations(4)
    for conversation, priority in ((low, "low"), (early, "normal"), (normal, "normal"), (high, "high")):
        office.request(conversation, priority=priority)
        office.wait_state(conversation, "queued")
    assert office.line() == [high, early, normal, low]
    assert [item["priority"] for item in office.queue()] == ["high", "normal", "normal", "low"]
    assert office.wait_changed(early, "queued", count=2)["data"]["queue_position"] == 2
    assert (office.get(low) or {})["queue_position"] == 4

    office.hire("ann", capacity=2)

    office.wait_state(high, "assigned", "ann")
    office.wait_state(early, "assigned", "ann")
    assert office.line() == [normal, low]
    assert (office.get(high) or {})["priority"] is None


def test_an_agent_in_grace_is_passed_over_when_somebody_asks(office: Office) -> None:
    office.hire("ann", "bob")
    office.tell_agent("ann", reachable=False)
    office.wait_known("ann")
    first, second = conversations(2)
    office.request(first)
    data = office.wait_changed(first, "assigned")["data"]
    assert data["assignee"]["id"] == "bob"
    assert [(c["agent_id"], c["reason"]) for c in data["decision"]["candidates"]] == [("bob", None), ("ann", "reconnecting")]
    office.tell_agent("bob", availability="busy")
    office.wait_known("bob")
    office.request(second)
    office.wait_state(second, "queued")
    office.tell_agent("ann")
    office.wait_state(second, "assigned", "ann")
