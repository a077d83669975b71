"""Live streams: who gets what, once, and who is cut off."""

import threading

import pytest

from gateway.settings import GatewaySettings
from gateway.streams import StreamHub, metrics
from gateway.streams.limits import Limits
from gateway.streams.subscriber import Reason, Viewer
from tests.service.streams.kit import AGENT, FORGETFUL, Publishing, ServicesStandIn, running_hub, watch
from tests.support.waiting import wait_until


def test_event_is_sent_once_when_the_relay_publishes_it_twice(hub: StreamHub, publishing: Publishing) -> None:
    client = watch(hub)
    first = publishing.event("message_posted", {"seq": 1})
    publishing.event("message_posted", {"seq": 2})
    publishing.again(first)
    publishing.event("message_posted", {"seq": 3})

    client.wait_for_messages(3)
    assert client.numbers == [1, 2, 3]


def test_repeat_is_dropped_when_the_client_saw_the_first_copy_and_resumes_between_the_two(
    settings: GatewaySettings, publishing: Publishing
) -> None:
    with running_hub(settings, FORGETFUL) as one:
        client = watch(one)
        first = publishing.event("message_posted", {"seq": 1})
        publishing.event("message_posted", {"seq": 2})
        client.wait_for_messages(2)
        resume_from = client.leave()
    publishing.again(first)
    for number in range(3, 10):
        publishing.event("message_posted", {"seq": number})

    with running_hub(settings, FORGETFUL) as other:  # it knows neither copy
        resumed = watch(other, resume_from)

        assert resumed.wait_for_messages(7) == [3, 4, 5, 6, 7, 8, 9]


def test_repeat_is_dropped_when_its_first_copy_lies_far_back_and_the_log_itself_is_read(
    settings: GatewaySettings, publishing: Publishing
) -> None:
    with running_hub(settings, FORGETFUL) as hub:
        first = publishing.event("message_posted", {"seq": -1})
        publishing.messages(1_100)  # further than a reader looks back
        client = watch(hub)
        wait_until(lambda: hub.position.endswith("-1101"))
        resume_from = hub.position
        client.leave()
        publishing.again(first)
        publishing.messages(10)
        wait_until(lambda: hub.position.endswith("-1112"))

        assert watch(hub, resume_from).wait_for_messages(10) == publishing.sent[1_100:]


def test_visitor_gets_their_own_conversation_and_nothing_else(hub: StreamHub, publishing: Publishing) -> None:
    mine = watch(hub, viewer=Viewer.visitor("me"))
    agent = watch(hub)
    author = {"kind": "agent", "id": "agent-7", "name": "Ana"}
    shown = {
        "id": "m",
        "conversation_id": "c",
        "seq": 1,
        "text": "to me",
        "choices": None,
        "created_at": "now",
        "client_message_id": "k",
    }
    posted = shown | {"author": author, "delivery": {"state": "sent", "reason": None}, "anything_new": "private"}
    publishing.event("message_posted", {**posted, "text": "to another"}, contact_id="another")
    publishing.event("message_posted", {**posted, "text": "to nobody"})
    publishing.event("note_created", {"text": "beware"}, contact_id="me", source="contacts")
    publishing.event("contact_updated", {"id": "me", "ip": "192.0.2.1"}, contact_id="me", source="contacts")
    publishing.event("agent_updated", {"id": "agent-7"}, source="presence")
    publishing.event("assignment_changed", {"decision": {"candidates": []}}, contact_id="me", source="assignment")
    publishing.event("typing_signalled", {"author": {"kind": "visitor", "id": "me"}, "typing": True}, contact_id="me")
    publishing.event("typing_signalled", {"conversation_id": "c", "author": author, "typing": True}, contact_id="me")
    publishing.event("message_posted", posted, contact_id="me")

    wait_until(lambda: "message.created" in mine.names and len(agent.names) == 10)

    assert mine.names == ["stream.ready", "conversation.typing", "message.created"]
    assert mine.data(mine.payloads[1]) == {"conversation_id": "c", "author": {"kind": "agent", "name": "Ana"}, "typing": True}
    assert mine.data(mine.payloads[2]) == shown | {"author": {"kind": "agent", "name": "Ana"}}
    assert mine.payloads[2].id == agent.payloads[-1].id
    stored = watch(hub, mine.payloads[0].id, Viewer.visitor("me"))  # the same when resumed
    assert stored.wait_for_messages(1)
    assert [payload.json for payload in stored.payloads] == [payload.json for payload in mine.payloads]


def test_slow_client_is_cut_off_and_resumes_by_id_while_others_go_on(settings: GatewaySettings, publishing: Publishing) -> None:
    with running_hub(settings, Limits(queue_length=50)) as hub:
        quick = watch(hub)
        slow = hub.open(AGENT, None, "sse")
        aborted = threading.Event()
        slow.subscriber.on_abort(aborted.set)
        batches = slow.batches()
        resume_from = next(batches).payloads[-1].id
        overflows = metrics.OVERFLOWS._value.get()

        for _ in range(4):
            publishing.messages(25)
            quick.wait_for_messages(len(publishing.sent))

        assert aborted.is_set()
        assert slow.subscriber.ended is Reason.OVERFLOW
        assert list(batches) == []
        slow.close()
        assert metrics.OVERFLOWS._value.get() == overflows + 1
        assert quick.numbers == publishing.sent
        assert watch(hub, resume_from).wait_for_messages(100) == publishing.sent


def test_stream_ends_when_its_session_is_revoked_and_others_stay(hub: StreamHub, publishing: Publishing) -> None:
    revoked = watch(hub, viewer=Viewer.agent("agent-2", "session-2"))
    other_session = watch(hub, viewer=Viewer.agent("agent-2", "session-3"))
    publishing.event("session_revoked", {"session_id": "session-2", "agent_id": "agent-2"}, source="presence")

    revoked.wait_ended()

    assert revoked.stream.subscriber.ended is Reason.REVOKED
    publishing.messages(1)
    assert other_session.wait_for_messages(1)
    assert revoked.names == ["stream.ready"]
    late = hub.open(Viewer.agent("agent-2", "session-2"), None, "sse")  # authenticated a moment before
    assert late.subscriber.ended is Reason.REVOKED
    late.close()


def test_unreadable_message_is_passed_over_when_it_stands_in_the_log(hub: StreamHub, publishing: Publishing) -> None:
    client = watch(hub)
    publishing.raw(b"no event at all")
    publishing.event("message_posted", {"author": 5}, contact_id="me")
    publishing.event("conversation_updated", {"assignee": 5}, contact_id="me")  # its view can't be made
    publishing.messages(2)

    wait_until(lambda: [client.data(payload).get("seq") for payload in client.payloads][-2:] == [0, 1])
    assert client.names[-2:] == ["message.created", "message.created"]


def test_idle_stream_learns_the_position_so_that_it_need_not_be_told_again(
    hub: StreamHub, publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.streams.stream.HEARTBEAT_SECONDS", 0.05)
    visitor = watch(hub, viewer=Viewer.visitor("me"))
    publishing.messages(3, contact_id="another")

    wait_until(lambda: visitor.heartbeats and visitor.heartbeats[-1] == hub.position and hub.position.endswith("-3"))

    assert visitor.names == ["stream.ready"]


def test_lease_is_opened_renewed_and_closed_with_an_agents_stream(settings: GatewaySettings, publishing: Publishing) -> None:
    presence = ServicesStandIn()
    quick = type(settings)(**{**vars(settings), "lease_seconds": 1})
    with running_hub(quick, rpc=presence) as hub:
        visitor = watch(hub, viewer=Viewer.visitor("me"))
        assert presence.calls == []
        client = watch(hub)
        method, opened = presence.calls[0]
        assert (method, opened["agent_id"], opened["kind"]) == ("open_connection", "agent-1", "sse")
        wait_until(lambda: any(method == "renew_connections" for method, _ in presence.calls), what="a renewal")
        renewed = next(arguments for method, arguments in presence.calls if method == "renew_connections")
        assert renewed["gateway_id"] == opened["gateway_id"]
        assert [one["connection_id"] for one in renewed["connections"]] == [opened["connection_id"]]
        client.leave()
        wait_until(lambda: presence.calls[-1][0] == "close_connection", what="the closing")
        assert presence.calls[-1][1] == {"agent_id": "agent-1", "connection_id": opened["connection_id"]}
        last = watch(hub)
    last.wait_ended()
    visitor.wait_ended()
    assert last.stream.subscriber.ended is Reason.STOPPING
    assert presence.calls[-1][0] == "close_connection"


def test_visitors_are_told_to_be_there_while_they_have_a_stream_or_ask(
    settings: GatewaySettings, publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.streams.hub.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("gateway.streams.visitors.SEEN_SECONDS", 0.5)
    services = ServicesStandIn()
    with running_hub(settings, rpc=services) as hub:
        watch(hub)
        client = watch(hub, viewer=Viewer.visitor("streaming"))

        def told_of_both() -> bool:
            hub.saw_visitor("asking")
            return ["streaming", "asking"] in services.noted

        wait_until(told_of_both, what="both visitors told")
        wait_until(lambda: services.noted[-1] == ["streaming"], what="the one who no longer asks forgotten")
        client.leave()
        wait_until(lambda: services.noted[-2:] == [[], []], what="nobody told any more")


@pytest.mark.parametrize("event", ["contact_created", "contact_updated"])
def test_visitors_stream_ends_when_an_event_tells_that_the_contact_is_a_user(
    hub: StreamHub, publishing: Publishing, event: str
) -> None:
    before = watch(hub, viewer=Viewer.visitor("me"))
    user = watch(hub, viewer=Viewer.visitor("me", is_user=True))
    other = watch(hub, viewer=Viewer.visitor("other"))
    publishing.event(event, {"id": "other", "external_id": None}, source="contacts", contact_id="other")
    publishing.event(event, {"id": "me", "external_id": "4711"}, source="contacts", contact_id="me")
    publishing.messages(1, contact_id="me")
    publishing.messages(1, contact_id="other")
    before.wait_ended()
    assert before.stream.subscriber.ended is Reason.REVOKED
    wait_until(lambda: [client.names[-1] for client in (user, other)] == ["message.created"] * 2, what="the others' messages")
    late = watch(hub, viewer=Viewer.visitor("me"))
    late.wait_ended()
    assert "message.created" not in before.names + late.names
