"""Browsers and platforms."""

import time

import pytest

from services.contacts.user_agents import parse_user_agent

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("header", "browser", "platform"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36", "Chrome 126", "Windows 10"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
            "Edge 126",
            "Windows 10",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36",
            "Chrome Mobile 126",
            "Android 14",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox 128", "Linux"),
        ("curl/8.1", "curl 8", None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_browser_and_platform_are_named(header: str | None, browser: str | None, platform: str | None) -> None:
    assert parse_user_agent(header) == (browser, platform)


@pytest.mark.parametrize("header", ["(" * 100_000, "Mozilla/5.0 " + "a/1 " * 50_000, "\x00\U0001f600" * 9000])
def test_hostile_header_costs_no_time(header: str) -> None:
    parse_user_agent("Mozilla/5.0")
    began = time.thread_time()
    parse_user_agent(header)
    assert time.thread_time() - began < 0.5
