"""The dead-letter queues: looked through without changing them, and emptied letter by letter so that none is ever lost."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import amqp
import orjson

from deploy.ops.context import Context
from deploy.ops.errors import Unusable, Wrong
from deploy.ops.letters import Letter
from deploy.ops.queues import held, measure, take
from services.common.amqp import BROKER_ERRORS, Publisher, Unroutable
from services.common.topology import SERVICES, dead_letter_queue

# Published, or written, together before they are taken away: what a killed command may double.
BATCH = 50

Settle = Callable[[Sequence[Letter]], None]


def services_of(service: str | None) -> Sequence[str]:
    """The one that was named, else all."""
    return (service,) if service else SERVICES


def count_letters(context: Context, service: str) -> int:
    """How many letters wait. Raises Unusable when the service has no such queue."""
    depth = measure(context.broker, dead_letter_queue(service))
    if depth is None:
        raise Unusable(f"There is no queue {dead_letter_queue(service)}.", "See: doctor")
    return depth.messages


def look_through(context: Context, service: str, limit: int | None = None) -> list[Letter]:
    """The oldest letters, which stay where they are."""
    return list(each_letter(context, service, limit))


def each_letter(context: Context, service: str, limit: int | None = None) -> Iterator[Letter]:
    """The letters that wait now, oldest first and one by one; they stay where they are, and are in hand until the last was given."""
    count = count_letters(context, service)
    with held(context.broker) as channel:
        for message in take(channel, dead_letter_queue(service), count if limit is None else limit):
            yield Letter.read(service, message)


def settle_letters(context: Context, service: str, settle: Settle, ids: Collection[str] | None) -> list[Letter]:
    """Have `settle` see to the letters with these ids (None: all that wait now), oldest first, and then take them away.

    A letter leaves its queue only after `settle` has returned, so one that is cut short may do it twice, and never loses any.
    Those that come back meanwhile, since they failed once more, are not taken again.
    """
    count = count_letters(context, service)
    settled: list[Letter] = []
    with held(context.broker) as channel:
        for batch in _batches(_matching(channel, service, count, ids)):
            settle([letter for letter, _ in batch])
            for letter, tag in batch:
                channel.basic_ack(tag)
                settled.append(letter)
    return settled


def replaying(publisher: Publisher) -> Settle:
    """Gives letters back to the queues of the services that put them aside."""

    def replay(letters: Sequence[Letter]) -> None:
        try:
            publisher.publish_confirmed([letter.to_replay() for letter in letters], mandatory=True)
        except Unroutable as error:
            raise Wrong(f"There is no queue for {error}; the letters stay where they are.", "See: doctor") from None
        except BROKER_ERRORS as error:
            raise Unusable(f"The broker did not take them: {error}; they stay where they are, and may be there twice.") from None

    return replay


@contextmanager
def writing(path: Path, option: str) -> Iterator[Settle]:
    """Appends letters to a file that its owner alone can read, a JSON object a line, and on the disk before it returns.

    The file is there once this is entered, and gone again if nothing came into it; `option` names another. Raises Unusable.
    """
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)
    except OSError as error:
        raise Unusable(
            f"{path} can't be written: {error.strerror}; nothing was changed.", f"Name another file: {option}"
        ) from None

    def write(letters: Sequence[Letter]) -> None:
        lines = b"".join(orjson.dumps(letter.record(), option=orjson.OPT_APPEND_NEWLINE) for letter in letters)
        try:
            # Without a buffer, a disk that is full may take a part.
            while lines:
                lines = lines[file.write(lines) :]
            os.fsync(file.fileno())
        except OSError as error:
            raise Unusable(
                f"{path} can't be written: {error.strerror}; these letters are still in their queues.",
                f"Name another file: {option}",
            ) from None

    with file:
        try:
            yield write
        finally:
            if not os.fstat(file.fileno()).st_size:
                path.unlink(missing_ok=True)


def _matching(channel: Any, service: str, count: int, ids: Collection[str] | None) -> Iterator[tuple[Letter, int]]:
    for message in take(channel, dead_letter_queue(service), count):
        letter = Letter.read(service, message)
        if ids is None or letter.id in ids:
            yield letter, _tag(message)


def _batches(found: Iterator[tuple[Letter, int]]) -> Iterator[list[tuple[Letter, int]]]:
    batch: list[tuple[Letter, int]] = []
    for each in found:
        batch.append(each)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _tag(message: amqp.Message) -> int:
    return int(message.delivery_info["delivery_tag"])
