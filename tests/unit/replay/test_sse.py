"""The SSE parser, against the rules of WHATWG HTML 9.2.6."""

import pytest

from deploy.replay.sse import Event, Parser

STREAM = (
    ": hello\n\n"
    "retry: 2500\n"
    'id: 3-10\nevent: message.created\ndata: {"text": "Śliwka 🙏"}\n\n'
    ": heartbeat\n\n"
    "id: 3-11\r\nevent: note\r\ndata: one\r\ndata:two\r\ndata:\r\n\r\n"
    "data: last\r\r"
).encode()
EVENTS = [
    Event("3-10", "message.created", '{"text": "Śliwka 🙏"}'),
    Event("3-11", "note", "one\ntwo\n"),
    Event("3-11", "message", "last"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 64, len(STREAM)])
def test_events_are_the_same_when_chunks_end_anywhere(size: int) -> None:
    parser = Parser()
    chunks = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [event for chunk in chunks for event in parser.feed(chunk)] == EVENTS
    assert (parser.last_event_id, parser.retry_seconds, parser.comments) == ("3-11", 2.5, 2)


def test_event_is_dispatched_at_once_when_its_last_line_ends_with_a_return() -> None:
    parser = Parser()
    assert list(parser.feed(b"data: a\r\r")) == [Event("", "message", "a")]
    assert list(parser.feed(b"\ndata: b\r\n\r")) == [Event("", "message", "b")]
    assert list(parser.feed(b"\n\n")) == []


def test_id_does_not_count_when_its_event_was_cut_off() -> None:
    parser = Parser("3-9")
    assert list(parser.feed(b"id: 3-10\nevent: message.created\ndata: {}\n")) == []
    assert parser.last_event_id == "3-9"


def test_position_moves_without_an_event_when_a_block_holds_only_an_id() -> None:
    parser = Parser()
    assert list(parser.feed(b": heartbeat\nid: 3-12\n\n")) == []
    assert parser.last_event_id == "3-12"


def test_id_is_kept_when_a_later_event_names_none_and_cleared_when_it_is_empty() -> None:
    parser = Parser("3-1")
    assert [event.id for event in parser.feed(b"data: a\n\nid\ndata: b\n\n")] == ["3-1", ""]


def test_field_is_ignored_when_it_is_unknown_or_malformed() -> None:
    parser = Parser("3-1")
    assert list(parser.feed(b"colour: red\nid: 3\0-2\nretry: soon\ndata: a\n\n")) == [Event("3-1", "message", "a")]
    assert parser.retry_seconds is None


def test_name_of_a_dataless_block_is_forgotten_when_the_next_event_comes() -> None:
    assert list(Parser().feed(b"event: reset\n\ndata: a\n\n")) == [Event("", "message", "a")]


def test_byte_order_mark_is_skipped_when_it_comes_in_pieces() -> None:
    parser = Parser()
    events = [event for byte in b"\xef\xbb\xbfdata: a\n\n" for event in parser.feed(bytes([byte]))]
    assert events == [Event("", "message", "a")]


def test_only_one_space_is_removed_when_a_value_begins_with_more() -> None:
    assert [event.data for event in Parser().feed(b"data:  a \n\n")] == [" a "]
