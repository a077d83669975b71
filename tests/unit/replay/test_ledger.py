"""The verdict: silent on a sound dialogue, and able to see every kind of failure."""

from dataclasses import replace

import pytest

from deploy.replay.ledger import Record, Verdict, judge, measure_latencies
from tests.unit.replay.books import AGENT, VISITOR, archived, message, shown, sound_record


def counts(verdict: Verdict) -> tuple[int, int, int]:
    return verdict.lost, verdict.doubled, verdict.out_of_order


def without(record: Record, reader: str, seq: int) -> None:
    record.seen[reader] = [arrival for arrival in record.seen[reader] if arrival.seq != seq]


def test_nothing_is_wrong_when_all_was_stored_and_shown_once() -> None:
    assert judge(sound_record()) == Verdict()


def test_fetched_message_may_also_be_shown_when_the_stream_began_before_the_fetch() -> None:
    record = sound_record()
    record.fetched[VISITOR] = 3
    assert judge(record) == Verdict()


@pytest.mark.parametrize(("reader", "seq"), [(VISITOR, 3), (VISITOR, 7), (AGENT, 1), (AGENT, 10)])
def test_message_is_lost_when_a_stream_did_not_show_it(reader: str, seq: int) -> None:
    record = sound_record()
    without(record, reader, seq)
    verdict = judge(record)
    assert counts(verdict) == (1, 0, 0)
    assert verdict.reasons == [f"1 lost on the stream of {reader}"]


@pytest.mark.parametrize("reader", [VISITOR, AGENT])
def test_message_is_doubled_when_a_stream_showed_it_again(reader: str) -> None:
    record = sound_record()
    record.seen[reader].append(shown(7))
    verdict = judge(record)
    assert counts(verdict) == (0, 1, 0)
    assert verdict.reasons == [f"1 doubled on the stream of {reader}"]


def test_message_is_out_of_order_when_a_stream_showed_a_later_one_before() -> None:
    record = sound_record()
    lane = record.seen[AGENT]
    lane[6], lane[7] = lane[7], lane[6]
    verdict = judge(record)
    assert counts(verdict) == (0, 0, 1)
    assert verdict.reasons == [f"1 out of order on the stream of {AGENT}"]


def test_dialogue_fails_when_a_stream_showed_another_text_than_is_stored() -> None:
    record = sound_record()
    without(record, VISITOR, 10)
    record.seen[VISITOR].append(shown(10, text="closed"))
    assert judge(record).reasons == [f"message 10 on the stream of {VISITOR} is not the stored one"]


def test_dialogue_fails_when_a_stream_showed_a_message_that_is_not_stored() -> None:
    record = sound_record()
    record.seen[VISITOR].append(replace(shown(10), data={**message(10), "seq": 11}))
    assert judge(record).reasons == [f"message 11 on the stream of {VISITOR} is not the stored one"]


def test_archiving_is_lost_when_a_stream_did_not_show_it() -> None:
    record = sound_record()
    record.seen[AGENT].remove(archived())
    assert counts(judge(record)) == (1, 0, 0)


def test_archiving_is_doubled_when_it_was_published_twice() -> None:
    record = sound_record()
    record.seen[AGENT].append(archived("3-100"))
    assert counts(judge(record)) == (0, 1, 0)


def test_event_is_doubled_when_a_resumed_stream_repeats_its_id() -> None:
    record = sound_record()
    record.seen[VISITOR].append(next(a for a in record.seen[VISITOR] if a.name == "conversation.assigned"))
    assert counts(judge(record)) == (0, 1, 0)


def test_accepted_turn_is_lost_when_it_is_not_stored() -> None:
    record = sound_record()
    assert record.stored is not None
    record.stored = [message(seq) for seq in range(1, 11) if seq != 8]
    verdict = judge(record)
    assert verdict.lost == 1
    assert verdict.reasons[:3] == [
        "the transcript is not numbered 1 to 9: 1, 2, 3, 4, 5, 6, 7, 9, 10",
        "1 lost in the stored transcript",
        "turn 3 should be agent: 'Tomorrow, they say.', but visitor: 'Thanks' is stored",
    ]


def test_turn_is_doubled_when_a_repeated_post_was_stored_twice() -> None:
    record = sound_record()
    assert record.stored is not None
    again = {**message(9), "id": "m11", "seq": 11}
    record.stored.append(again)
    for reader in record.seen:
        record.seen[reader].append(replace(shown(9), data=again))
    verdict = judge(record)
    assert counts(verdict) == (0, 1, 0)
    assert verdict.reasons == ["1 doubled in the stored transcript", "5 turns are stored instead of 4"]


def test_turns_are_out_of_order_when_they_are_stored_in_another_order_than_accepted() -> None:
    record = sound_record()
    assert record.stored is not None
    record.stored[6], record.stored[7] = {**message(8), "seq": 7}, {**message(7), "seq": 8}
    verdict = judge(record)
    assert verdict.out_of_order == 1
    assert "1 out of order in the stored transcript" in verdict.reasons


def test_dialogue_fails_when_a_turn_is_stored_with_another_text() -> None:
    record = sound_record()
    assert record.stored is not None
    record.stored[8]["text"] = "Thanks "
    assert "turn 4 should be visitor: 'Thanks', but visitor: 'Thanks ' is stored" in judge(record).reasons


def test_dialogue_fails_when_a_turn_is_stored_under_the_other_side() -> None:
    record = sound_record()
    assert record.stored is not None
    record.stored[8]["author"] = {"kind": "agent"}
    assert "turn 4 should be visitor: 'Thanks', but agent: 'Thanks' is stored" in judge(record).reasons


def test_dialogue_fails_when_the_answer_to_the_bot_is_not_stored_as_given() -> None:
    record = sound_record()
    assert record.stored is not None
    record.stored[1]["text"] = "ada"
    assert "the visitor's answer 1 to the bot should be visitor: 'Ada', but visitor: 'ada' is stored" in judge(record).reasons


@pytest.mark.parametrize("numbers", [[2, 3, 4], [1, 2, 2], [1, 3, 2]])
def test_dialogue_fails_when_the_numbering_has_a_gap_or_a_repeat(numbers: list[int]) -> None:
    record = sound_record()
    record.stored = [{**message(seq), "seq": number} for seq, number in zip((1, 3, 5), numbers, strict=True)]
    assert f"the transcript is not numbered 1 to 3: {', '.join(map(str, numbers))}" in judge(record).reasons


def test_dialogue_fails_when_it_broke_off_or_its_transcript_was_not_read() -> None:
    record = sound_record()
    record.stored = None
    assert judge(record).reasons == ["the stored transcript was not read"]
    record.error = "no agent came"
    assert judge(record).reasons == ["no agent came"]


def test_nothing_is_lost_when_a_broken_off_dialogue_was_archived_after_its_visitor_left() -> None:
    record = sound_record()
    record.error = "no agent came"
    record.seen[VISITOR].remove(archived())
    record.stored = [message(seq) for seq in range(1, 10)]
    verdict = judge(record)
    assert counts(verdict) == (0, 0, 0)
    assert verdict.reasons == ["no agent came"]


def test_latency_is_from_post_to_first_arrival_when_the_other_side_saw_it() -> None:
    record = sound_record()
    record.seen[VISITOR].append(shown(7, at=100.0))
    without(record, AGENT, 9)
    assert measure_latencies(record) == [0.25, 0.5, 0.5]
