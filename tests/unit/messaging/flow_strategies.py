"""Generated flows, good and bad, and what may be done with them."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from services.messaging.flows.facts import KnownFacts
from services.messaging.flows.structure import references

Document = dict[str, Any]

FIELDS = ("f", "g", "name", "email")

field_names = st.sampled_from(FIELDS)
texts = st.sampled_from(["Hello.", "{f}", "{f|you} and {name}", "{g|}", "About {email|nobody}, {g}"])
values = st.sampled_from(["1", "x", "X y", 1, 2.5, -3, True, "2026-01-02"])
leaves = st.one_of(
    st.builds(lambda f, r: {"on": "field", "field": f, "is": r}, field_names, st.sampled_from(["set", "empty"])),
    st.builds(
        lambda f, r, v: {"on": "field", "field": f, "is": r, "value": v},
        field_names,
        st.sampled_from(["equal", "unequal"]),
        values,
    ),
    st.builds(
        lambda f, r, v: {"on": "field", "field": f, "is": r, "value": v},
        field_names,
        st.sampled_from(["above", "below"]),
        st.sampled_from([0, 1.5, "2026-01-01"]),
    ),
    st.builds(lambda f, v: {"on": "field", "field": f, "is": "one_of", "value": v}, field_names, st.lists(values, min_size=1)),
    st.builds(lambda f: {"on": "field", "field": f, "is": "contains", "value": "x"}, field_names),
    st.builds(lambda r: {"on": "country", "is": r, "value": ["DE", "at"]}, st.sampled_from(["one_of", "none_of"])),
    st.builds(lambda p: {"on": "url", "page": p, "is": "contains", "value": "shop"}, st.sampled_from(["first", "last"])),
    st.builds(lambda r: {"on": "business_hours", "is": r}, st.sampled_from(["open", "closed"])),
    st.builds(lambda r: {"on": "agents", "is": r, "team": "sales"}, st.sampled_from(["available", "unavailable"])),
)
tests = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda one: {"not": one}, inner),
        st.builds(lambda name, some: {name: some}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=3,
)
facts = st.builds(
    KnownFacts,
    open=st.booleans(),
    available=st.booleans(),
    country=st.sampled_from([None, "DE", "FR"]),
    first_url=st.sampled_from([None, "https://shop.example/"]),
)
known = st.dictionaries(field_names, st.sampled_from(["x", "1", 7, "2026-05-01", "ann@example.org"]), max_size=3)
inputs = st.lists(
    st.one_of(
        st.builds(lambda t: {"text": t}, st.sampled_from(["1", "A", "Ann", "ann@example.org", "2026-05-01", "???", "x y"])),
        st.builds(lambda c: {"choice": c}, st.sampled_from(["a", "b", "c"])),
        st.builds(lambda t: {"text": t}, st.text(min_size=1, max_size=8)),
    ),
    max_size=10,
)


@st.composite
def blocks(draw: st.DrawFn, name: int, count: int) -> Document:
    """A block that leads onwards, or anywhere when it waits for the visitor first."""
    onwards = st.sampled_from([f"b{n}" for n in range(name + 1, count)] * 3 + [None])
    anywhere = st.sampled_from([*(f"b{n}" for n in range(count)), None])
    kind = draw(
        st.sampled_from(
            ["message", "question", "buttons", "condition", "set", "ticket", "delay", "assign", "goto"]
            + (["close"] if name + 1 == count else [])
        )
    )
    limits = draw(st.sampled_from([(None, False), (1, False), (1, True), (3, True)]))
    asking = {"text": draw(texts), "retries": limits[0], "otherwise": draw(anywhere) if limits[1] else None}
    match kind:
        case "message":
            return {"type": kind, "text": draw(texts), "next": draw(onwards)}
        case "question":
            field = draw(field_names)
            kinds = [field] if field in {"name", "email"} else ["text", "name", "email", "phone", "number", "date", "choice"]
            of_kind = draw(st.sampled_from(kinds))
            options = {"options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]} if of_kind == "choice" else {}
            return {"type": kind, "kind": of_kind, "field": field, "next": draw(anywhere)} | asking | options
        case "buttons":
            given_ = [{"label": one.upper(), "value": one, "next": draw(anywhere)} for one in draw(st.sampled_from(["a", "ab"]))]
            return {"type": kind, "field": draw(st.sampled_from([None, "f", "g"])), "options": given_} | asking
        case "condition":
            cases = [{"if": draw(tests), "next": draw(onwards)} for _ in range(draw(st.integers(1, 3)))]
            return {"type": kind, "cases": cases, "else": draw(onwards)}
        case "set":
            field, value = draw(field_names), draw(st.one_of(texts, st.sampled_from([None, 3, True])))
            if (field == "name" and value is None) or (field in {"name", "email"} and not isinstance(value, str | None)):
                value = "{g|Ann}"
            return {"type": kind, "field": field, "value": value, "next": draw(onwards)}
        case "ticket":
            return {"type": kind, "subject": draw(texts), "description": draw(st.none() | texts), "next": draw(onwards)}
        case "delay":
            return {"type": kind, "seconds": draw(st.integers(1, 604_800)), "next": draw(onwards)}
        case "assign":
            return {"type": kind, "text": draw(st.none() | texts), "unavailable": draw(onwards) or "wait"}
        case "goto":
            return {"type": kind, "next": draw(onwards)}
        case _:
            return {"type": kind, "text": draw(st.none() | texts)}


@st.composite
def flows(draw: st.DrawFn) -> Document:
    """A flow that the check takes, unless it closes before the visitor can write."""
    count = draw(st.integers(2, 8))
    drawn = {f"b{number}": draw(blocks(number, count)) for number in range(count)}
    reached, ahead = set(), ["b0"]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(target for _, target in references(drawn[name]))
    return {"start": "b0", "blocks": {name: block for name, block in drawn.items() if name in reached}}


anything = st.recursive(
    st.sampled_from([None, True, 0, -1, 3.5, "", "b0", "b1", "nowhere", "no blanks", "wait", "close", "x" * 3_000]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "next", "if", "all", "x"]), inner, max_size=2)
    ),
    max_leaves=8,
)


@st.composite
def spoilt_flows(draw: st.DrawFn) -> Document:
    """A flow in which up to three things, anywhere, are replaced by anything, are gone, or are too many."""
    flow = deepcopy(draw(flows()))
    for _ in range(draw(st.integers(1, 3))):
        part: Any = flow
        while True:
            keys = list(part) if isinstance(part, dict) else list(range(len(part)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(part[key], dict | list) and draw(st.integers(0, 4)):
                part = part[key]
                continue
            spoil = draw(st.sampled_from(["replace", "remove", "add"]))
            if spoil == "remove":
                del part[key]
            elif spoil == "replace" or isinstance(part, list):
                part[key] = draw(anything)
            else:
                part["more"] = draw(anything)
            break
    return flow
