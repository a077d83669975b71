"""So many at once of each bare operation, one kind after the other, on the broker and the database that the product uses."""

import itertools
import select
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import amqp
import pymongo

from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from deploy.local.waiting import wait_until
from services.common.amqp import PERSISTENT
from services.common.ids import new_id
from services.common.times import now
from tests.load.bare.http import OPTIONS
from tests.load.bare.link import Link, linked
from tests.load.exchange import request
from tests.load.numbers import summarise
from tests.load.wire import Wire
from tests.support.stack import Stack

BODY = "x" * 600  # about a message's and its event's size
DATABASE = "load_bare"
STARTING_SECONDS = 20.0


@dataclass(frozen=True)
class Found:
    """So many a second, and the seconds that one takes."""

    rate: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Bare:
    """Each kind alone, with so many at once: nothing that needs one of each can be faster than all of them after another."""

    senders: int
    http: Found
    rpc: Found
    inserts: Found
    broker: Found

    @property
    def together(self) -> Found:
        """One of each, one kind after the other on the same processors."""
        kinds = (self.http, self.rpc, self.inserts, self.broker)
        return Found(1 / sum(1 / each.rate for each in kinds), sum(each.p50 for each in kinds), sum(each.p99 for each in kinds))


def measure_bare(stack: Stack, senders: int, seconds: float) -> Bare:
    """All four, each for so many seconds; the product should be idle."""
    return Bare(
        senders,
        measure_http(stack, senders, seconds),
        measure_rpc(stack, senders, seconds),
        measure_inserts(stack, senders, seconds),
        measure_broker(stack, senders, seconds),
    )


def measure_http(stack: Stack, senders: int, seconds: float) -> Found:
    """POST to a bare Flask and its answer, over the same wire as the product's."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", *OPTIONS, "-b", f"127.0.0.1:{port}", "tests.load.bare.http:application"]
    with _running(stack, "bare-http", command):
        wire = Wire(f"http://127.0.0.1:{port}", senders)
        asked = itertools.repeat(request("POST", "/echo", body={"text": BODY}))
        try:
            if not wait_until(lambda: not wire.closed([iter([next(asked)])], 1).faults, STARTING_SECONDS):
                raise RuntimeError("the bare HTTP server did not answer")
            wire.closed([asked] * senders, seconds / 4)
            load = wire.closed([asked] * senders, seconds)
        finally:
            wire.close()
    return _found(load.latencies, load.seconds)


def measure_rpc(stack: Stack, senders: int, seconds: float) -> Found:
    """A message to another process's queue until its answer is here; persistent, acknowledged, unconfirmed, as calls are."""
    queue = f"load-bare-{new_id()}"
    command = [sys.executable, "-m", "tests.load.bare.rpc", str(stack.broker.port), queue]
    with _deleting(stack, queue), _running(stack, "bare-rpc", command), linked(stack.broker.port) as connection:
        channel = connection.channel()
        replies = channel.queue_declare("", exclusive=True).queue
        if not wait_until(lambda: _consumers(stack, queue) == 1, STARTING_SECONDS):
            raise RuntimeError("the bare responder did not start")
        begun: dict[str, float] = {}
        spans: list[float] = []

        def ask() -> None:
            key = new_id()
            begun[key] = time.perf_counter()
            asked = amqp.Message(BODY, delivery_mode=PERSISTENT, reply_to=replies, correlation_id=key)
            channel.basic_publish(asked, exchange="", routing_key=queue)

        def take(reply: amqp.Message) -> None:
            spans.append(time.perf_counter() - begun.pop(reply.properties["correlation_id"]))
            ask()

        channel.basic_consume(replies, callback=take, no_ack=True)
        for _ in range(senders):
            ask()
        _drain([connection], seconds / 4)
        spans.clear()
        spent = _drain([connection], seconds)
    return _found(spans, spent)


def measure_broker(stack: Stack, senders: int, seconds: float) -> Found:
    """A persistent message to a durable queue until the broker has confirmed it and another connection has it and acknowledged it."""
    queue = f"load-bare-{new_id()}"
    with _deleting(stack, queue), linked(stack.broker.port) as publishing, linked(stack.broker.port) as consuming:
        sending, receiving = publishing.channel(), consuming.channel()
        sending.queue_declare(queue, durable=True, auto_delete=False)
        sending.confirm_select()
        begun: dict[int, float] = {}
        unconfirmed: dict[int, None] = {}
        unconsumed: dict[int, None] = {}
        spans: list[float] = []
        published, consumed = itertools.count(1), itertools.count(1)  # as the broker counts; one consumer gets them in order
        message = amqp.Message(BODY, delivery_mode=PERSISTENT)

        def publish() -> None:
            number = next(published)
            begun[number] = time.perf_counter()
            unconfirmed[number] = unconsumed[number] = None
            sending.basic_publish(message, exchange="", routing_key=queue)

        def settle(number: int, open_ones: dict[int, None]) -> None:
            del open_ones[number]
            if number not in unconfirmed and number not in unconsumed:
                spans.append(time.perf_counter() - begun.pop(number))
                publish()

        def confirm(number: int, multiple: bool) -> None:
            for each in [key for key in unconfirmed if key <= number] if multiple else [number]:
                settle(each, unconfirmed)

        def take(arrived: amqp.Message) -> None:
            receiving.basic_ack(arrived.delivery_tag)
            settle(next(consumed), unconsumed)

        sending.events["basic_ack"].add(confirm)
        receiving.basic_consume(queue, callback=take)
        for _ in range(senders):
            publish()
        _drain([publishing, consuming], seconds / 4)
        spans.clear()
        spent = _drain([publishing, consuming], seconds)
    return _found(spans, spent)


def measure_inserts(stack: Stack, writers: int, seconds: float) -> Found:
    """Documents inserted by so many writers, each journaled by a majority before the next."""
    client: pymongo.MongoClient[dict[str, Any]]
    client = pymongo.MongoClient(stack.database.uri, w="majority", journal=True, timeoutMS=10_000, maxPoolSize=writers)
    collection = client[DATABASE].messages
    spans: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds * 1.25

    def write() -> None:
        while (begun := time.perf_counter()) < end:
            collection.insert_one({"_id": new_id(), "created_at": now(), "text": BODY})
            spans.append((begun, time.perf_counter()))

    try:
        collection.insert_one({"_id": new_id()})
        threads = [threading.Thread(target=write) for _ in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.drop_database(DATABASE)
    finally:
        client.close()
    return _found([after - before for before, after in spans if end - seconds <= after <= end], seconds)


def _drain(connections: list[Link], seconds: float) -> float:
    """Handle what comes for so long; the seconds that it was. py-amqp reads no further than a frame, so sockets tell what is there."""
    by_socket = {connection.transport.sock: connection for connection in connections}
    began = time.perf_counter()
    while (left := began + seconds - time.perf_counter()) > 0:
        for sock in select.select(list(by_socket), [], [], left)[0]:
            by_socket[sock].drain_events(timeout=5)
    return time.perf_counter() - began


def _found(spans: list[float], seconds: float) -> Found:
    if not spans:
        raise RuntimeError("a bare operation never ended, so there is no ceiling")
    summary = summarise(spans)
    return Found(len(spans) / seconds, summary.p50, summary.p99)


def _consumers(stack: Stack, queue: str) -> int:
    with linked(stack.broker.port) as connection:
        try:
            return int(connection.channel().queue_declare(queue, passive=True).consumer_count)
        except amqp.NotFound:
            return 0


@contextmanager
def _deleting(stack: Stack, queue: str) -> Iterator[None]:
    """Delete the queue when nobody consumes it any more, for whom it would be a failure."""
    try:
        yield
    finally:
        with linked(stack.broker.port) as connection:
            connection.channel().queue_delete(queue)


@contextmanager
def _running(stack: Stack, name: str, command: list[str]) -> Iterator[None]:
    process = ChildProcess(name, command, environment=stack.environment, log_path=stack.folder / f"{name}.log")
    process.start()
    try:
        yield
    finally:
        process.stop()
