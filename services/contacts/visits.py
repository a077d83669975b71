"""What a visit tells: the page and its campaign, the history of pages, locale and time zone. Hostile input is kept as text or dropped, never refused."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from zoneinfo import available_timezones

import orjson

MAX_PAGES = 50
MAX_PAGES_BYTES = 64_000
# Browsers send up to 64 kB; a campaign further behind than this is no campaign.
MAX_PARSED = 10_000
MAX_PARAMETERS = 1_000


class Bound(NamedTuple):
    """How much of a text is kept: letters may have four bytes."""

    characters: int
    size: int  # bytes of UTF-8


URL = Bound(2_000, 4_096)
TITLE = Bound(500, 1_000)
CAMPAIGN = Bound(200, 400)

CAMPAIGN_PARTS = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
}
_BOUNDS = {"url": URL, "title": TITLE, "referrer": URL}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}\Z")
# Zones of the machine, not of a place.
_NO_PLACES = {"Factory", "localtime", "posixrules"}
_SCRIPT_LENGTH, _REGION_LENGTH = 4, 2

Page = dict[str, Any]
Pages = dict[str, Any]


def parse_campaign(url: str) -> dict[str, str | None] | None:
    """The UTM parameters of an address as {source, medium, name, term, content}; None when it has none of them."""
    query = url[:MAX_PARSED].partition("#")[0].partition("?")[2]
    try:
        parameters = parse_qsl(query, errors="replace", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return None
    found: dict[str, str] = {}
    for key, value in parameters:
        part = CAMPAIGN_PARTS.get(key.lower())
        if part is not None and (text := _kept(value, CAMPAIGN)):
            found.setdefault(part, text)
    return {part: found.get(part) for part in CAMPAIGN_PARTS.values()} if found else None


def read_page(page: Mapping[str, Any] | None, at: datetime) -> Page | None:
    """The page as it is stored; None without an address."""
    if page is None:
        return None
    raw = page.get("url") or ""
    texts = {part: _kept(page.get(part) or "", bound) or None for part, bound in _BOUNDS.items()}
    if texts["url"] is None:
        return None
    return texts | {
        "campaign": parse_campaign(raw),
        "at": at,
    }


def add_page(pages: Pages | None, page: Page | None) -> Pages | None:
    """The history with one more page, within its bounds, also where it had others before.

    The first stays for ever; the page that was last already is only brought up to date.
    """
    known = None if pages is None else _bounded(pages)
    if page is None:
        return known
    if known is None:
        return {"first": page, "last": page, "pages": [page]}
    history: list[Page] = known["pages"]
    if history and history[-1]["url"] == page["url"]:
        seen = history[-1] | {"title": page["title"] or history[-1]["title"]}
        first = seen if known["first"] == history[-1] else known["first"]
        return {"first": first, "last": seen, "pages": _newest([*history[:-1], seen])}
    return {"first": known["first"], "last": page, "pages": _newest([*history, page])}


def _bounded(pages: Pages) -> Pages:
    """Of an earlier version, texts may be longer and pages more."""
    first, last = (_cut(pages[one]) for one in ("first", "last"))
    return {"first": first, "last": last, "pages": _newest([_cut(page) for page in pages["pages"]])}


def _cut(page: Page) -> Page:
    campaign = page["campaign"] and {part: value and _kept(value, CAMPAIGN) for part, value in page["campaign"].items()}
    return page | {part: page[part] and _kept(page[part], bound) for part, bound in _BOUNDS.items()} | {"campaign": campaign}


def _newest(history: list[Page]) -> list[Page]:
    """The newest pages for which there is room, at least the last."""
    newest = history[-MAX_PAGES:]
    sizes = accumulate(_size_of(page) for page in reversed(newest))
    room = sum(1 for size in sizes if size <= MAX_PAGES_BYTES)
    return newest[-max(room, 1) :]


def _size_of(page: Page) -> int:
    return len(orjson.dumps(page))


def clean_locale(text: str | None) -> str | None:
    """A language tag in its usual letters (BCP 47: `pt-BR`, `zh-Hant-TW`), the first of an Accept-Language list; None for anything else."""
    tag = (text or "").partition(",")[0].partition(";")[0].strip()
    if not _LOCALE.match(tag):
        return None
    language, *rest = tag.replace("_", "-").split("-")
    return "-".join([language.lower(), *(_subtag(part) for part in rest)])


def clean_time_zone(name: object) -> str | None:
    """The name, if it is a time zone's of the IANA database; None for anything else."""
    return name if isinstance(name, str) and name in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_PLACES)


def _subtag(part: str) -> str:
    if len(part) == _SCRIPT_LENGTH and part.isalpha():
        return part.title()
    return part.upper() if len(part) == _REGION_LENGTH else part.lower()


def _kept(text: str, bound: Bound) -> str:
    """The beginning of a text on one line: control characters would be six bytes each to whoever is sent it."""
    line = _CONTROLS.sub(" ", text[: 2 * bound.characters]).strip()[: bound.characters]
    return line.encode("utf-8", "replace")[: bound.size].decode("utf-8", "ignore").rstrip()
