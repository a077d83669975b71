"""The comparison of two contracts: what of the later one breaks who goes by the earlier one, and what is merely new.

Every breakage names the clause of docs/upgrades.md that it is against.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

from deploy.compatibility.matching import GIVEN, TAKEN, differences
from deploy.compatibility.snapshot import Snapshot


class Clause(StrEnum):
    """The headings of docs/upgrades.md, under "What may change"."""

    CALLS = "Calls"
    EVENTS = "Events"
    SUBSCRIPTIONS = "Subscriptions"
    HTTP = "The HTTP API"
    PROBLEMS = "Problem codes"


@dataclass
class Comparison:
    """Sentences."""

    breaks: list[str] = field(default_factory=list)
    additions: list[str] = field(default_factory=list)

    def break_(self, clause: Clause, sentence: str) -> None:
        self.breaks.append(f"{sentence} (docs/upgrades.md, “{clause}”)")


def compare(earlier: Snapshot, later: Snapshot) -> Comparison:
    """What became of `earlier` in `later`."""
    found = Comparison()
    shapes = partial(differences, earlier=earlier["components"], later=later["components"])
    _compare_calls(found, earlier["calls"], later["calls"], shapes)
    _compare_events(found, earlier["events"], later["events"], shapes)
    _compare_subscriptions(found, earlier, later)
    _compare_operations(found, earlier["operations"], later["operations"], shapes)
    _compare_problems(found, earlier["problems"], later["problems"])
    return found


Shapes = Callable[..., Iterator[tuple[bool, str]]]


def _compare_calls(found: Comparison, earlier: Mapping[str, Any], later: Mapping[str, Any], shapes: Shapes) -> None:
    for name, before, after in _kept(found, Clause.CALLS, "the method", earlier, later):
        _note(found, Clause.CALLS, f"the arguments of {name}", shapes(before, after, TAKEN))


def _compare_events(found: Comparison, earlier: Mapping[str, Any], later: Mapping[str, Any], shapes: Shapes) -> None:
    for name, before, after in _kept(found, Clause.EVENTS, "the event", earlier, later):
        if before["stream"] not in (None, after["stream"]):
            found.break_(Clause.EVENTS, f"{name} is {after['stream']} on the streams, and was {before['stream']}.")
        _note(found, Clause.EVENTS, f"the data of {name}", shapes(before["data"], after["data"], GIVEN))


def _compare_subscriptions(found: Comparison, earlier: Snapshot, later: Snapshot) -> None:
    for service, before in earlier["subscriptions"].items():
        after = later["subscriptions"].get(service, [])
        for event in before:
            if event not in after and f"{service}.{event}" not in later["retired"]:
                sentence = f"{service} no longer subscribes to {event}, whose binding stays: put the three into RETIRED first."
                found.break_(Clause.SUBSCRIPTIONS, sentence)
        found.additions += [f"{service} subscribes to {event}" for event in after if event not in before]


def _compare_operations(found: Comparison, earlier: Mapping[str, Any], later: Mapping[str, Any], shapes: Shapes) -> None:
    for name, before, after in _kept(found, Clause.HTTP, "the operation", earlier, later):
        _compare_parameters(found, name, before["parameters"], after["parameters"], shapes)
        _compare_bodies(found, name, before, after, shapes)
        for status, answer in before["answers"].items():
            if status not in after["answers"]:
                found.break_(Clause.HTTP, f"{name} no longer answers {status}.")
            elif answer is not None:
                now = after["answers"][status]
                _note(found, Clause.HTTP, f"the answer {status} of {name}", shapes(answer, now or {}, GIVEN))


def _compare_parameters(
    found: Comparison, name: str, before: Mapping[str, Any], after: Mapping[str, Any], shapes: Shapes
) -> None:
    for parameter, was in before.items():
        if parameter not in after:
            found.break_(Clause.HTTP, f"{name} no longer takes {parameter}.")
            continue
        now = after[parameter]
        if now["required"] and not was["required"]:
            found.break_(Clause.HTTP, f"{name} now requires {parameter}.")
        _note(found, Clause.HTTP, f"{parameter} of {name}", shapes(was["shape"], now["shape"], TAKEN))
    for parameter in after.keys() - before.keys():
        if after[parameter]["required"]:
            found.break_(Clause.HTTP, f"{name} now requires {parameter}.")
        else:
            found.additions.append(f"{parameter} of {name}")


def _compare_bodies(found: Comparison, name: str, before: Mapping[str, Any], after: Mapping[str, Any], shapes: Shapes) -> None:
    if after["body_required"] and not before["body_required"]:
        found.break_(Clause.HTTP, f"{name} now requires a body.")
    if before["body"] is not None and after["body"] is None:
        found.break_(Clause.HTTP, f"{name} no longer takes a body.")
    elif before["body"] is not None:
        _note(found, Clause.HTTP, f"the body of {name}", shapes(before["body"], after["body"], TAKEN))


def _compare_problems(found: Comparison, earlier: Mapping[str, int], later: Mapping[str, int]) -> None:
    for code, status in earlier.items():
        if code not in later:
            found.break_(Clause.PROBLEMS, f"{code} is gone.")
        elif later[code] != status:
            found.break_(Clause.PROBLEMS, f"{code} is answered as {later[code]}, and was as {status}.")
    found.additions += [f"the code {code}" for code in later if code not in earlier]


def _kept(
    found: Comparison, clause: Clause, what: str, earlier: Mapping[str, Any], later: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    for name, before in earlier.items():
        if name in later:
            yield name, before, later[name]
        else:
            found.break_(clause, f"{what.capitalize()} {name} is gone.")
    found.additions += [f"{what} {name}" for name in later if name not in earlier]


def _note(found: Comparison, clause: Clause, where: str, differences: Iterator[tuple[bool, str]]) -> None:
    for breaks, what in differences:
        if breaks:
            found.break_(clause, f"{where.capitalize() if where[0].islower() else where}: {what}.")
        else:
            found.additions.append(f"{where}: {what}")
