"""What a visit tells: the page and its campaign, the history of pages, locale and time zone. Hostile input is kept as text or dropped, never refused."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import available_timezones

MAX_URL = 2_000
MAX_TITLE = 500
MAX_CAMPAIGN = 200
MAX_PAGES = 50
# Browsers send up to 64 kB; a campaign further behind than this is no campaign.
MAX_PARSED = 10_000
MAX_PARAMETERS = 1_000

CAMPAIGN_PARTS = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
}
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
        if part is not None and (text := _kept(value, MAX_CAMPAIGN)):
            found.setdefault(part, text)
    return {part: found.get(part) for part in CAMPAIGN_PARTS.values()} if found else None


def read_page(page: Mapping[str, Any] | None, at: datetime) -> Page | None:
    """The page as it is stored; None without an address."""
    if page is None:
        return None
    raw = page.get("url") or ""
    url = _kept(raw, MAX_URL)
    if not url:
        return None
    return {
        "url": url,
        "title": _kept(page.get("title") or "", MAX_TITLE) or None,
        "referrer": _kept(page.get("referrer") or "", MAX_URL) or None,
        "campaign": parse_campaign(raw),
        "at": at,
    }


def add_page(pages: Pages | None, page: Page | None) -> Pages | None:
    """The history with one more page. The first stays for ever; the page that was last already is only brought up to date."""
    if page is None:
        return pages
    if pages is None:
        return {"first": page, "last": page, "pages": [page]}
    history: list[Page] = pages["pages"]
    if history and history[-1]["url"] == page["url"]:
        seen = history[-1] | {"title": page["title"] or history[-1]["title"]}
        first = seen if pages["first"] == history[-1] else pages["first"]
        return {"first": first, "last": seen, "pages": [*history[:-1], seen]}
    return {"first": pages["first"], "last": page, "pages": [*history, page][-MAX_PAGES:]}


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


def _kept(text: str, length: int) -> str:
    return text.replace("\x00", "").strip()[:length]
