"""The browser and platform that a User-Agent header names."""

from functools import lru_cache
from typing import NamedTuple

import ua_parser

# The longest real ones have some 400 characters, and the cost of a parse grows with the length.
MAX_USER_AGENT = 512
# A first parse takes 0.5 ms, a hostile one 3 ms, a known one 1 µs.
CACHED = 4_096


class Client(NamedTuple):
    """Each with its version as far as people speak of it: "Chrome 126", "Windows 10"."""

    browser: str | None
    platform: str | None


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> Client:
    browser = ua_parser.parse_user_agent(text)
    system = ua_parser.parse_os(text)
    return Client(
        _named(browser.family, browser.major) if browser else None,
        _named(system.family, system.major, system.minor if system.family == "Mac OS X" else None) if system else None,
    )


def parse_user_agent(text: str | None) -> Client:
    """What is recognised of it."""
    return _parse((text or "")[:MAX_USER_AGENT])


def _named(family: str, *versions: str | None) -> str:
    version = ".".join(part for part in versions if part)
    return f"{family} {version}" if version else family
