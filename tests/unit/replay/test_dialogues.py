"""Loading dialogues: the built-in set, and each kind of file that can't be played."""

import json
from pathlib import Path

import pytest

from deploy.replay.dialogues import Dialogue, Turn, load_dialogues
from deploy.replay.errors import Unusable

GOOD = json.dumps({"id": "a", "topics": ["x"], "turns": [{"from": "agent", "text": "Hi"}, {"from": "visitor", "text": " Ho\n"}]})


def test_built_in_set_is_played_when_no_file_is_named() -> None:
    dialogues = load_dialogues()
    assert len(dialogues) == 6
    assert {dialogue.turns[0].side for dialogue in dialogues} == {"visitor", "agent"}
    pairs = [pair for dialogue in dialogues for pair in zip(dialogue.turns, dialogue.turns[1:], strict=False)]
    assert any(first.side == second.side for first, second in pairs)


def test_turns_are_kept_as_they_are_when_a_line_has_other_keys_and_lines_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl"
    path.write_text(f"\n{GOOD}\r\n\n")
    assert load_dialogues(path) == [Dialogue("a", (Turn("agent", "Hi"), Turn("visitor", " Ho\n")))]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "b",}', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", '"id" is a text'),
        (b'{"id": 7, "turns": []}', '"id" is a text'),
        (b'{"id": "b", "turns": []}', '"turns" must be a list'),
        (b'{"id": "b", "turns": ["hi"]}', "turn 1 must be from"),
        (b'{"id": "b", "turns": [{"from": "bot", "text": "hi"}]}', "turn 1 must be from"),
        (b'{"id": "b", "turns": [{"from": ["agent"], "text": "hi"}]}', "turn 1 must be from"),
        (b'{"id": "b", "turns": [{"from": "agent", "text": "hi"}, {"from": "agent", "text": " "}]}', 'turn 2 needs a "text"'),
        (GOOD.encode(), 'the id "a" is used twice'),
    ],
)
def test_line_is_named_when_it_can_not_be_played(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "dialogues.jsonl"
    path.write_bytes(GOOD.encode() + b"\n" + line)
    with pytest.raises(Unusable) as raised:
        load_dialogues(path)
    assert str(raised.value).startswith(f"{path}, line 2: ")
    assert reason in str(raised.value)


def test_file_is_named_when_it_is_missing_or_a_folder_or_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    for path, reason in [
        (tmp_path / "none.jsonl", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "empty.jsonl", "holds no dialogue"),
    ]:
        with pytest.raises(Unusable, match=reason):
            load_dialogues(path)
