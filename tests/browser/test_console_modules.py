"""The console's pure parts, asked in a browser: which addresses may be followed, how times and countries are written."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.browser import Browsing


@pytest.fixture
def page(browsing: Browsing) -> Page:
    return browsing.open("/console/")


def ask(page: Page, module: str, function: str, *arguments: Any) -> Any:
    """The result of a function that a module of the console exports."""
    return page.evaluate(
        """async ([module, name, args]) => (await import(`/console/app/${module}.js`))[name](...args)""",
        [module, function, list(arguments)],
    )


@pytest.mark.parametrize(
    ("written", "links"),
    [
        ("See https://shop.example/a?b=1&c=2.", ["https://shop.example/a?b=1&c=2"]),
        ("(http://one.example), HTTPS://TWO.example!", ["http://one.example/", "https://two.example/"]),
        ("javascript:alert(1) data:text/html,x file:///etc/passwd vbscript:x", []),
        ("https://", []),
        ('<a href="https://three.example/x">', ["https://three.example/x"]),
        ("xhttps://no.example and no.example", []),
        ("", []),
    ],
)
def test_only_web_addresses_become_links_and_every_letter_is_kept(page: Page, written: str, links: list[str]) -> None:
    parts = ask(page, "core/links", "parts", written)
    assert "".join(part["text"] for part in parts) == written
    assert [part["href"] for part in parts if "href" in part] == links


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//x.example", "x", "", None, "blob:x"]
)
def test_an_address_that_could_run_something_is_not_followed(page: Page, address: str | None) -> None:
    assert ask(page, "core/links", "safe", address) is None


def test_countries_have_flags_and_what_is_no_country_has_none(page: Page) -> None:
    assert ask(page, "core/format", "flag", "PT") == "🇵🇹"
    assert [ask(page, "core/format", "flag", code) for code in ("pt", "P", "PRT", "<i")] == ["", "", "", ""]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 min"),
        (3599, "60 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400, "1 day"),
        (260_000, "3 days"),
    ],
)
def test_durations_are_said_as_people_say_them(page: Page, seconds: int, said: str) -> None:
    assert ask(page, "core/format", "duration", seconds) == said


def test_times_are_said_by_how_long_ago_they_are(page: Page) -> None:
    page.clock.set_fixed_time("2026-11-24T10:00:00Z")
    page.reload()
    said = [
        ask(page, "core/format", "moment", at)
        for at in ("2026-11-24T09:05:00Z", "2026-11-23T17:40:00Z", "2026-11-02T07:00:00Z", "2025-12-31T23:59:00Z")
    ]
    assert said == ["09:05", "Yesterday 17:40", "2 Nov 07:00", "31 Dec 2025 23:59"]
    days = [
        ask(page, "core/format", "day", at)
        for at in ("2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-02T00:00:00Z")
    ]
    assert days == ["Today", "Yesterday", "Friday", "2 Nov"]
