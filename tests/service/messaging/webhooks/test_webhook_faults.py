"""Receivers that are down or hang, replicas that die: nothing is lost, the order holds, and nobody else notices."""

from collections.abc import Iterator

import pytest

from services.common.ids import new_id
from tests.service.messaging.conftest import Messaging
from tests.service.messaging.webhooks.conftest import PATIENT, World
from tests.support import receiver as reactions
from tests.support.receiver import Receiver, make_certificate
from tests.support.waiting import wait_until


@pytest.fixture(scope="module", autouse=True)
def secure(whole_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver that speaks TLS; and messaging that believes it, and repeats for longer than any of these tests takes."""
    certificate, context = make_certificate(tmp_path_factory.mktemp("tls"), "DNS:localhost")
    receiver = Receiver(context)
    receiver.start()
    whole_world.stack.services["messaging"].stop()
    whole_world.start(**PATIENT, SSL_CERT_FILE=str(certificate), FOYER_WEBHOOK_PRIVATE_NETWORKS="127.0.0.0/8,::1/128")
    yield receiver
    whole_world.stack.services["messaging"].stop()
    receiver.stop()


def test_secure_receiver_is_reached_by_its_name_and_by_no_other(
    world: World, messaging: Messaging, quiet: str, secure: Receiver
) -> None:
    hook = world.hook()
    hook.change(url=f"https://localhost:{secure.port}/hook")
    world.converse(messaging, quiet, "one")
    [request] = secure.wait_for("/hook", 1)
    assert request.is_signed_with(hook.secret)
    assert request.headers["host"] == f"localhost:{secure.port}"
    hook.change(url=secure.url())
    world.converse(messaging, quiet, "two")
    failing = wait_until(lambda: [each for each in hook.log(state="waiting") if each["last_error"]], what="the refusal")
    assert failing[0]["last_error"].startswith("TLS: the certificate is not valid")
    assert len(secure.at("/hook")) == 1


def test_nothing_is_lost_when_the_receiver_was_down(world: World, messaging: Messaging, quiet: str) -> None:
    hook = world.hook()
    world.receiver.stop()
    try:
        world.converse(messaging, quiet, "one", "two", "three")
        waiting = wait_until(lambda: [each for each in hook.log() if each["last_error"]], what="an attempt")
        assert waiting[0]["last_error"] == "No connection: Connection refused."
        assert hook.resource()["failing_since"] is not None
    finally:
        world.receiver.start()
    hook.wait_log("delivered", 3)
    assert hook.texts() == ["one", "two", "three"]
    assert hook.resource()["failing_since"] is None


@pytest.mark.slow
def test_everything_is_told_in_order_when_messaging_is_killed_again_and_again(
    world: World, messaging: Messaging, quiet: str
) -> None:
    """Some twice, under the same id; by first arrival as it was said."""
    hook = world.hook()
    contacts = [messaging.begin(quiet) for _ in range(4)]
    said: dict[str, list[str]] = {conversation["id"]: [] for _, conversation in contacts}
    for turn in range(3):
        for number in range(5):
            for contact_id, conversation in contacts:
                said[conversation["id"]].append(f"{turn}-{number}")
                messaging.say(contact_id, f"{turn}-{number}")
        world.stack.services["messaging"].kill()
        world.start(**PATIENT)
        world.let_leases_run_out()

    def heard() -> dict[str, list[str]]:
        first = {each.id: each.json["data"] for each in reversed(hook.received())}
        by_conversation: dict[str, list[str]] = {}
        for data in reversed(first.values()):
            by_conversation.setdefault(data["conversation_id"], []).append(data["text"])
        return by_conversation

    wait_until(lambda: heard() == said, 30, what="all of it told in order")


def test_two_replicas_tell_each_conversation_in_order(world: World, messaging: Messaging, quiet: str) -> None:
    world.start("messaging-2")
    try:
        hook = world.hook()
        conversations = [messaging.begin(quiet) for _ in range(6)]
        texts = [str(number) for number in range(8)]
        for text in texts:
            for contact_id, _ in conversations:
                messaging.say(contact_id, text)
        heard = [each.json["data"] for each in hook.wait_for(48)]
        for _, conversation in conversations:
            assert [each["text"] for each in heard if each["conversation_id"] == conversation["id"]] == texts
    finally:
        world.stack.services["messaging-2"].stop()


def test_nothing_is_missed_on_any_replica_from_the_answer_to_a_change_on(world: World, messaging: Messaging, quiet: str) -> None:
    world.start("messaging-2")
    try:
        contacts = [messaging.begin(quiet)[0] for _ in range(8)]

        def say(text: str) -> None:
            for contact_id in contacts:
                messaging.say(contact_id, text)

        def wait_for_all(text: str) -> None:
            wait_until(lambda: hook.texts().count(text) == len(contacts), what=f"all that is {text}")

        world.hook()
        say("both replicas have looked who is to be told")
        hook = world.hook()
        say("made")
        wait_for_all("made")
        hook.change(enabled=False)
        say("while it is disabled")
        hook.change(enabled=True)
        say("enabled")
        wait_for_all("enabled")  # what is under way when it turns to something else may be left out
        hook.change(events=["conversation.archived"])
        say("while it listens to something else")
        hook.change(events=["message.created"])
        say("changed")
        wait_for_all("changed")
    finally:
        world.stack.services["messaging-2"].stop()


def test_calls_are_answered_in_time_and_others_are_told_when_thirty_lanes_hang(
    world: World, messaging: Messaging, quiet: str
) -> None:
    """Eight webhooks whose receivers take every request and answer none; with four lanes each, all places are taken."""
    slow = [world.hook() for _ in range(8)]
    for hook in slow:
        world.receiver.react(hook.path, reactions.silent)
    contacts = [messaging.begin(quiet) for _ in range(8)]
    for number in range(4):
        for contact_id, _ in contacts:
            messaging.say(contact_id, str(number))
    wait_until(lambda: world.receiver.open >= 30, what="thirty requests that hang")
    quick = world.hook("conversation.created")
    hanging = []
    for _ in range(40):
        contact_id, conversation = messaging.begin(quiet)
        for method, arguments in (
            ("get_conversation", {"conversation_id": conversation["id"]}),
            ("list_conversations", {"limit": 20}),
            ("post_visitor_message", {"contact_id": contact_id, "text": "Hi", "client_message_id": new_id()}),
        ):
            world.rpc.call("messaging", method, timeout=2.5, **arguments)
        hanging.append(world.receiver.open)
    assert sorted(hanging)[len(hanging) // 2] >= 28
    quick.wait_for(40)
    for hook in slow:
        hook.change(enabled=False)
