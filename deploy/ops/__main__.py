"""`python -m deploy.ops`: its arguments, and its exit status (0 fine, 1 something is wrong, 2 it can't be used)."""

import warnings

# What libraries have to say to developers is not for operators.
warnings.simplefilter("ignore")

import argparse  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

from amqp.exceptions import AMQPError  # noqa: E402
from pymongo.errors import PyMongoError  # noqa: E402

from deploy.ops import accounts, backup, dead_letters, drain, restore, status, webhooks  # noqa: E402
from deploy.ops.doctor import command as doctor  # noqa: E402
from deploy.ops.errors import INTERRUPTED, UNUSABLE, OpsError  # noqa: E402
from services.common import logs  # noqa: E402
from services.common.redaction import redact  # noqa: E402

REPOSITORY = Path(__file__).parents[2]
COMMANDS = (status, dead_letters, backup, restore, drain, accounts, webhooks, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    options = build_parser().parse_args(arguments)
    # What goes wrong is said by the command itself.
    logs.configure(level="CRITICAL", form="console", process="ops")
    signal.signal(signal.SIGTERM, _end)
    try:
        return int(options.run(options))
    except OpsError as error:
        print(f"ops: {error}", file=sys.stderr)
        return error.status
    except (PyMongoError, AMQPError, OSError) as error:
        print(f"ops: {type(error).__name__}: {redact(str(error))[:500]}", file=sys.stderr)
        return UNUSABLE
    except Exception as error:  # noqa: BLE001 - the log that would have it is off
        print(f"ops: {describe_unexpected(error)}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("ops: interrupted", file=sys.stderr)
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """The parser; each noun's module adds its commands."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.ops",
        description="Looks at a running Foyer, repairs, backs up and restores it; docs/operations.md shows each command.",
        epilog="Exit status: 0 when all is fine, 1 when something is wrong or was refused, 2 when the command can't be used here.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for noun in COMMANDS:
        noun.add_parsers(commands)
    return parser


def describe_unexpected(error: Exception) -> str:
    """The error's type and where it arose; its text may quote anything, secrets too."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {_shorten(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    return redact("\n".join([f"unexpected {type(error).__name__}; please report it with these places:", *places]))


def _shorten(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else str(path)


def _end(number: int, frame: object) -> None:  # noqa: ARG001 - the signal module's signature
    # As Ctrl-C does: temporary databases are dropped and half-written files removed.
    signal.signal(number, lambda *_: os._exit(128 + signal.SIGTERM))
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
