"""What every dialogue of a run sent, stored and showed, and the verdict on it. Pure: no network, no clock."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from deploy.replay.dialogues import Dialogue, Turn
from deploy.replay.inbox import Arrival


@dataclass(frozen=True)
class Posted:
    """A turn that the gateway accepted, and who was to see it arrive; `at` as Arrival's."""

    turn: Turn
    message_id: str
    seq: int
    client_message_id: str
    reader: str
    at: float


@dataclass
class Record:
    """One dialogue's book, kept while it is played."""

    dialogue: Dialogue
    conversation_id: str = ""
    answers: list[Posted] = field(default_factory=list)  # what the visitor told the bot
    turns: list[Posted] = field(default_factory=list)
    stored: list[dict[str, Any]] | None = None
    seen: dict[str, list[Arrival]] = field(default_factory=dict)  # by reader, in the order of the stream
    fetched: dict[str, int] = field(default_factory=dict)  # by reader: what was fetched when the stream began
    error: str | None = None
    finished: bool = False


@dataclass
class Verdict:
    """What is wrong with one dialogue; nothing, when `reasons` is empty."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    reasons: list[str] = field(default_factory=list)

    def count(self, kind: str, amount: int, where: str) -> None:
        """Add `amount` losses, doubles or displacements, if there are any, with a reason."""
        if amount:
            setattr(self, kind, getattr(self, kind) + amount)
            self.reasons.append(f"{amount} {kind.replace('_', ' ')} {where}")


def judge(record: Record) -> Verdict:
    """Compare the stored transcript with the input, and every stream with the stored transcript."""
    verdict = Verdict(reasons=[record.error] if record.error else [])
    if record.stored is None:
        if not record.error:
            verdict.reasons.append("the stored transcript was not read")
        return verdict
    _judge_transcript(record, record.stored, verdict)
    for reader in record.seen:
        _judge_stream(record, record.stored, reader, verdict)
    return verdict


def measure_latencies(record: Record) -> list[float]:
    """Seconds from a turn's post to its arrival on the other side's stream, for those that arrived."""
    first_seen: dict[tuple[str, str], float] = {}
    for reader, arrivals in record.seen.items():
        for arrival in arrivals:
            if arrival.name == "message.created":
                first_seen.setdefault((reader, arrival.data.get("id", "")), arrival.at)
    seen = [(posted.at, first_seen.get((posted.reader, posted.message_id))) for posted in record.turns]
    return [at - posted_at for posted_at, at in seen if at is not None]


def _judge_transcript(record: Record, stored: list[dict[str, Any]], verdict: Verdict) -> None:
    where = "in the stored transcript"
    numbers = [message["seq"] for message in stored]
    if numbers != list(range(1, len(numbers) + 1)):
        verdict.reasons.append(f"the transcript is not numbered 1 to {len(numbers)}: {_shorten(numbers)}")
    place = {message["id"]: position for position, message in enumerate(stored)}
    accepted = record.answers + record.turns
    verdict.count("lost", sum(posted.message_id not in place for posted in accepted), where)
    sent_ids = Counter(message.get("client_message_id") for message in stored)
    verdict.count("doubled", sum(max(0, sent_ids[posted.client_message_id] - 1) for posted in accepted), where)
    places = [place[posted.message_id] for posted in accepted if posted.message_id in place]
    verdict.count("out_of_order", _count_displaced(places), where)

    expected = [posted.turn for posted in record.answers] + list(record.dialogue.turns)
    turns = [Turn(message["author"]["kind"], message["text"]) for message in stored]
    said = [turn for turn in turns if turn.side in ("visitor", "agent")]
    if said != expected:
        verdict.reasons.append(_describe_difference(expected, said, len(record.answers)))


def _judge_stream(record: Record, stored: list[dict[str, Any]], reader: str, verdict: Verdict) -> None:
    where, arrivals, fetched = f"on the stream of {reader}", record.seen[reader], record.fetched.get(reader, 0)
    # What follows a failure (its archiving at least) is stored and shown after the transcript was read.
    complete = record.error is None
    shown = Counter(arrival.seq for arrival in arrivals if arrival.seq is not None)
    by_seq = {message["seq"]: message for message in stored}
    verdict.count("lost", sum(seq > fetched and seq not in shown for seq in by_seq), where)
    verdict.count("doubled", sum(times - 1 for times in shown.values()), where)
    verdict.count("out_of_order", _count_displaced(list(shown)), where)
    for arrival in arrivals:
        if arrival.seq is None or not (complete or arrival.seq in by_seq):
            continue
        if _name_message(by_seq.get(arrival.seq)) != _name_message(arrival.data):
            verdict.reasons.append(f"message {arrival.seq} {where} is not the stored one")
    # Conversations' other events can't be foretold, but none may come twice, and the archiving must come once.
    events = Counter((arrival.name, arrival.event_id) for arrival in arrivals if arrival.seq is None and arrival.event_id)
    archived = sum(arrival.name == "conversation.archived" for arrival in arrivals)
    repeated = sum(times - 1 for (name, _), times in events.items() if name != "conversation.archived")
    verdict.count("lost", int(complete and not archived), f"{where} (conversation.archived)")
    verdict.count("doubled", max(0, archived - 1) + repeated, f"{where} (conversation events)")


def _name_message(message: dict[str, Any] | None) -> tuple[Any, ...]:
    return (None,) if message is None else (message.get("id"), message.get("author", {}).get("kind"), message.get("text"))


def _count_displaced(numbers: list[int]) -> int:
    """How many come after a greater one."""
    displaced, greatest = 0, -1
    for number in numbers:
        displaced += number < greatest
        greatest = max(greatest, number)
    return displaced


def _describe_difference(expected: list[Turn], said: list[Turn], answers: int) -> str:
    for number, (want, have) in enumerate(zip(expected, said, strict=False), start=1):
        if want != have:
            which = f"turn {number - answers}" if number > answers else f"the visitor's answer {number} to the bot"
            return f"{which} should be {_quote(want)}, but {_quote(have)} is stored"
    return f"{len(said) - answers} turns are stored instead of {len(expected) - answers}"


def _quote(turn: Turn) -> str:
    text = turn.text if len(turn.text) <= 60 else f"{turn.text[:57]}..."
    return f"{turn.side}: {text!r}"


def _shorten(numbers: list[int]) -> str:
    text = ", ".join(map(str, numbers))
    return text if len(text) <= 80 else f"{text[:77]}..."
