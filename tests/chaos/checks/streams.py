"""Every stream against what is stored, and agents' streams, which are all shown the same, against one another. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tests.chaos.history import Arrival, Seen
from tests.chaos.stored import Message, Stored
from tests.chaos.violation import Violation

SHOWN = 8  # of a long list of events


def check_streams(streams: Sequence[Seen], stored: Stored, *, resets_allowed: bool) -> Iterator[Violation]:
    """Violations of all streams of a round."""
    for seen in streams:
        yield from _check_order(seen)
        if seen.resets and not resets_allowed:
            yield Violation(
                "gap", f"stream of {seen.owner}", f"it was told {seen.resets} times to begin anew, though the log was not lost"
            )
        yield from _check_messages(seen, stored)
        yield from _check_privacy(seen, stored)
    yield from _check_against_others([seen for seen in streams if not seen.contact_id])


def _check_order(seen: Seen) -> Iterator[Violation]:
    """Within an epoch offsets grow, and nothing is told twice."""
    before: Arrival | None = None
    for arrival in seen.arrivals:
        if before is not None and arrival.epoch == before.epoch and arrival.offset < before.offset:
            yield Violation("misordered", f"stream of {seen.owner}", f"{arrival} came after {before}")
        before = arrival
    for (epoch, offset), times in Counter((each.epoch, each.offset) for each in seen.arrivals).items():
        if times > 1:
            yield Violation("doubled", f"stream of {seen.owner}", f"{epoch}-{offset} came {times} times")
    versions = Counter((each.name, each.entity_id, each.version) for each in seen.arrivals if each.version and not each.seq)
    for (name, entity_id, version), times in versions.items():
        if times > 1:
            yield Violation("doubled", f"stream of {seen.owner}", f"{name} of {entity_id}, version {version}, came {times} times")


def _check_messages(seen: Seen, stored: Stored) -> Iterator[Violation]:
    where = f"stream of {seen.owner}"
    shown: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in seen.arrivals:
        if arrival.name == "message.created":
            shown[arrival.conversation_id].append(arrival)
    for conversation_id, arrivals in shown.items():
        numbers = [arrival.seq for arrival in arrivals]
        if len(set(numbers)) < len(numbers):
            yield Violation("doubled", where, f"conversation {conversation_id} was shown as {numbers}")
        elif numbers != sorted(numbers):
            yield Violation("misordered", where, f"conversation {conversation_id} was shown as {numbers}")
    for conversation_id, messages in stored.messages.items():
        if not _concerns(seen, stored, conversation_id):
            continue
        by_seq = {arrival.seq: arrival for arrival in shown.get(conversation_id, [])}
        missing = [
            message.seq for message in messages if message.seq > seen.known.get(conversation_id, 0) and message.seq not in by_seq
        ]
        if missing and not seen.closed:
            what = f"conversation {conversation_id}: {missing} of {len(messages)} never came (known otherwise: {seen.known.get(conversation_id, 0)})"
            yield Violation("gap", where, what)
        yield from _check_same(where, by_seq, messages)


def _check_same(where: str, by_seq: dict[int, Arrival], messages: Iterable[Message]) -> Iterator[Violation]:
    stored = {message.seq: message for message in messages}
    for seq, arrival in by_seq.items():
        message = stored.get(seq)
        if message is None or (message.id, message.text) != (arrival.entity_id, arrival.text):
            yield Violation("lost", where, f"it was shown {arrival}, stored is {message}")


def _concerns(seen: Seen, stored: Stored, conversation_id: str) -> bool:
    conversation = stored.conversations.get(conversation_id)
    return not seen.contact_id or (conversation is not None and conversation.contact_id == seen.contact_id)


def _check_privacy(seen: Seen, stored: Stored) -> Iterator[Violation]:
    if not seen.contact_id:
        return
    for arrival in seen.arrivals:
        conversation = stored.conversations.get(arrival.conversation_id)
        if conversation is not None and conversation.contact_id != seen.contact_id:
            yield Violation("misordered", f"stream of {seen.owner}", f"it was shown another visitor's {arrival}")


def _check_against_others(streams: Sequence[Seen]) -> Iterator[Violation]:
    """What one agent was shown, each of them must have been shown, from where their streams began."""
    everything = {(each.epoch, each.offset): each for seen in streams for each in seen.arrivals}
    for seen in streams:
        if seen.resets or seen.closed:
            continue
        own = {(each.epoch, each.offset) for each in seen.arrivals}
        missing = [everything[at] for at in sorted(everything.keys() - own) if _owed(seen, at)]
        if missing:
            shown = ", ".join(f"{each.epoch}-{each.offset} {each.name} {each.entity_id}" for each in missing[:SHOWN])
            yield Violation("gap", f"stream of {seen.owner}", f"{len(missing)} events that others got never came: {shown}")


def _owed(seen: Seen, at: tuple[str, int]) -> bool:
    return at[0] == seen.began[0] and at[1] > seen.began[1]
