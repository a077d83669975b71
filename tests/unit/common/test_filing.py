"""Filing what was published: all of it, in order, in fewer writes than it was published in, and never before it reached everybody."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from services.common import filing
from services.common.filing import Batch, Filing, Remembered

Document = dict[str, Any]
SECONDS = 10.0


class Ledger:
    """A store that notes what it is told."""

    def __init__(self) -> None:
        self.settled: list[str] = []
        self.marked: list[dict[str, list[str]]] = []
        self.broken = False

    def settle(self, _collection: str, entries: Iterable[Document]) -> None:
        if self.broken:
            raise ConnectionError("away")
        self.settled += [entry["id"] for entry in entries]

    def mark_sent(self, _collection: str, sent: Mapping[str, Sequence[str]]) -> None:
        self.marked.append({key: list(ids) for key, ids in sent.items()})


class Desk:
    """A filing under way, and what became of it."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.unreached: Exception | None = None
        self.failures: list[Exception] = []
        self.filing = Filing(self.check, self.failures.append)
        self.filing.store = self.ledger  # type: ignore[assignment]
        self.thread = threading.Thread(target=self.filing.run, daemon=True)

    def check(self, _entries: Sequence[Document]) -> None:
        if self.unreached is not None:
            raise self.unreached


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    if desk.thread.ident is not None:
        desk.filing.finish(SECONDS)
        desk.thread.join(SECONDS)
        assert not desk.thread.is_alive()


def batch(document: str, *ids: str) -> Batch:
    return {("things", document): [{"id": key} for key in ids]}


def test_all_is_settled_and_marked_before_the_end(desk: Desk) -> None:
    desk.thread.start()
    desk.filing.add(batch("a", "1", "2"))
    desk.filing.finish(SECONDS)
    assert desk.ledger.settled == ["1", "2"]
    assert desk.ledger.marked == [{"a": ["1", "2"]}]


def test_what_gathered_is_written_at_once_and_each_document_keeps_its_order(desk: Desk) -> None:
    for document, key in (("a", "1"), ("b", "2"), ("a", "3")):
        desk.filing.add(batch(document, key))
    desk.thread.start()
    desk.filing.finish(SECONDS)
    assert desk.ledger.marked == [{"a": ["1", "3"], "b": ["2"]}]
    assert desk.ledger.settled.index("1") < desk.ledger.settled.index("3")


def test_nothing_is_settled_or_marked_that_did_not_reach_everybody(desk: Desk) -> None:
    desk.unreached = ConnectionError("a queue is gone")
    with pytest.raises(ConnectionError):
        desk.filing.file(batch("a", "1"))
    assert (desk.ledger.settled, desk.ledger.marked) == ([], [])


def test_nothing_is_marked_that_could_not_be_settled_and_the_failure_is_told(desk: Desk) -> None:
    desk.ledger.broken = True
    desk.filing.add(batch("a", "1"))
    desk.thread.start()
    desk.filing.finish(SECONDS)
    assert [str(failure) for failure in desk.failures] == ["away"]
    assert desk.ledger.marked == []


def test_who_brings_more_than_may_wait_files_some_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "MAX_WAITING", 4)
    monkeypatch.setattr(filing, "MOST", 2)
    for number in range(0, 12, 2):
        desk.filing.add(batch("a", str(number), str(number + 1)))
    assert desk.ledger.settled == [str(number) for number in range(8)]
    desk.thread.start()
    desk.filing.finish(SECONDS)
    assert desk.ledger.settled == [str(number) for number in range(12)]


def test_nobody_waits_for_the_filing_of_what_cannot_be_filed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "MAX_WAITING", 4)
    desk.ledger.broken = True
    for number in range(10):
        desk.filing.add(batch("a", str(number)))
    assert [str(failure) for failure in desk.failures] == ["away", "away"]


def test_only_the_newest_ids_are_remembered() -> None:
    remembered = Remembered(2)
    remembered.add([{"id": "1"}, {"id": "2"}, {"id": "3"}])
    assert [key in remembered for key in ("1", "2", "3")] == [False, True, True]
    remembered.clear()
    assert "3" not in remembered
