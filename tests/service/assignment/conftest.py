"""An empty office for each test: there is one line for all conversations, so tests can't share it."""

from collections.abc import Callable, Iterator

import pytest

from deploy.local.process import ChildProcess
from services.common.amqp import close_quietly, connect
from services.common.rpc_client import RpcClient
from services.common.topology import event_queue
from tests.service.assignment.office import Office
from tests.support.events import Announcer, Collector, DeadLetters
from tests.support.stack import Stack, wait_for_service
from tests.support.waiting import wait_until


@pytest.fixture
def office(
    stack: Stack,
    service: Callable[[str], ChildProcess],
    rpc: RpcClient,
    announcer: Announcer,
    collector: Collector,
    dead_letters: DeadLetters,
) -> Office:
    """The service at work with no agents and nobody waiting."""
    service("assignment")
    connection = connect(stack.settings.amqp_uri)
    try:
        with connection.channel() as channel:
            wait_until(
                lambda: channel.queue_declare(event_queue("assignment"), passive=True).message_count == 0,
                what="an empty event queue",
            )
    finally:
        close_quietly(connection)
    database = stack.mongo("assignment")
    for name in ("assignments", "agents", "decisions", "teams", "channels", "notes", "erased"):
        database[name].delete_many({})
    database.ledger.update_one({}, {"$set": {"waiting": 0, "durations": []}, "$inc": {"teams": 1}})
    dead_letters.take("assignment")
    return Office(stack, rpc, announcer, collector)


@pytest.fixture
def second_replica(stack: Stack, office: Office, rpc: RpcClient) -> Iterator[ChildProcess]:
    """Another process of the service beside the shared one."""
    process = stack.start_service("assignment", instance="assignment-2")
    connection = connect(stack.settings.amqp_uri)
    try:
        with connection.channel() as channel:
            wait_until(
                lambda: channel.queue_declare(event_queue("assignment"), passive=True).consumer_count == 2,
                60,
                what="two replicas that consume",
            )
        wait_for_service(rpc, "assignment", process)
        yield process
    finally:
        close_quietly(connection)
        process.stop()
