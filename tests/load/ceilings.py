"""What the bare broker and the bare database of the same machine need in the same minutes: no framework, no rules."""

import time
from dataclasses import dataclass
from typing import Any

import pymongo

from services.common.amqp import PERSISTENT, Outgoing, close_quietly, connect
from services.common.ids import new_id
from services.common.times import now
from tests.load.numbers import Summary, summarise
from tests.support.stack import Stack

BODY = b"x" * 600  # about an event's size
DATABASE = "load_ceiling"


@dataclass(frozen=True)
class Ceilings:
    """Seconds of one round trip (publish, consume, acknowledge) and of one transaction, one after the other."""

    round_trip: Summary
    transaction: Summary

    @property
    def floor(self) -> Summary:
        """One of each: less than this, nothing that tells of a stored decision can take."""
        first, second = self.round_trip, self.transaction
        return Summary(min(first.count, second.count), first.p50 + second.p50, first.p99 + second.p99, first.max + second.max)


def measure(stack: Stack, rounds: int) -> Ceilings:
    """Both, `rounds` times each, on the stack's own broker and database."""
    return Ceilings(measure_broker(stack, rounds), measure_database(stack, rounds))


def measure_broker(stack: Stack, rounds: int) -> Summary:
    """A persistent message to a durable queue, until another connection has it."""
    publishing, consuming = connect(stack.broker.uri()), connect(stack.broker.uri())
    try:
        sending, receiving = publishing.channel(), consuming.channel()
        queue = f"load-ceiling-{new_id()}"
        sending.queue_declare(queue, durable=True, auto_delete=False)
        arrived: list[Any] = []
        receiving.basic_consume(queue, callback=arrived.append)
        message = Outgoing("", queue, BODY, {"delivery_mode": PERSISTENT}).to_amqp()
        spans = []
        for _ in range(rounds):
            begin = time.perf_counter()
            sending.basic_publish(message, exchange="", routing_key=queue)
            while not arrived:
                consuming.drain_events(timeout=5)
            spans.append(time.perf_counter() - begin)
            receiving.basic_ack(arrived.pop().delivery_tag)
        sending.queue_delete(queue)
        return summarise(spans)
    finally:
        close_quietly(publishing)
        close_quietly(consuming)


def measure_database(stack: Stack, rounds: int) -> Summary:
    """A transaction that advances one document and inserts another, journaled by a majority: the least a turn could be."""
    client: pymongo.MongoClient[dict[str, Any]]
    client = pymongo.MongoClient(stack.database.uri, w="majority", journal=True, timeoutMS=10_000)
    try:
        database = client[DATABASE]
        database.ledger.update_one({"_id": "ledger"}, {"$set": {"turn": 0}}, upsert=True)
        database.decisions.insert_one({"_id": new_id()})
        spans = []
        with client.start_session() as session:
            for _ in range(rounds):
                begin = time.perf_counter()
                with session.start_transaction():
                    ledger = database.ledger.find_one_and_update({"_id": "ledger"}, {"$inc": {"turn": 1}}, session=session)
                    decision = {"_id": new_id(), "turn": (ledger or {}).get("turn"), "at": now(), "body": BODY}
                    database.decisions.insert_one(decision, session=session)
                spans.append(time.perf_counter() - begin)
        client.drop_database(DATABASE)
        return summarise(spans)
    finally:
        client.close()
