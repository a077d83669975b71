"""What `status` and `doctor` find out about the parts: replicas, queues, unsent events, members of the database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pymongo

from deploy.ops.context import Context
from deploy.ops.queues import measure
from deploy.ops.snapshot import PREFIX, has_outbox
from services.common.errors import DomainError
from services.common.times import now
from services.common.topology import dead_letter_queue, event_queue, rpc_queue

Document = dict[str, Any]

_ASK_SECONDS = 4.0


@dataclass
class ServiceFacts:
    """One service as it stands."""

    service: str
    replicas: int = 0
    instances: list[dict[str, Any]] = field(default_factory=list)
    calls_waiting: int | None = None
    events_waiting: int | None = None
    dead_letters: int | None = None
    unsent_documents: int | None = None
    oldest_unsent_seconds: float | None = None
    said: str | None = None


def ask_replicas(context: Context, service: str, replicas: int) -> tuple[list[dict[str, Any]], str | None]:
    """What each replica says of its health; they take the calls in turns. And what went wrong with the last call, if it did."""
    found: dict[str, dict[str, Any]] = {}
    failure = None
    for _ in range(2 * replicas + 1):
        try:
            health = context.rpc.call(service, "get_health", timeout=_ASK_SECONDS)
        except DomainError as error:
            failure = error.text
            break
        found[health.get("instance") or "?"] = health
        if len(found) >= replicas:
            break
    return [found[name] for name in sorted(found)], failure


def look_at_queues(context: Context, facts: ServiceFacts) -> None:
    """Note the depths of the service's queues, and its replicas."""
    calls = measure(context.broker, rpc_queue(facts.service))
    events = measure(context.broker, event_queue(facts.service))
    dead = measure(context.broker, dead_letter_queue(facts.service))
    facts.replicas = calls.consumers if calls else 0
    facts.calls_waiting = calls.messages if calls else None
    facts.events_waiting = events.messages if events else None
    facts.dead_letters = dead.messages if dead else None


def look_at_outboxes(client: "pymongo.MongoClient[Document]", facts: ServiceFacts) -> None:
    """Note how many documents carry events that were not sent, and the age of the oldest."""
    database = f"{PREFIX}{facts.service}"
    count, oldest = 0, None
    for name in _collections_with_outbox(client, database):
        waiting = {"outbox.0": {"$exists": True}}
        count += client[database][name].count_documents(waiting, hint="unsent")
        first = client[database][name].find_one(waiting, {"outbox": {"$slice": 1}}, sort=[("outbox.0.at", 1)])
        if first is not None and first["outbox"]:
            at: datetime = first["outbox"][0]["at"]
            oldest = at if oldest is None else min(oldest, at)
    facts.unsent_documents = count
    facts.oldest_unsent_seconds = None if oldest is None else max(0.0, (now() - oldest).total_seconds())


def look_at_members(client: "pymongo.MongoClient[Document]") -> list[dict[str, Any]]:
    """`{name, state, healthy, lag_seconds}` of each member of the replica set."""
    status = client.admin.command("replSetGetStatus")
    applied = [member["optimeDate"] for member in status["members"] if member["stateStr"] == "PRIMARY"]
    newest = max(applied, default=None)
    return [
        {
            "name": member["name"],
            "state": member["stateStr"],
            "healthy": bool(member.get("health")),
            "lag_seconds": _lag(newest, member),
        }
        for member in status["members"]
    ]


def _lag(newest: datetime | None, member: Document) -> float | None:
    if newest is None or member["stateStr"] not in ("PRIMARY", "SECONDARY"):
        return None
    applied: datetime = member["optimeDate"]
    return max(0.0, (newest - applied).total_seconds())


def _collections_with_outbox(client: "pymongo.MongoClient[Document]", database: str) -> Iterator[str]:
    for name in sorted(client[database].list_collection_names(filter={"type": "collection"})):
        if has_outbox(client, database, name):
            yield name
