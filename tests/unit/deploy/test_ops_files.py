"""Where the operator's files go, and what is known of them without memory."""

import os
from pathlib import Path

import pytest

from deploy.ops import places
from deploy.ops.archive import ArchiveWriter
from deploy.ops.errors import Unusable
from deploy.ops.leftovers import left_files
from deploy.ops.letter_box import writing
from deploy.ops.letters import Letter
from deploy.ops.places import folder_for
from deploy.ops.spool import KnownIds, Spool


def test_files_go_beside_the_backup_else_to_the_backups_else_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backups, beside = tmp_path / "backups", tmp_path / "beside"
    monkeypatch.setattr(places, "BACKUPS", backups)
    assert folder_for(beside) == Path()
    backups.mkdir()
    assert folder_for(beside) == folder_for() == backups
    beside.mkdir()
    assert folder_for(beside) == beside
    monkeypatch.setattr(os, "access", lambda folder, _: folder != beside)
    assert folder_for(beside) == backups


def test_file_for_letters_is_there_at_once_and_gone_when_none_came(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    with writing(path, "--to"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()
    for _ in range(2):
        with writing(path, "--to") as write:
            write([Letter.of("contacts", b"1", {}, {}), Letter.of("contacts", b"2", {}, {})])
    with writing(path, "--to"):
        pass
    assert len(path.read_text().splitlines()) == 4
    with pytest.raises(Unusable, match="nothing was changed"), writing(tmp_path / "nowhere" / "x", "--to"):
        pass


def test_unfinished_file_is_left_only_when_nobody_writes_it(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "made.tar.gz") as archive:
        archive.complete({"format": 2})
        # Being tried out still.
        assert list(left_files(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".made.tar.gz.0123abcd.unfinished").touch()
    (tmp_path / ".somebody's own").touch()
    assert [each.name for each in left_files(tmp_path)] == [".made.tar.gz.0123abcd.unfinished"]
    assert list(left_files(tmp_path / "nowhere")) == []


def test_spool_and_known_ids_keep_everything_and_leave_no_file(tmp_path: Path) -> None:
    spool, known = Spool(tmp_path), KnownIds(tmp_path)
    assert list(tmp_path.iterdir()) == []
    for number in range(3):
        spool.add({"n": number})
    assert [record["n"] for record in spool] == [0, 1, 2]
    assert spool.count == 3
    assert [known.add(each) for each in ("a", "b", "a")] == [True, True, False]
    assert "b" in known
    assert "c" not in known
    spool.close()
    known.close()
