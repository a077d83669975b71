"""`dead-letters list|show|replay|discard`: the events that services put aside."""

import argparse
from pathlib import Path
from typing import Any

from deploy.ops.context import Context, service_argument
from deploy.ops.errors import FINE, Unusable, Wrong
from deploy.ops.letter_box import count_letters, each_letter, look_through, replaying, services_of, settle_letters, writing
from deploy.ops.letters import Letter
from deploy.ops.mutex import alone
from deploy.ops.places import folder_for
from deploy.ops.tables import confirm, count_of, format_age, format_table, say, show_json
from services.common.amqp import Publisher
from services.common.times import now

DEFAULT_LIMIT = 50


def add_parsers(commands: Any) -> None:
    """Add `dead-letters`."""
    parser = commands.add_parser("dead-letters", help="see, replay or discard the events that services put aside")
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")

    listing = actions.add_parser("list", help="which there are, oldest first, without anything personal")
    service_argument(listing)
    listing.add_argument(
        "--limit", type=int, default=DEFAULT_LIMIT, metavar="N", help=f"at most so many of each service ({DEFAULT_LIMIT})"
    )
    listing.add_argument("--json", action="store_true", help="for programs")
    listing.set_defaults(run=list_letters)

    showing = actions.add_parser("show", help="one with all its data")
    showing.add_argument("ids", nargs="+", metavar="ID")
    service_argument(showing)
    showing.set_defaults(run=show_letters)

    replay = actions.add_parser("replay", help="give them back to the service that put them aside")
    _selection(replay)
    replay.add_argument("--limit", type=int, metavar="N", help="with --all: the oldest N of each service")
    replay.set_defaults(run=replay_letters)

    discard = actions.add_parser("discard", help="write them to a file and take them away")
    _selection(discard)
    discard.add_argument(
        "--to", type=Path, metavar="FILE", help="where they are appended (discarded-letters-TIME.jsonl in /backups, or here)"
    )
    discard.add_argument("--yes", action="store_true", help="don't ask")
    discard.set_defaults(run=discard_letters)


def list_letters(options: argparse.Namespace) -> int:
    """Exit status 0, whether there are any or not."""
    with Context() as context, alone(context):
        counts = {service: count_letters(context, service) for service in services_of(options.service)}
        shown = [
            letter.summary()
            for service, count in counts.items()
            if count
            for letter in look_through(context, service, options.limit)
        ]
    if options.json:
        show_json({"counts": counts, "letters": shown})
    elif not any(counts.values()):
        print("There are no dead letters.")
    else:
        print(_table(shown))
        left = sum(counts.values()) - len(shown)
        if left > 0:
            print(f"and {left:,} more; --limit shows more of them")
    return FINE


def show_letters(options: argparse.Namespace) -> int:
    """Everything of the named ones, as JSON. Raises Wrong when one isn't there."""
    with Context() as context, alone(context):
        found = _find(context, options.service, set(options.ids))
    _require_all(options.ids, found)
    show_json([letter.whole() for letter in found])
    return FINE


def replay_letters(options: argparse.Namespace) -> int:
    """Exit status 1 when a named one isn't there."""
    _check_selection(options)
    replayed: list[Letter] = []
    with Context() as context, alone(context):
        publisher = Publisher(context.settings.amqp_uri)
        try:
            for service in services_of(options.service):
                ids = set(options.ids) if options.ids else None
                if options.limit is not None and ids is None:
                    ids = {letter.id for letter in look_through(context, service, options.limit)}
                settled = settle_letters(context, service, replaying(publisher), ids)
                if settled:
                    print(f"{service}: {count_of(len(settled), 'event')} replayed")
                replayed += settled
        finally:
            publisher.close()
    if not replayed and not options.ids:
        print("There are no dead letters.")
    _require_all(options.ids, replayed)
    return FINE


def discard_letters(options: argparse.Namespace) -> int:
    """Exit status 1 when not confirmed, or a named one isn't there."""
    _check_selection(options)
    path = options.to or folder_for() / f"discarded-letters-{now():%Y%m%dT%H%M%SZ}.jsonl"
    with Context() as context, alone(context):
        found = _find(context, options.service, set(options.ids) if options.ids else None)
        _require_all(options.ids, found)
        if not found:
            print("There are no dead letters.")
            return FINE
        say(_table([letter.summary() for letter in found[:DEFAULT_LIMIT]]))
        confirm(f"Write {count_of(len(found), 'letter')} to {path} and take them away?", yes=options.yes)
        context.renew_broker()
        # Exactly those that were shown: what came meanwhile stays.
        with writing(path, "--to") as write:
            discarded = [
                letter
                for service in services_of(options.service)
                for letter in settle_letters(context, service, write, {each.id for each in found})
            ]
    print(f"{count_of(len(discarded), 'letter')} discarded; {path} keeps {'it' if len(discarded) == 1 else 'them'}.")
    return FINE


def _find(context: Context, service: str | None, ids: set[str] | None) -> list[Letter]:
    return [letter for each in services_of(service) for letter in each_letter(context, each) if ids is None or letter.id in ids]


def _require_all(ids: list[str], found: list[Letter]) -> None:
    known = {letter.id for letter in found}
    missing = [each for each in ids if each not in known]
    if missing:
        raise Wrong(f"No dead letter has the id {', '.join(missing)}.", "See: dead-letters list")


def _table(summaries: list[dict[str, Any]]) -> str:
    heads = ["SERVICE", "AGE", "TYPE", "REASON", "ID", "DETAIL"]
    rows = [
        [
            letter["service"],
            format_age(letter["age_seconds"]),
            letter["type"],
            letter["reason"],
            letter["id"],
            letter["detail"],
        ]
        for letter in summaries
    ]
    return format_table(heads, rows)


def _selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help="these")
    parser.add_argument("--all", action="store_true", help="all there are")
    service_argument(parser)


def _check_selection(options: argparse.Namespace) -> None:
    if bool(options.ids) == options.all:
        raise Unusable("Name the letters by their ids, or give --all; not both.")
