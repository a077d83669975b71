"""Whether a value that fits one shape fits another: the way of those that are taken, and of those that are given."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deploy.compatibility.shapes import LISTS, Shape

# A later version must take whatever an earlier one took, and give whatever it gave.
TAKEN, GIVEN = "taken", "given"

MOST = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
# With more breakages than this, a form is another one, and not the former with a difference.
FEW = 2
LEAST = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")

Components = Mapping[str, Shape]
Difference = tuple[bool, str]  # whether it breaks, and what it is


def differences(before: Shape, after: Shape, way: str, *, earlier: Components, later: Components) -> Iterator[Difference]:
    """Each difference that matters, with the place where it is."""
    return _Matching(way, earlier, later).match("", before, after)


class _Matching:
    def __init__(self, way: str, earlier: Components, later: Components) -> None:
        self._taken = way == TAKEN
        self._earlier = earlier
        self._later = later
        self._under_way: set[tuple[str, str]] = set()

    def match(self, place: str, before: Shape, after: Shape) -> Iterator[Difference]:
        pair = (str(before.get("$ref", "")), str(after.get("$ref", "")))
        if all(pair):
            if pair in self._under_way:  # a shape that holds itself
                return
            self._under_way.add(pair)
        before, after = _resolved(before, self._earlier), _resolved(after, self._later)
        if any(key in shape for shape in (before, after) for key in LISTS):
            yield from self._match_alternatives(place, before, after)
        else:
            yield from self._match_plain(place, before, after)
        self._under_way.discard(pair)

    def _match_plain(self, place: str, before: Shape, after: Shape) -> Iterator[Difference]:
        yield from self._match_types(place, before, after)
        yield from self._match_words(place, before, after)
        if self._taken:
            yield from _match_limits(place, before, after)
        yield from self._match_properties(place, before, after)
        for key in ("items", "additionalProperties"):
            was, now = before.get(key), after.get(key)
            if isinstance(was, dict) and isinstance(now, dict):
                yield from self.match(f"{place}[]", was, now)
        if self._taken and after.get("additionalProperties") is False and before.get("additionalProperties") is not False:
            yield True, f"{_said(place)} now refuses names that it does not know"

    def _match_types(self, place: str, before: Shape, after: Shape) -> Iterator[Difference]:
        was, now = _kinds(before), _kinds(after)
        narrower, wider = (now, was) if self._taken else (was, now)
        # Whoever takes must take all that was taken; whoever gives may give nothing else.
        if narrower is not None and (wider is None or not wider <= narrower):
            yield True, f"{_said(place)} is {_list(now)}, and was {_list(was)}"
        elif was != now:
            yield False, f"{_said(place)} is {_list(now)}, and was {_list(was)}"

    def _match_words(self, place: str, before: Shape, after: Shape) -> Iterator[Difference]:
        was, now = _words(before), _words(after)
        if self._taken and now is not None:
            if was is None:
                yield True, f"{_said(place)} now takes only {_list(now)}"
            elif gone := [word for word in was if word not in now]:
                yield True, f"{_said(place)} no longer takes {_list(gone)}"
        if new := [word for word in now or () if was is not None and word not in was]:
            yield False, f"{_said(place)} may be {_list(new)}"

    def _match_properties(self, place: str, before: Shape, after: Shape) -> Iterator[Difference]:
        was, now = before.get("properties", {}), after.get("properties", {})
        had_to, has_to = set(before.get("required", ())), set(after.get("required", ()))
        for name, shape in was.items():
            inner = f"{place}.{name}" if place else name
            if name not in now:
                yield True, f"{inner} is gone"
                continue
            if self._taken and name in has_to - had_to:
                yield True, f"{inner} is now required"
            if not self._taken and name in had_to - has_to:
                yield True, f"{inner} may now be missing"
            yield from self.match(inner, shape, now[name])
        for name in sorted(now.keys() - was.keys()):
            inner = f"{place}.{name}" if place else name
            if self._taken and name in has_to:
                yield True, f"{inner} is new and required"
            else:
                yield False, f"{inner} is new"

    def _match_alternatives(self, place: str, before: Shape, after: Shape) -> Iterator[Difference]:
        """Each of the former alternatives must have one among the present ones that takes its place."""
        present = list(_alternatives(after))
        for former in _alternatives(before):
            ways = [list(self.match(place, former, each)) for each in present]
            best = min(ways, key=lambda way: (sum(breaks for breaks, _ in way), len(way)))
            if sum(breaks for breaks, _ in best) > FEW and len(ways) > 1:
                yield True, f"{_said(place)} has one of its forms no longer"
            else:
                yield from best
        if not self._taken and _is_null_new(before, after):
            yield True, f"{_said(place)} may now be null"


def _match_limits(place: str, before: Shape, after: Shape) -> Iterator[Difference]:
    for key, sign in [*((key, 1) for key in MOST), *((key, -1) for key in LEAST)]:
        was, now = before.get(key), after.get(key)
        if now is None or now == was or (key in LEAST and now == 0 and was is None):
            continue
        if was is None or sign * now < sign * was:
            yield True, f"{_said(place)} has {key} {now}, and had {'none' if was is None else was}"
    for key in ("pattern", "format"):
        if after.get(key) not in (None, before.get(key)):
            yield True, f"{_said(place)} has the {key} {after[key]}, and had {before.get(key, 'none')}"


def _resolved(shape: Shape, components: Components) -> Shape:
    while "$ref" in shape:
        shape = components[shape["$ref"]]
    if len(shape.get("allOf", ())) == 1:
        return _resolved(shape["allOf"][0], components)
    return shape


def _alternatives(shape: Shape) -> Iterator[Shape]:
    for key in LISTS:
        if key in shape:
            yield from shape[key]
            return
    yield shape


def _is_null_new(before: Shape, after: Shape) -> bool:
    null = {"type": "null"}
    return null in _alternatives(after) and null not in _alternatives(before)


def _kinds(shape: Shape) -> set[str] | None:
    kinds = shape.get("type")
    if kinds is None:
        return None
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    return found | {"integer"} if "number" in found else found


def _words(shape: Shape) -> list[Any] | None:
    words: list[Any] | None = [shape["const"]] if "const" in shape else shape.get("enum")
    return words


def _said(place: str) -> str:
    return place or "it"


def _list(words: Iterable[Any] | None) -> str:
    return "anything" if words is None else " or ".join(sorted(str(word) for word in words))
