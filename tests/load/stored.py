"""The proof that what was confirmed is stored: all of it, once, without a gap."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import orjson
from pymongo.database import Database

from deploy.local.waiting import wait_until
from tests.load.exchange import Exchange

FILING_SECONDS = 60.0


def check_stored(
    messaging: Database[dict[str, Any]], conversation_ids: Sequence[str], confirmed: Sequence[Exchange]
) -> list[str]:
    """Compare what was confirmed with what these conversations hold, once nothing of them is on its way any more."""
    on_the_way = {"_id": {"$in": list(conversation_ids)}, "outbox.0": {"$exists": True}}
    if not wait_until(lambda: messaging.conversations.count_documents(on_the_way) == 0, FILING_SECONDS):
        return [f"messages were not filed within {FILING_SECONDS:g} s"]
    stored = list(messaging.messages.find({"conversation_id": {"$in": list(conversation_ids)}}))
    return compare([orjson.loads(exchange.body) for exchange in confirmed], stored)


def compare(confirmed: Sequence[dict[str, Any]], stored: Sequence[dict[str, Any]]) -> list[str]:
    """Sentences on messages that were confirmed and aren't stored so, are stored twice, or leave a gap in their conversation."""
    known = {message["_id"]: message for message in stored}
    told = [message["id"] for message in confirmed]
    lost = [each for each in confirmed if not _agree(each, known.get(each["id"]))]
    keys = Counter(
        (message["conversation_id"], message["client_message_id"]) for message in stored if message["client_message_id"]
    )
    numbers: dict[str, list[int]] = defaultdict(list)
    for message in stored:
        numbers[message["conversation_id"]].append(message["seq"])
    gaps = [key for key, found in numbers.items() if sorted(found) != list(range(1, len(found) + 1))]
    faults = {
        "confirmed messages are not stored as they were told": len(lost),
        "messages are stored twice": sum(count - 1 for count in keys.values()),
        "messages were confirmed to two senders": len(told) - len(set(told)),
        "conversations are not numbered from 1 without a gap": len(gaps),
    }
    return [f"{count} {what}" for what, count in faults.items() if count]


def _agree(told: dict[str, Any], stored: dict[str, Any] | None) -> bool:
    return stored is not None and all(
        told[name] == stored[name] for name in ("conversation_id", "seq", "text", "client_message_id")
    )
