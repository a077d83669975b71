"""A round in which all is well, small enough to be read, for tests that plant one fault in it."""

from collections.abc import Sequence

from tests.chaos.history import Arrival, Given, History, Noted, Said, Seen, Visit
from tests.chaos.stored import Assignment, Conversation, Message, Stored, Worker

TEXTS = [("bot", "What is your name?"), ("visitor", "Mia"), ("bot", "One moment."), ("agent", "Hello Mia")]


class Story:
    """One visitor, whom the bot asked for a name; one agent, who answered. `ada` and `ben` watch, and so does the visitor."""

    def __init__(self) -> None:
        self.history = History(clock=lambda: 0.0)
        self.stored = Stored()
        self.messages = [
            Message(f"m{seq}", seq, author, text, f"key{seq}" if author in ("visitor", "agent") else None)
            for seq, (author, text) in enumerate(TEXTS, 1)
        ]
        self._fill_history()
        self._fill_stored()
        self.mia = self._stream("mia", "contact", [arrival for arrival in self._events() if arrival.seq])
        self.ada = self._stream("ada", "", self._events())
        self.ben = self._stream("ben", "", self._events())

    def _fill_history(self) -> None:
        said = [message for message in self.messages if message.key]
        self.history.said = [Said("c1", each.id, each.seq, each.author, each.text, str(each.key)) for each in said]
        self.history.notes = [Noted("contact", "n1", "knows what she wants")]
        self.history.given = [Given("c1", "ada", "yours")]
        self.history.visits = [Visit("contact", "c1", "first visit")]
        self.history.collected = {("contact", "name"): "Mia"}
        self.history.availability = {"ada": "available"}
        self.history.begin_conversation("c1", "contact")

    def _fill_stored(self) -> None:
        stored = self.stored
        stored.messages = {"c1": list(self.messages)}
        stored.conversations = {"c1": Conversation("open", "agent", "ada", 4, "contact", "Mia", "desk")}
        stored.told = {"c1": [(each.seq, each.id, each.text) for each in self.messages]}
        stored.assignments = {"c1": Assignment("assigned", "ada")}
        worker = {"shown_connected": True, "shown_availability": "available"}
        stored.workers = {
            "ada": Worker(1, 2, shown_load=1, **worker),  # type: ignore[arg-type]
            "ben": Worker(0, 2, shown_load=0, **worker),  # type: ignore[arg-type]
        }
        stored.notes = {"knows what she wants": ["n1"]}
        stored.remarks.update(["yours"])
        stored.fields = {"contact": {"name": "Mia", "email": None}}
        stored.visitors = {"shop": (1, 1)}
        stored.unsent = {"messaging.conversations": 0}
        stored.waiting = {"events.messaging": 0}
        stored.dead = {"events.messaging.dead": []}

    def _events(self) -> list[Arrival]:
        shown = [Arrival("e", 10 + each.seq, "message.created", each.id, 0, "c1", each.seq, each.text) for each in self.messages]
        return [*shown, Arrival("e", 20, "conversation.assigned", "c1", 3, "c1")]

    def _stream(self, owner: str, contact_id: str, arrivals: Sequence[Arrival]) -> Seen:
        seen = self.history.open_stream(owner, contact_id)
        seen.began = ("e", 10)
        seen.arrivals = list(arrivals)
        return seen
