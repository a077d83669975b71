"""Bots outside, which drive conversations through an API token."""

from services.common.ids import new_id
from tests.service.messaging.conftest import Messaging
from tests.support.events import Collector

ROBOT = {"kind": "bot", "id": "token1", "name": "Robot", "role": None}


def test_conversation_is_driven_from_outside_when_its_channel_has_no_flow(messaging: Messaging, collector: Collector) -> None:
    contact_id, conversation = messaging.begin(messaging.new_channel(flow=None))
    conversation_id = conversation["id"]
    messaging.say(contact_id, "Hello?")
    assert messaging.call("signal_typing", conversation_id=conversation_id, actor=ROBOT) == {}
    typing = collector.wait_for("typing_signalled", lambda e: e["data"]["conversation_id"] == conversation_id)
    assert typing["data"]["author"] == {"kind": "bot", "id": "token1", "name": "Robot"}
    choices = [{"label": "A quote", "value": "quote"}]
    posted = [
        messaging.call(
            "post_bot_message",
            conversation_id=conversation_id,
            text="What is it about?",
            choices=choices,
            client_message_id="bot-1",
            actor=ROBOT,
        )
        for _ in range(2)
    ]
    assert posted[0] == posted[1]
    assert (posted[0]["author"], posted[0]["choices"]) == ({"kind": "bot", "id": "token1", "name": "Robot"}, choices)
    messaging.say(contact_id, choice="quote")
    for status, by in (("archived", {"kind": "bot", "id": "token1", "name": "Robot"}), ("open", None)):
        shown = messaging.call("set_status", conversation_id=conversation_id, status=status, actor=ROBOT)
        assert (shown["status"], shown["archived_by"]) == (status, by)


def test_human_is_asked_for_when_a_bot_outside_gives_up(messaging: Messaging, collector: Collector) -> None:
    contact_id, conversation = messaging.begin(messaging.new_channel(flow=None))
    shown = messaging.call("request_assignment", conversation_id=conversation["id"], actor=ROBOT)
    assert shown["handler"] == "queue"
    wanted = collector.wait_for("assignment_requested", lambda e: e["contact_id"] == contact_id)
    assert wanted["data"]["requested_by"] | {"role": None} == ROBOT


def test_flow_stays_where_it_is_when_a_bot_outside_writes_beside_it(messaging: Messaging) -> None:
    contact_id, conversation = messaging.begin()
    messaging.call(
        "post_bot_message", conversation_id=conversation["id"], text="By the way.", client_message_id=new_id(), actor=ROBOT
    )
    messaging.say(contact_id, "Ann")
    assert messaging.messages(conversation["id"])[-1]["text"] == "And your e-mail, Ann?"
