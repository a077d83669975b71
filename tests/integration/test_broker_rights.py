"""What each user of the broker may do, tried on one; and that the setup makes what the services declare."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import amqp
import pytest

from deploy.local.ports import free_port
from deploy.setup.errors import SetupFailed
from deploy.setup.waiting import NotYet
from services.common.amqp import close_quietly, connect
from services.common.settings import Settings
from services.common.topology import SERVICES, TopologyMissing, declare, declare_rpc_queue, read_epoch
from tests.support.secured import Keys, broker_with_rights

Action = Callable[[Any], object]
GIVEN = Settings.read({"FOYER_TOPOLOGY": "given"})


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    with broker_with_rights(tmp_path_factory.mktemp("rights")) as keys:
        yield keys


def attempt(keys: Keys, user: str, action: Action) -> None:
    """Do it as the user, and wait until the broker has taken or refused it."""
    connection = connect(keys.amqp_uri(user))
    try:
        channel = connection.channel()
        action(channel)
        channel.queue_declare("foyer.events", passive=True)  # answered after whatever went before
    finally:
        close_quietly(connection)


def publish(exchange: str, key: str) -> Action:
    return lambda channel: channel.basic_publish(amqp.Message("{}"), exchange, key)


def other_than(service: str) -> str:
    return SERVICES[SERVICES.index(service) - 1]


REFUSED_TO_SERVICES: dict[str, Callable[[str, str], Action]] = {
    "get from another's events": lambda _, other: lambda channel: channel.basic_get(f"events.{other}"),
    "get from another's calls": lambda _, other: lambda channel: channel.basic_get(f"rpc-{other}"),
    "consume another's events": lambda _, other: lambda channel: channel.basic_consume(f"events.{other}"),
    "get from another's dead letters": lambda _, other: lambda channel: channel.basic_get(f"events.{other}.dead"),
    "get from its own dead letters": lambda own, _: lambda channel: channel.basic_get(f"events.{own}.dead"),
    "read the event log": lambda *_: read_log,
    "bind another's queue": lambda own, other: lambda channel: channel.queue_bind(f"events.{other}", f"{own}.events", "#"),
    "subscribe to more": lambda own, other: lambda channel: channel.queue_bind(f"events.{own}", f"{other}.events", "#"),
    "take another's calls": lambda own, other: lambda ch: ch.queue_bind(f"rpc-{own}", "nameko-rpc", f"{other}.*"),
    "take all calls": lambda own, _: lambda channel: channel.queue_bind(f"rpc-{own}", "nameko-rpc", "#"),
    "take answers": lambda own, _: lambda channel: channel.queue_bind(f"rpc-{own}", "nameko-rpc", "rpc.#"),
    "declare another's queue": lambda _, other: lambda channel: declare_rpc_queue(channel, other, GIVEN),
    "declare a queue": lambda *_: lambda channel: channel.queue_declare("more"),
    "declare an exchange": lambda *_: lambda channel: channel.exchange_declare("more", "topic"),
    "purge another's queue": lambda _, other: lambda channel: channel.queue_purge(f"events.{other}"),
    "delete another's queue": lambda _, other: lambda channel: channel.queue_delete(f"events.{other}"),
    "delete another's calls": lambda _, other: lambda channel: channel.queue_delete(f"rpc-{other}"),
    "delete its own events": lambda own, _: lambda channel: channel.queue_delete(f"events.{own}"),
    "delete its own dead letters": lambda own, _: lambda channel: channel.queue_delete(f"events.{own}.dead"),
    "delete the event log": lambda *_: lambda channel: channel.queue_delete("foyer.events"),
    "delete an exchange": lambda own, _: lambda channel: channel.exchange_delete(f"{own}.events"),
    "write another's events": lambda _, other: publish(f"{other}.events", "anything"),
    "call another": lambda _, other: publish("nameko-rpc", f"{other}.get_health"),
    "call itself": lambda own, _: publish("nameko-rpc", f"{own}.get_health"),
    "put into another's calls": lambda _, other: publish("", f"rpc-{other}"),
    "put into another's events": lambda _, other: publish("", f"events.{other}"),
    "put into the event log": lambda *_: publish("", "foyer.events"),
    "put into another's dead letters": lambda _, other: publish("foyer.dead", other),
    "make an epoch": lambda *_: publish("foyer.epoch", "foyer.epoch"),
}
REFUSED_TO_GATEWAY: dict[str, Action] = {
    "get from a service's events": lambda channel: channel.basic_get("events.contacts"),
    "consume a service's events": lambda channel: channel.basic_consume("events.contacts"),
    "get from a service's calls": lambda channel: channel.basic_get("rpc-contacts"),
    "get dead letters": lambda channel: channel.basic_get("events.contacts.dead"),
    "purge": lambda channel: channel.queue_purge("events.contacts"),
    "delete the event log": lambda channel: channel.queue_delete("foyer.events"),
    "delete a service's calls": lambda channel: channel.queue_delete("rpc-contacts"),
    "declare a service's queue": lambda channel: channel.queue_declare("rpc-contacts"),
    "declare an exchange": lambda channel: channel.exchange_declare("more", "topic"),
    "take calls": lambda channel: bind_reply_queue(channel, "contacts.*"),
    "take everything": lambda channel: bind_reply_queue(channel, "#"),
    "hear events": lambda channel: bind_reply_queue(channel, "#", "contacts.events"),
    "write events": publish("contacts.events", "contact_updated"),
    "write dead letters": publish("foyer.dead", "contacts"),
    "answer as a service": publish("nameko-rpc", "rpc.reply-1"),
    "put into a queue": publish("", "rpc-contacts"),
    "put into the event log": publish("", "foyer.events"),
}


def bind_reply_queue(channel: Any, key: str, exchange: str = "nameko-rpc") -> None:
    channel.queue_declare("rpc.reply-test", exclusive=True)
    channel.queue_bind("rpc.reply-test", exchange, key)


def ignore(_: object) -> None:
    """Left unacknowledged."""


def read_log(channel: Any) -> None:
    channel.basic_qos(0, 1, False)
    channel.basic_consume("foyer.events", callback=ignore, arguments={"x-stream-offset": "first"})


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("what", REFUSED_TO_SERVICES)
def test_service_is_refused_what_is_not_its_own(keys: Keys, service: str, what: str) -> None:
    # What is refused by its absence would prove nothing.
    attempt(keys, other_than(service), lambda channel: declare_rpc_queue(channel, other_than(service), GIVEN))
    attempt(keys, service, lambda channel: declare_rpc_queue(channel, service, GIVEN))
    with pytest.raises(amqp.exceptions.AccessRefused):
        attempt(keys, service, REFUSED_TO_SERVICES[what](service, other_than(service)))


@pytest.mark.parametrize("what", REFUSED_TO_GATEWAY)
def test_gateway_is_refused_what_is_the_services(keys: Keys, what: str) -> None:
    attempt(keys, "contacts", lambda channel: declare_rpc_queue(channel, "contacts", GIVEN))
    with pytest.raises(amqp.exceptions.AccessRefused):
        attempt(keys, "gateway", REFUSED_TO_GATEWAY[what])


@pytest.mark.parametrize("user", ["monitor", *SERVICES])
def test_call_by_somebody_else_is_refused(keys: Keys, user: str) -> None:
    with pytest.raises(amqp.exceptions.AccessRefused):
        attempt(keys, user, publish("nameko-rpc", "presence.list_agents"))


@pytest.mark.parametrize("service", SERVICES)
def test_service_does_all_that_it_has_to_do(keys: Keys, service: str) -> None:
    def work(channel: Any) -> None:
        declare(channel.connection, GIVEN, service)
        declare_rpc_queue(channel, service, GIVEN)
        channel.basic_consume(f"rpc-{service}", callback=ignore)
        channel.basic_consume(f"events.{service}", callback=ignore)
        channel.basic_publish(amqp.Message("{}"), f"{service}.events", "something_happened")
        channel.basic_publish(amqp.Message("{}"), "nameko-rpc", "rpc.reply-1")
        channel.basic_publish(amqp.Message("{}"), "foyer.dead", service)

    attempt(keys, service, work)


def test_gateway_does_all_that_it_has_to_do(keys: Keys) -> None:
    def work(channel: Any) -> None:
        declare(channel.connection, GIVEN)
        assert read_epoch(channel.connection) == read_epoch(channel.connection)
        channel.basic_publish(amqp.Message("{}", type="log_opened"), "foyer.epoch", "foyer.events")
        read_log(channel)
        bind_reply_queue(channel, "rpc.reply-test")
        channel.basic_consume("rpc.reply-test", callback=ignore)
        for service in SERVICES:
            channel.basic_publish(amqp.Message("{}"), "nameko-rpc", f"{service}.get_health")

    attempt(keys, "gateway", work)


def test_monitor_sees_lengths_and_changes_nothing(keys: Keys) -> None:
    monitor = keys.management("monitor")
    assert {f"events.{service}" for service in SERVICES} <= {queue["name"] for queue in monitor.get("queues", "foyer")}
    with pytest.raises((SetupFailed, NotYet)):
        monitor.put("users", "more", body={"password": "more than enough", "tags": ""})
    with pytest.raises(amqp.exceptions.AccessRefused):
        attempt(keys, "monitor", lambda channel: channel.basic_get("events.contacts"))


def test_guest_is_gone_and_a_service_has_no_management(keys: Keys) -> None:
    assert keys.management().get("users", "guest") is None
    with pytest.raises(NotYet, match="password"):
        keys.management("messaging").get("overview")


def test_missing_is_said_when_the_setup_was_not_run(keys: Keys) -> None:
    keys.management().put("vhosts", "empty", body={})
    keys.management().put("permissions", "empty", "operator", body={"configure": ".*", "write": ".*", "read": ".*"})
    connection = connect(keys.amqp_uri("operator").removesuffix("foyer") + "empty")
    with (
        closing(connection),
        pytest.raises(TopologyMissing, match=r"setup is run: exchange nameko-rpc \(.*queue events\.contacts \("),
    ):
        declare(connection, GIVEN, "contacts")


@pytest.mark.parametrize("queue_type", ["classic", "quorum"])
def test_setup_makes_what_a_process_declares(keys: Keys, queue_type: str) -> None:
    management = keys.management()
    declared, given = f"declared-{queue_type}", f"given-{queue_type}"
    for vhost in (declared, given):
        management.put("vhosts", vhost, body={})
        management.put("permissions", vhost, "operator", body={"configure": ".*", "write": ".*", "read": ".*"})
    settings = replace(GIVEN, topology="declare", queue_type=queue_type)
    connection = connect(keys.amqp_uri("operator").removesuffix("foyer") + declared)
    with closing(connection):
        declare(connection, settings)
    from deploy.setup.definitions import definitions

    wanted = definitions(settings, management.get("overview")["rabbitmq_version"])
    parts = {name: [part | {"vhost": given} for part in wanted[name]] for name in ("exchanges", "queues", "bindings")}
    management.post("definitions", body=parts)

    assert described(management, declared) == described(management, given)
    assert len(described(management, given)["queues"]) == 2 + 2 * len(SERVICES)


def described(management: Any, vhost: str) -> dict[str, Any]:
    """What there is in a virtual host, without the state that it is in."""
    facts = {
        "exchanges": ("name", "type", "durable", "auto_delete", "internal", "arguments"),
        "queues": ("name", "type", "durable", "auto_delete", "exclusive", "arguments"),
        "bindings": ("source", "destination", "destination_type", "routing_key", "arguments"),
    }
    return {
        kind: sorted(str({name: part.get(name) for name in names}) for part in management.get(kind, vhost))
        for kind, names in facts.items()
    }


def test_setup_changes_nothing_when_it_is_run_again(keys: Keys) -> None:
    before = described(keys.management(), "foyer")
    printed = keys.set_up("broker")
    assert described(keys.management(), "foyer") == before
    assert printed.count("user_unchanged") == 7
    assert "user_changed" not in printed
    for user in (*SERVICES, "operator"):
        assert keys.read("operator", "broker_passwords", user) not in printed


def test_changed_passwords_are_applied_when_the_setup_is_run_again(keys: Keys) -> None:
    old = keys.read("operator", "broker_passwords", "contacts")
    given = {"FOYER_BROKER_CONTACTS_PASSWORD": "anotherPassword1", "FOYER_BROKER_OPERATOR_PASSWORD": "anotherPassword2"}
    keys.set_up("keys", **given)
    printed = keys.set_up("broker")
    assert printed.count("user_changed") == 2
    attempt(keys, "contacts", lambda _: None)
    assert keys.read("contacts", "amqp_uri").startswith("amqp://contacts:anotherPassword1@")
    with pytest.raises(amqp.exceptions.AccessRefused):
        connect(f"amqp://contacts:{old}@127.0.0.1:{keys.broker.port}/foyer")
    assert keys.set_up("broker").count("user_unchanged") == 7


def test_setup_gives_up_in_time_and_says_what_it_waited_for(keys: Keys) -> None:
    began = time.monotonic()
    result = keys.run("broker", FOYER_BROKER_API=f"http://127.0.0.1:{free_port()}", FOYER_SETUP_TIMEOUT="1")
    assert result.returncode == 1
    assert "waited 1 s in vain for the broker's management interface" in result.stderr
    assert '"waiting_for": "the broker\'s management interface"' in result.stdout
    assert time.monotonic() - began < 60
