"""The broker killed, restarted or recreated under open streams."""

import pytest

from deploy.local.broker import LocalBroker
from gateway.settings import GatewaySettings
from gateway.streams import StreamHub
from services.common.amqp import connect
from services.common.topology import EPOCH_LOG, EVENT_LOG, declare
from tests.service.streams.kit import FORGETFUL, Publishing, running_hub, watch
from tests.support.waiting import wait_until


def test_clients_stay_and_get_each_event_once_when_the_broker_is_killed(
    stream_broker: LocalBroker, settings: GatewaySettings, publishing: Publishing, hub: StreamHub
) -> None:
    with running_hub(settings, FORGETFUL) as other:
        clients = [watch(hub), watch(other)]
        publishing.messages(10)
        for client in clients:
            client.wait_for_messages(10)
        left_at = watch(other).leave()

        publishing.close()  # it opens a new link by itself
        stream_broker.kill()
        try:
            wait_until(lambda: not hub.connected and not other.connected, what="the loss of the link")
            late = watch(hub, left_at)  # is served from what is remembered
        finally:
            stream_broker.start()
        wait_until(publishing.declares, 30, what="the log's return")
        publishing.messages(300)

        for client in clients:
            client.wait_for_messages(310, timeout=30)
            assert client.numbers == publishing.sent
            assert client.names.count("stream.ready") == 1
            assert "reset" not in client.names
        assert late.wait_for_messages(300, timeout=30) == publishing.sent[10:]


def test_clients_are_told_to_fetch_again_when_the_log_was_made_anew(
    settings: GatewaySettings, publishing: Publishing, hub: StreamHub
) -> None:
    client = watch(hub)
    publishing.messages(3)
    client.wait_for_messages(3)
    old = client.last_id

    connection = connect(settings.amqp_uri)
    for queue in (EVENT_LOG, EPOCH_LOG):
        connection.channel().queue_delete(queue)
    declare(connection, settings)
    connection.release()
    wait_until(lambda: "reset" in client.names, 30, what="the reset")
    publishing.messages(2)

    assert client.wait_for_messages(5) == publishing.sent
    assert client.names.count("reset") == 1
    reset = next(payload for payload in client.payloads if payload.name == "reset")
    assert reset.id.partition("-")[0] == hub.position.partition("-")[0] != old.partition("-")[0]
    resumed = watch(hub, old)
    assert resumed.names[0] == "reset"


@pytest.mark.parametrize("written", [3, 60], ids=["and is shorter", "and has grown again"])
def test_clients_are_told_to_fetch_again_when_the_log_lost_its_newest_events(
    settings: GatewaySettings, publishing: Publishing, hub: StreamHub, written: int
) -> None:
    client = watch(hub)
    publishing.messages(30)
    client.wait_for_messages(30)

    connection = connect(settings.amqp_uri)  # the epoch stays, the offsets begin again: as after a restored backup
    connection.channel().queue_delete(EVENT_LOG)
    declare(connection, settings)
    connection.release()
    publishing.messages(written)
    wait_until(lambda: "reset" in client.names, 30, what="the reset")
    publishing.messages(2)

    wait_until(lambda: client.numbers[-1:] == publishing.sent[-1:], what="the last message")
    assert client.names.count("reset") == 1
