"""Prefixed lines, and log files followed into them."""

import io
import os
import pty
from pathlib import Path

from deploy.local.output import LogFollower, Output, set_aside
from deploy.local.waiting import wait_until


def test_lines_are_prefixed_and_plain_when_the_output_is_no_terminal() -> None:
    stream = io.StringIO()
    Output(stream).line("presence", "up")
    assert stream.getvalue() == "presence   | up\n"


def test_prefixes_differ_in_colour_when_asked_for() -> None:
    stream = io.StringIO()
    output = Output(stream, colour=True)
    output.line("presence", "up")
    output.line("contacts", "up")
    one, two = stream.getvalue().splitlines()
    assert one.startswith("\x1b[")
    assert one[:5] != two[:5]


def test_output_goes_on_when_the_terminal_is_gone() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

    Output(Gone()).line("presence", "up")


def test_terminal_is_found_hung_up_when_its_other_end_closed() -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as terminal:
        output = Output(terminal)
        assert not output.has_hung_up()
        os.close(master)
        assert output.has_hung_up()
    assert not Output(io.StringIO()).has_hung_up()


def test_only_new_whole_lines_are_shown_when_a_log_grows(tmp_path: Path) -> None:
    log = tmp_path / "presence.log"
    log.write_text("of an earlier run\n")
    stream = io.StringIO()
    follower = LogFollower(Output(stream), {"presence": log, "missing": tmp_path / "missing.log"}, interval=0.01)
    follower.start()
    with log.open("a") as file:
        file.write("whole\nhal")
        file.flush()
        assert wait_until(lambda: "whole" in stream.getvalue(), 5)
        assert "hal" not in stream.getvalue()
        file.write("ves\n")
    follower.stop()
    assert stream.getvalue() == "presence   | whole\npresence   | halves\n"


def test_log_is_shown_from_its_start_when_it_was_replaced(tmp_path: Path) -> None:
    log = tmp_path / "presence.log"
    log.write_text("long " * 100)
    stream = io.StringIO()
    follower = LogFollower(Output(stream), {"presence": log})
    set_aside(log, longest=10)
    log.write_text("new\n")
    follower.start()
    follower.stop()
    assert stream.getvalue() == "presence   | new\n"
    assert (tmp_path / "presence.log.1").stat().st_size == 500


def test_log_stays_when_it_is_short(tmp_path: Path) -> None:
    log = tmp_path / "presence.log"
    log.write_text("short")
    set_aside(log, longest=10)
    assert log.exists()
