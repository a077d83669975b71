"""The broker's definitions, against the code that uses what they make."""

import re

import orjson
import pytest

from deploy import topology
from deploy.setup.definitions import USERS, definitions, permissions, topic_permissions
from deploy.setup.definitions import _or as any_of
from services.common.settings import Settings
from services.common.topology import (
    SERVICES,
    dead_letter_queue,
    event_exchange,
    event_queue,
    layout,
    queue_arguments,
    rpc_queue,
    subscriptions,
    used_by,
)

SETTINGS = Settings.read({})


def test_file_is_what_the_code_makes() -> None:
    assert topology.DEFINITIONS_FILE.read_bytes() == topology.render_definitions()


def test_definitions_hold_no_password_and_no_user() -> None:
    made = definitions(SETTINGS)
    assert "users" not in made
    assert b"password" not in orjson.dumps(made)


def test_everything_that_is_subscribed_to_is_bound() -> None:
    bound = {(b["source"], b["destination"], b["routing_key"]) for b in definitions(SETTINGS)["bindings"]}
    for service, pairs in subscriptions().items():
        assert {(event_exchange(source), event_queue(service), kind) for source, kind in pairs} <= bound
        assert ("foyer.dead", dead_letter_queue(service), service) in bound
        assert (event_exchange(service), "foyer.events", "#") in bound


@pytest.mark.parametrize("process", [*SERVICES, "gateway"])
def test_process_has_some_right_on_all_that_it_checks(process: str) -> None:
    """RabbitMQ after 4.3.0 lets nobody ask about what they have no right on."""
    exchanges, queues = used_by(process, publishes=True)
    for name in exchanges + queues:
        assert any(re.search(pattern, name) for pattern in permissions()[process]), name


@pytest.mark.parametrize("service", SERVICES)
def test_rights_match_whole_names_only(service: str) -> None:
    configure, write, read = permissions()[service]
    assert re.search(configure, rpc_queue(service))
    for pattern in (configure, write, read):
        for name in ("amq.default", "", f"x{rpc_queue(service)}", f"{event_queue(service)}2", "foyerXdead", "rpc.reply-1"):
            assert not re.search(pattern, name), (pattern, name)


def test_every_user_has_rights_and_nobody_else() -> None:
    assert list(permissions()) == list(USERS)
    assert {user for user, *_ in topic_permissions()} == {*SERVICES, "gateway"}
    assert {user for user, rights in permissions().items() if ".*" in rights} == {"operator"}


def test_names_are_taken_literally() -> None:
    assert re.fullmatch(any_of("a.b", "c"), "a.b")
    assert not re.fullmatch(any_of("a.b", "c"), "aXb")


@pytest.mark.parametrize(
    ("version", "limit"), [("3.10.8", {}), ("4.0.5", {"x-delivery-limit": -1}), ("10.1", {"x-delivery-limit": -1})]
)
def test_quorum_queue_never_drops_what_is_redelivered(version: str, limit: dict[str, int]) -> None:
    settings = Settings.read({"FOYER_QUEUE_TYPE": "quorum"})
    assert queue_arguments(settings, version) == {"x-queue-type": "quorum"} | limit
    queues = layout(settings, version).queues
    assert queues["events.contacts"] == queues["events.contacts.dead"] == queue_arguments(settings, version)
    assert queues["foyer.events"]["x-queue-type"] == "stream"
    assert queue_arguments(SETTINGS, version) == {}
