"""What a gateway remembers of the log: the recent entries, ready to be sent again, and the ids of events it has seen."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator

from gateway.streams.entries import Entry

_COMPACT = 1_000


class Recent:
    """The entries after `floor`, without gaps, bounded by count and bytes; `floor` rises as old ones leave."""

    def __init__(self, floor: int, *, count: int, size: int) -> None:
        self.floor = floor
        self._count = count
        self._size = size
        self._used = 0
        self._head = 0
        self._entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self._entries) - self._head

    def append(self, entry: Entry) -> None:
        """Add the next entry; the oldest leave when there are too many or too large ones."""
        self._entries.append(entry)
        self._used += entry.cost
        while len(self) > self._count or (self._used > self._size and len(self) > 1):
            oldest = self._entries[self._head]
            self._head += 1
            self._used -= oldest.cost
            self.floor = oldest.offset
            if self._head >= _COMPACT:
                del self._entries[: self._head]
                self._head = 0

    def reaches(self, offset: int) -> bool:
        """Whether everything after `offset` is here."""
        return offset >= self.floor

    def after(self, offset: int) -> Iterator[Entry]:
        """The entries after `offset`, in order."""
        start = bisect_right(self._entries, offset, lo=self._head, key=lambda entry: entry.offset)
        for index in range(start, len(self._entries)):
            yield self._entries[index]


class Seen:
    """The last event ids with the offset of their first appearance: the log may hold an event twice (a relay's crash)."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._offsets: OrderedDict[str, int] = OrderedDict()

    def add(self, event_id: str, offset: int) -> bool:
        """Remember the event; False when it was there already, at an earlier offset."""
        if self._offsets.setdefault(event_id, offset) < offset:
            return False
        if len(self._offsets) > self._count:
            self._offsets.popitem(last=False)
        return True

    def is_repeat(self, event_id: str, offset: int) -> bool:
        """Whether the event is known to stand earlier in the log."""
        return self._offsets.get(event_id, offset) < offset
