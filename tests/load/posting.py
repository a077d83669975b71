"""Messages that visitors and agents write at once, and that are compared afterwards with what is stored."""

import itertools
from collections.abc import Iterator, Sequence

from tests.load.exchange import Exchange, Load, request
from tests.load.lab import Talk, World
from tests.load.stored import check_stored
from tests.load.wire import Wire

TEXT = "Could you tell me when the order that I placed last week is going to be delivered? Number"


class Posting:
    """What was written into some conversations during one or several runs."""

    def __init__(self, world: World, talks: Sequence[Talk]) -> None:
        self._world = world
        self._talks = talks
        self._numbers = itertools.count(1)
        self._sent: list[Exchange] = []

    def run(self, wire: Wire, senders: int, seconds: float) -> Load:
        """Everybody writes the next message when the last is confirmed, each into a conversation of their own."""
        return self.noted(wire.closed([self._messages(self._talks[sender], sender) for sender in range(senders)], seconds))

    def request(self, talk: Talk, *, as_visitor: bool) -> bytes:
        """A message that differs from every other."""
        number = next(self._numbers)
        body = {"text": f"{TEXT} {number}.", "client_message_id": f"load-{number}"}
        if as_visitor:
            return request("POST", "/v1/widget/messages", token=talk.visitor_token, body=body)
        return request("POST", f"/v1/conversations/{talk.conversation_id}/messages", token=talk.agent_token, body=body)

    def noted(self, load: Load) -> Load:
        """Have the run's messages checked, too."""
        self._sent += load.exchanges
        return load

    def check(self) -> list[str]:
        """What should not have happened to the messages of all runs so far."""
        ids = [talk.conversation_id for talk in self._talks]
        return check_stored(
            self._world.product.mongo("messaging"), ids, [exchange for exchange in self._sent if not exchange.fault]
        )

    def _messages(self, talk: Talk, sender: int) -> Iterator[bytes]:
        """Every other sender is a visitor, the others are agents."""
        while True:
            yield self.request(talk, as_visitor=sender % 2 == 0)
