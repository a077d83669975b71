"""
The verdict on a round: what clients were told, against what is stored, against what every stream saw. Pure: no network, no clock.

| kind | means |
|---|---|
| lost | confirmed by 2xx, but not stored, or stored as something else |
| doubled | stored or shown twice: a message, a bot's turn, a note, a decision, an event |
| gap | a number missing in a conversation, or an event missing on a stream that was entitled to it, without a `reset` |
| misordered | a stream that goes back, or shows what it must not |
| stuck | work that nobody does any more: an event unsent, a queue that is not empty, a bot or a line that does not go on, parts that disagree |
| refused | an answer that no client should get |
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from tests.chaos.checks.desk import check_desk
from tests.chaos.checks.streams import check_streams
from tests.chaos.history import History, Said
from tests.chaos.stored import Message, Stored
from tests.chaos.violation import Violation

# Whose texts are said once in a conversation: the flows that the visitors go through have no loops, and a question that is not
# understood is not asked again here.
ONCE = frozenset({"bot", "visitor", "agent"})


def check(history: History, stored: Stored, *, resets_allowed: bool = False) -> list[Violation]:
    """Everything that is wrong, in a stable order; nothing when all is well."""
    return [
        *check_messages(history.said, stored),
        *_check_transcripts(stored),
        *_check_notes(history, stored),
        *_check_decisions(history, stored),
        *_check_visits(history, stored),
        *_check_archived(history, stored),
        *_check_fields(history, stored),
        *check_streams(history.streams, stored, resets_allowed=resets_allowed),
        *_check_bots(stored),
        *check_desk(history, stored),
        *_check_remains(stored),
        *(Violation("refused", "answers", sentence) for sentence in history.wrong),
    ]


def check_messages(said: Iterable[Said], stored: Stored) -> Iterator[Violation]:
    """Every confirmed message is stored as it was confirmed, and once."""
    keys = Counter(message.key for messages in stored.messages.values() for message in messages if message.key)
    for each in said:
        where = f"conversation {each.conversation_id}"
        found = {message.id: message for message in stored.messages.get(each.conversation_id, [])}.get(each.message_id)
        if found is None:
            yield Violation(
                "lost", where, f"{each.author} was told that {each.text!r} is message {each.message_id}, seq {each.seq}"
            )
        elif (found.seq, found.text, found.key, found.author) != (each.seq, each.text, each.key, each.author):
            yield Violation("lost", where, f"{each} is stored as {found}")
        if keys[each.key] > 1:
            yield Violation("doubled", where, f"{keys[each.key]} messages have the client_message_id of {each}")


def _check_transcripts(stored: Stored) -> Iterator[Violation]:
    for conversation_id, messages in stored.messages.items():
        where = f"conversation {conversation_id}"
        numbers = [message.seq for message in messages]
        if numbers != list(range(1, len(numbers) + 1)):
            yield Violation("gap", where, f"its messages are numbered {numbers}")
        conversation = stored.conversations.get(conversation_id)
        if conversation is None:
            yield Violation("lost", where, "it has messages, but is not there")
        elif conversation.last_seq != len(messages):
            yield Violation("lost", where, f"its last_seq is {conversation.last_seq}, stored are {len(messages)} messages")
        turns = Counter((message.author, message.text) for message in messages if message.author in ONCE)
        for (author, text), times in turns.items():
            if times > 1:
                yield Violation("doubled", where, f"{author} says {text!r} {times} times: {_transcript(messages)}")
        if (told := stored.told.get(conversation_id)) is not None and told != [(m.seq, m.id, m.text) for m in messages]:
            yield Violation("lost", where, f"the API answers {told}, stored is {_transcript(messages)}")


def _check_notes(history: History, stored: Stored) -> Iterator[Violation]:
    for note in history.notes:
        ids = stored.notes.get(note.text, [])
        if note.note_id not in ids:
            yield Violation(
                "lost",
                f"contact {note.contact_id}",
                f"the note {note.note_id}, {note.text!r}, is not there; of its text are {ids}",
            )
        if len(ids) > 1:
            yield Violation("doubled", f"contact {note.contact_id}", f"{note.text!r} was noted {len(ids)} times: {ids}")


def _check_decisions(history: History, stored: Stored) -> Iterator[Violation]:
    for given in history.given:
        times = stored.remarks[given.remark]
        if times != 1:
            what = f"the transfer to agent {given.agent_id} ({given.remark!r}) was recorded {times} times"
            yield Violation("doubled" if times else "lost", f"conversation {given.conversation_id}", what)


def _check_visits(history: History, stored: Stored) -> Iterator[Violation]:
    made: defaultdict[str, set[str]] = defaultdict(set)
    for visit in history.visits:
        made[visit.key].add(visit.contact_id)
        conversation = stored.conversations.get(visit.conversation_id)
        if conversation is None or conversation.contact_id != visit.contact_id or visit.contact_id not in stored.fields:
            yield Violation("lost", f"conversation {visit.conversation_id}", f"{visit} is stored as {conversation}")
    for key, contacts in made.items():
        if len(contacts) > 1:
            yield Violation("doubled", "sessions", f"the session of the key {key} made {sorted(contacts)}")
    opened = Counter(each.contact_id for each in stored.conversations.values() if each.status == "open")
    for contact_id, count in opened.items():
        if count > 1:
            yield Violation("doubled", f"contact {contact_id}", f"{count} conversations are open")


def _check_archived(history: History, stored: Stored) -> Iterator[Violation]:
    for conversation_id in sorted(history.archived):
        conversation = stored.conversations.get(conversation_id)
        if conversation is None or conversation.status != "archived":
            yield Violation("lost", f"conversation {conversation_id}", f"it was archived, but is {conversation}")


def _check_fields(history: History, stored: Stored) -> Iterator[Violation]:
    """What the bot was told is on the profile, and the name in every conversation of the contact."""
    for (contact_id, name), value in history.collected.items():
        found = stored.fields.get(contact_id, {}).get(name)
        if found != value:
            yield Violation("stuck", f"contact {contact_id}", f"its {name} is {found!r}, the bot was told {value!r}")
    for conversation_id, conversation in stored.conversations.items():
        known = stored.fields.get(conversation.contact_id, {}).get("name")
        if known is not None and known != conversation.contact_name:
            what = f"it shows {conversation.contact_name!r}, the contact's name is {known!r}"
            yield Violation("stuck", f"conversation {conversation_id}", what)


def _check_bots(stored: Stored) -> Iterator[Violation]:
    for conversation_id, conversation in stored.conversations.items():
        messages = stored.messages.get(conversation_id, [])
        if conversation.status != "open" or conversation.handler != "bot" or not messages:
            continue
        if conversation.sleeping:
            yield Violation(
                "stuck", f"conversation {conversation_id}", f"the flow sleeps at {conversation.block} and nobody wakes it"
            )
        elif messages[-1].author == "visitor" and conversation.block is not None and not conversation.left_line:
            what = f"the bot at {conversation.block} did not answer: {_transcript(messages)}"
            yield Violation("stuck", f"conversation {conversation_id}", what)


def _check_remains(stored: Stored) -> Iterator[Violation]:
    for name, count in stored.unsent.items():
        if count:
            yield Violation("stuck", f"outbox of {name}", f"{count} documents have events that have not left them")
    for name, count in stored.waiting.items():
        if count:
            yield Violation("stuck", f"queue {name}", f"{count} messages wait")
    for name, letters in stored.dead.items():
        for letter in letters:
            yield Violation("stuck", f"queue {name}", f"a dead letter: {letter}")
    for channel_id, (counted, there) in stored.visitors.items():
        if counted != there:
            yield Violation("stuck", f"channel {channel_id}", f"{counted} visitors are counted, {there} have talked")


def _transcript(messages: Iterable[Message]) -> str:
    return " / ".join(f"{message.seq} {message.author}: {message.text}" for message in messages)
