"""Pages, campaigns, locales, and what a visit refreshes."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contacts.domain import is_channels_news
from services.contacts.profiles import Visit, decide_visit, without_outdated
from services.contacts.visits import (
    MAX_PAGES,
    MAX_PAGES_BYTES,
    add_page,
    clean_locale,
    clean_time_zone,
    parse_campaign,
    read_page,
)
from tests.unit.contacts.documents import START, contact, moment


@pytest.mark.parametrize(
    ("url", "campaign"),
    [
        ("https://a.test/?utm_source=news&utm_medium=mail&utm_campaign=autumn&utm_term=x&utm_content=top", ("news", "mail", "autumn", "x", "top")),
        ("/p?a=1&UTM_Source=News#utm_medium=no", ("News", None, None, None, None)),
        ("?utm_source=one&utm_source=two", ("one", None, None, None, None)),
        ("https://a.test/?utm_campaign=Herbst%20%C3%BC", (None, None, "Herbst ü", None, None)),
        ("http://[broken?utm_source=x", ("x", None, None, None, None)),
    ],
)  # fmt: skip
def test_campaign_is_read_from_the_utm_parameters(url: str, campaign: tuple[str | None, ...]) -> None:
    assert parse_campaign(url) == dict(zip(("source", "medium", "name", "term", "content"), campaign, strict=True))


@pytest.mark.parametrize("url", ["", "https://a.test/", "https://a.test/?q=utm_source", "https://a.test/?utm_source=", "https://a.test/#?utm_source=x", "?" + "a&" * 4000])  # fmt: skip
def test_there_is_no_campaign_when_no_utm_parameter_says_so(url: str) -> None:
    assert parse_campaign(url) is None


@given(st.text(max_size=3000))
def test_page_is_read_whatever_its_texts_are(text: str) -> None:
    page = read_page({"url": text, "title": text, "referrer": text}, START)
    if page is not None:
        assert 0 < len(page["url"]) <= 2000
        assert "\x00" not in page["url"]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=120))
def test_history_keeps_first_and_last_and_never_grows_beyond_its_size(urls: list[str]) -> None:
    pages = None
    for number, url in enumerate(urls):
        pages = add_page(pages, read_page({"url": url}, moment(number)))
    assert pages is not None
    assert (pages["first"]["url"], pages["first"]["at"]) == (urls[0], START)
    assert pages["last"] == pages["pages"][-1]
    kept = [page["url"] for page in pages["pages"]]
    without_repeats = [url for index, url in enumerate(urls) if index == 0 or urls[index - 1] != url]
    assert kept == without_repeats[-MAX_PAGES:]


def sizes(pages: dict[str, Any]) -> list[int]:
    return [len(orjson.dumps(page)) for page in pages["pages"]]


@given(st.lists(st.text(min_size=1, max_size=300).map(lambda text: text * 20), min_size=1, max_size=60))
@settings(max_examples=30, deadline=None)
def test_history_is_bounded_in_bytes_and_keeps_the_newest(texts: list[str]) -> None:
    pages = None
    for number, text in enumerate(texts):
        pages = add_page(pages, read_page({"url": f"u{number}{text}", "title": text, "referrer": text}, moment(number)))
    assert pages is not None
    assert sum(sizes(pages)) <= MAX_PAGES_BYTES
    assert pages["first"]["url"].startswith("u0")
    assert pages["last"] == pages["pages"][-1]
    assert pages["last"]["at"] == moment(len(texts) - 1)
    times = [page["at"] for page in pages["pages"]]
    assert times == [moment(number) for number in range(len(texts) - len(times), len(texts))]
    assert add_page(pages, None) == pages


def test_texts_are_bounded_in_characters_and_in_bytes() -> None:
    otter = "\U0001f9a6"
    parts = "&".join(f"utm_{part}={otter * 300}" for part in ("source", "medium", "campaign", "term", "content"))
    page = read_page({"url": f"?{parts}&{otter * 3000}", "title": otter * 3000, "referrer": otter * 3000}, START)
    assert page is not None
    assert [len(page[part].encode()) for part in ("url", "title", "referrer")] == [4_096, 1_000, 4_096]
    assert {len(part.encode()) for part in page["campaign"].values()} == {400}
    plain = read_page({"url": "u" * 9000, "title": "t" * 9000, "referrer": "\x01" * 9000}, START)
    assert plain is not None
    assert (len(plain["url"]), len(plain["title"]), plain["referrer"]) == (2_000, 500, None)
    cut = read_page({"url": "uu" + otter * 3000}, START)
    assert cut is not None
    assert cut["url"] == "uu" + otter * 1_023


def test_history_of_an_earlier_version_comes_within_the_bounds_also_without_a_page() -> None:
    big = [{"url": f"{number}" + "\U0001f9a6" * 1_990, "title": "é" * 500, "referrer": None, "campaign": {"source": "ü" * 200, "medium": None}, "at": moment(number)} for number in range(50)]  # fmt: skip
    pages = add_page({"first": big[0], "last": big[-1], "pages": big}, None)
    assert pages is not None
    assert sum(sizes(pages)) <= MAX_PAGES_BYTES
    assert (pages["first"]["at"], pages["last"]["at"], pages["pages"][-1]) == (START, moment(49), pages["last"])
    assert max(len(pages[one]["url"].encode()) for one in ("first", "last")) <= 4_096
    assert pages["last"]["campaign"] == {"source": "ü" * 200, "medium": None}


def test_title_is_brought_up_to_date_when_the_page_stays() -> None:
    first = add_page(None, read_page({"url": "u"}, START))
    again = add_page(first, read_page({"url": "u", "title": "T"}, moment(5)))
    assert again is not None
    assert (again["first"]["title"], again["last"]["title"], again["last"]["at"], len(again["pages"])) == ("T", "T", START, 1)


@pytest.mark.parametrize(
    ("said", "locale"),
    [("en", "en"), ("DE_de", "de-DE"), ("pt-br,pt;q=0.9", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("sr-Latn", "sr-Latn"), ("es-419", "es-419"),
     ("", None), (None, None), ("*", None), ("english", None), ("en-<script>", None), ("x" * 500, None), ("../../etc", None)],
)  # fmt: skip
def test_locale_is_a_language_tag_or_none(said: str | None, locale: str | None) -> None:
    assert clean_locale(said) == locale


def test_what_was_known_stays_when_a_visit_does_not_tell() -> None:
    known = contact(ip="8.8.8.8", country={"code": "US", "name": "United States"}, browser="Firefox 128", locale="en")
    assert decide_visit(known, Visit(at=moment(5))) == {"last_seen_at": moment(5)}


def test_country_goes_when_the_new_address_has_none() -> None:
    known = contact(ip="8.8.8.8", country={"code": "US", "name": "United States"})
    changes = decide_visit(known, Visit(at=moment(5), ip="10.0.0.1"))
    assert (changes["ip"], changes["country"]) == ("10.0.0.1", None)


def test_last_seen_never_goes_back_when_clocks_differ() -> None:
    assert decide_visit(contact(), Visit(at=moment(-5))) == {}


@pytest.mark.parametrize(
    ("name", "zone"),
    [("Europe/Berlin", "Europe/Berlin"), ("Asia/Calcutta", "Asia/Calcutta"), ("UTC", "UTC"), ("Etc/GMT+7", "Etc/GMT+7"), ("Mars/Base", None),
     ("localtime", None), ("../../etc/passwd", None), ("", None), (None, None), (-7, None), (["UTC"], None), ("x" * 9000, None)],
)  # fmt: skip
def test_time_zone_is_kept_when_there_is_such_a_zone(name: object, zone: str | None) -> None:
    assert clean_time_zone(name) == zone


def test_what_was_told_earlier_changes_nothing_that_is_known_from_later() -> None:
    known = contact() | decide_visit(contact(), Visit(moment(10), locale="en", time_zone="UTC"))
    late = Visit(moment(5), locale="de", time_zone="Asia/Tokyo", browser="Firefox 128")
    assert without_outdated(known, late) == Visit(moment(5), browser="Firefox 128")
    assert without_outdated(known, Visit(moment(10), locale="de")).locale == "de"


def test_channels_name_is_news_unless_a_later_or_a_better_one_is_there() -> None:
    def named(kind: str, at: float) -> dict[str, Any]:
        by = {"kind": kind, "id": None, "name": None, "at": moment(at)}
        return contact(name="Zoe", name_source="generated" if kind == "system" else kind, provenance={"name": by})

    assert is_channels_news(named("system", 10), moment(5))  # nobody named it yet
    assert is_channels_news(named("channel", 5), moment(10))
    assert not is_channels_news(named("channel", 10), moment(5))
    assert not is_channels_news(named("bot", 1), moment(5))
    assert not is_channels_news(named("agent", 1), moment(5))
