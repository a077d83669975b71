"""The command `python -m deploy.replay`: its arguments, its course, and its exit status (0 proven, 1 not, 2 unusable)."""

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from deploy.replay.account import Account
from deploy.replay.client import Gateway
from deploy.replay.credentials import find_admin
from deploy.replay.dialogues import BUILT_IN, Dialogue, load_dialogues
from deploy.replay.errors import OutOfTime, Refused, ReplayError, Stopped, Unusable
from deploy.replay.performance import Performance
from deploy.replay.report import format_table, open_progress, summarize
from deploy.replay.stage import Stage, set_stage, strike_stage

PROVEN, NOT_PROVEN, UNUSABLE = 0, 1, 2
# Long enough for a gateway that is just starting, short enough for one that is not there.
_GREETING_SECONDS = 5.0


def run_command(arguments: Sequence[str], stop: threading.Event) -> int:
    """Play, report, and return the exit status; setting `stop` ends the run with the table so far."""
    options = _build_parser().parse_args(arguments)
    try:
        dialogues = load_dialogues(Path(options.dialogues) if options.dialogues else BUILT_IN)
        gateway, stage = _prepare(options, stop)
    except Stopped:
        print("Interrupted before the first dialogue.", file=sys.stderr)
        return NOT_PROVEN
    except ReplayError as error:
        print(f"replay: {error}", file=sys.stderr)
        return UNUSABLE
    return _play(options, stage, dialogues, gateway)


def _prepare(options: argparse.Namespace, stop: threading.Event) -> tuple[Gateway, Stage]:
    if options.json and not options.json.absolute().parent.is_dir():
        raise Unusable(f"The report {options.json} can't be written: its folder does not exist.")
    email, password = find_admin(options.admin_email, options.admin_password, os.environ)
    # One connection per dialogue and its stream, and per agent; the rest is for the admin.
    gateway = Gateway(options.url, timeout=options.timeout, stop=stop, connections=2 * options.concurrency + options.agents + 4)
    admin = Account(gateway, email, password)
    try:
        admin.sign_in(timeout=min(_GREETING_SECONDS, options.timeout))
    except OutOfTime as error:
        raise Unusable(f"No gateway is ready at {options.url} ({error}). `make run` starts one; --url names another.") from None
    except Refused as refusal:
        raise Unusable(f"The gateway at {options.url} does not sign {email} in: {refusal}.") from None
    try:
        stage = set_stage(gateway, admin, agents=options.agents, concurrency=options.concurrency)
    except Stopped:
        raise
    except ReplayError as error:
        raise Unusable(f"The replay's channel and agents can't be set up: {error}.") from None
    except (KeyError, TypeError) as error:
        raise Unusable(f"The gateway at {options.url} does not answer as described: {error!r}.") from None
    return gateway, stage


def _play(options: argparse.Namespace, stage: Stage, dialogues: list[Dialogue], gateway: Gateway) -> int:
    performance = Performance(stage, dialogues, options.concurrency, seconds=options.seconds)
    show, close = open_progress(None if options.seconds else len(dialogues))
    try:
        performance.run(show)
    finally:
        close()
        complaints = strike_stage(stage)
    totals = performance.total()
    print(format_table(totals))
    for complaint in complaints:
        print(f"replay: {complaint}", file=sys.stderr)
    if gateway.stop.is_set():
        print("replay: interrupted.", file=sys.stderr)
    if options.json:
        report = {**summarize(totals), "agents": options.agents, "concurrency": options.concurrency}
        options.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return PROVEN if totals.proven else NOT_PROVEN


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.replay",
        description="Plays dialogues through a running gateway as real clients would, and proves that nothing was lost or doubled.",
        epilog="Exit status: 0 when everything is proven, 1 when not, 2 when the input or the gateway can't be used.",
    )
    parser.add_argument("--dialogues", metavar="FILE", help="JSON lines of dialogues (default: six of a web shop)")
    parser.add_argument("--agents", type=_positive, default=5, metavar="N", help="agents who answer (5)")
    parser.add_argument("--concurrency", type=_positive, default=8, metavar="N", help="dialogues at a time (8)")
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="begin dialogues again and again for that long (each once)")
    parser.add_argument("--url", type=_address, default="http://127.0.0.1:8000", help="the gateway (http://127.0.0.1:8000)")
    parser.add_argument("--admin-email", help="default: FOYER_ADMIN_EMAIL, else the account that `make run` keeps")
    parser.add_argument("--admin-password", help="default: FOYER_ADMIN_PASSWORD, likewise")
    parser.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="SECONDS", help="the longest wait for one answer or one event (60)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to 3600")
    return seconds


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address such as http://127.0.0.1:8000")
    return text
