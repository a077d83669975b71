"""Many conversations at once: copies of one that was really had, put where the services keep theirs.

Made by the API a hundred thousand of them would take an hour. A copy differs from what the API makes in ids, names, words and
times alone: its visitor can go on with it, and agents find it, as any other.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any, Self

import pymongo
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from services.common.ids import new_id
from services.common.times import to_wire
from services.messaging.message_store import MessageStore
from tests.support.product import Product

BATCH = 2_000  # messages at once
MANY = 1_000  # conversations
STALLED_MS = 300_000  # the database makes writers wait for its disk, and an index over a million messages takes its time
INSERTING = 3  # threads: the database takes more than one of them gives
APART = timedelta(seconds=20)  # between two conversations' last messages
PACE = timedelta(seconds=40)  # between two messages of one
PREVIEW = 120
NAMES = ("Teal Otter", "Amber Heron", "Mia Lund", "Crimson Lynx", "José Muñoz", "Indigo Marten", "王小明", "Olive Ibis")
SEED = 20261130
SYLLABLES = ("ka", "lo", "mi", "ner", "po", "ra", "sto", "tu", "vel", "wi")
# Words that occur as words do: a few often, most of them seldom (Zipf).
WORDS = [f"{first}{second}{third}" for third in ("", *SYLLABLES, "n", "s") for first in SYLLABLES for second in SYLLABLES]
COMMONNESS = list(accumulate(1 / rank for rank in range(1, len(WORDS) + 1)))
# What is lost with the machine is measured by nobody.
LOOSE = WriteConcern(w=1, j=False)

Document = dict[str, Any]


@dataclass(frozen=True)
class Copy:
    """One of the crowd."""

    conversation_id: str
    contact_id: str


@dataclass(frozen=True)
class Shape:
    """What the copies are: each with so many messages (0: as many as the original), every so manyth given to an agent."""

    messages: int = 0
    owner: Document | None = None  # {id, name}
    owned_every: int = 10


def multiply(product: Product, conversation_id: str, count: int, shape: Shape | None = None, *, first: int = 1) -> list[Copy]:
    """`count` copies of a conversation, of its contact and its messages, each a little older than the one before.

    They are numbered from `first` on; who comes a second time goes on where the first time ended.
    """
    shape = shape or Shape()
    client: pymongo.MongoClient[Document]
    with pymongo.MongoClient(product.database.uri, tz_aware=True, timeoutMS=STALLED_MS) as client:
        messaging: Database[Document] = client["foyer_messaging"]
        contacts: Database[Document] = client["foyer_contacts"]
        original = _Original.read(messaging, contacts, conversation_id)
        with _unsearched(messaging) if count >= MANY else nullcontext():
            return _insert_copies(messaging, contacts, original, shape, range(first, first + count))


def _insert_copies(
    messaging: Database[Document], contacts: Database[Document], original: "_Original", shape: Shape, all_numbers: range
) -> list[Copy]:
    step = max(1, BATCH // (shape.messages or len(original.messages)))

    def insert(numbers: range) -> list[Copy]:
        maker = _Maker(original, shape, Random(SEED + numbers.start))
        copies = [maker.make(number) for number in numbers]
        _insert(contacts, "contacts", [copy["contact"] for copy in copies])
        _insert(messaging, "contacts", [copy["known"] for copy in copies])
        _insert(messaging, "visitors", [copy["visitor"] for copy in copies if copy["visitor"]])
        _insert(messaging, "messages", [message for copy in copies for message in copy["messages"]])
        _insert(messaging, "conversations", [copy["conversation"] for copy in copies])
        return [Copy(copy["conversation"]["_id"], copy["contact"]["_id"]) for copy in copies]

    batches = [all_numbers[start : start + step] for start in range(0, len(all_numbers), step)]
    with ThreadPoolExecutor(INSERTING) as pool:
        return [copy for made in pool.map(insert, batches) for copy in made]


@dataclass(frozen=True)
class _Original:
    conversation: Document
    contact: Document
    known: Document  # the contact as messaging knows it
    visitor: Document | None  # there is none of one who never wrote
    messages: list[Document]

    @classmethod
    def read(cls, messaging: Database[Document], contacts: Database[Document], conversation_id: str) -> Self:
        conversation = _one(messaging.conversations, conversation_id)
        contact_id = conversation["contact"]["id"]
        return cls(
            conversation,
            _one(contacts.contacts, contact_id),
            _one(messaging.contacts, contact_id),
            messaging.visitors.find_one({"_id": contact_id}),
            list(messaging.messages.find({"conversation_id": conversation_id}).sort("seq", 1)),
        )


class _Maker:
    def __init__(self, original: _Original, shape: Shape, random: Random) -> None:
        self._original = original
        self._shape = shape
        self._random = random
        self._length = shape.messages or len(original.messages)

    def make(self, number: int) -> dict[str, Any]:
        original, shape = self._original, self._shape
        contact_id, thread, name = new_id(), new_id(), f"{NAMES[number % len(NAMES)]} {number}"
        end: datetime = original.conversation["active_at"] - APART * number
        messages = list(self._messages(thread, {"kind": "visitor", "id": contact_id, "name": name}, end))
        last = messages[-1]
        conversation = original.conversation | {
            "_id": thread,
            "contact": {"id": contact_id, "name": name},
            "created_at": end - PACE * self._length,
            "active_at": end,
            "last_message": {"seq": last["seq"], "author": last["author"], "preview": last["text"][:PREVIEW], "created_at": end},
            "last_seq": last["seq"],
        }
        if shape.owner is not None and number % shape.owned_every == 0:
            conversation |= {"handler": "agent", "assignee": shape.owner, "queue": None}
        return {
            "conversation": conversation,
            "contact": original.contact | {"_id": contact_id, "name": name, "words": name.casefold().split()},
            "known": original.known | {"_id": contact_id, "name": name},
            "visitor": original.visitor and original.visitor | {"_id": contact_id},
            "messages": messages,
        }

    def _messages(self, thread: str, visitor: Document, end: datetime) -> Iterator[Document]:
        for seq in range(1, self._length + 1):
            said = self._original.messages[(seq - 1) % len(self._original.messages)]
            yield said | {
                "_id": new_id(),
                "conversation_id": thread,
                "seq": seq,
                "author": visitor if said["author"]["kind"] == "visitor" else said["author"],
                "text": self._sentence(),
                "choices": None,
                "created_at": to_wire(end - PACE * (self._length - seq)),
                "client_message_id": new_id() if said["client_message_id"] else None,
            }

    def _sentence(self) -> str:
        words = self._random.choices(WORDS, cum_weights=COMMONNESS, k=self._random.randint(3, 14))
        return " ".join(words).capitalize() + "."


@contextmanager
def _unsearched(messaging: Database[Document]) -> Iterator[None]:
    """Without the index of the messages' words meanwhile: built at once at the end, it costs a quarter of what it costs bit by bit."""
    name = next(name for name, index in messaging.messages.index_information().items() if "weights" in index)
    messaging.messages.drop_index(name)
    yield
    messaging.messages.create_indexes(list(MessageStore.indexes["messages"]))


def _insert(database: Database[Document], collection: str, documents: list[Document]) -> None:
    if documents:
        database.get_collection(collection, write_concern=LOOSE).insert_many(documents, ordered=False)


def _one(collection: Any, key: str) -> Document:
    found: Document | None = collection.find_one({"_id": key})
    if found is None:
        raise LookupError(f"nothing in {collection.name} is {key}")
    return found
