"""The console's files as one release: at an address that their contents make, so that browsers keep them for good.

The page itself is asked for each time and names the release that this gateway has. It also names every module, so that a browser asks
for all of them at once instead of finding them import by import.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from gateway.assets import STATIC, Asset, find, make

CONSOLE = STATIC / "console"
VENDOR = STATIC / "vendor"
# What the page's import map names.
LIBRARIES = ("preact", "htm", "signals")
BASE = "/console/"
FOREVER = "public, max-age=31536000, immutable"
# A gateway of another version made the page: this one's file will do for now, and must not be kept under that name.
FOR_NOW = "no-store"
MARK = "r-"


class Release:
    """Which one this gateway has. Looked at anew with each page: files are edited where they are developed."""

    def __init__(self) -> None:
        self._present = ""

    def page(self) -> Asset:
        """index.html, its addresses those of the present release."""
        files = dict(_files())
        self._present = MARK + _digest(tuple((name, asset.etag) for name, asset in files.items()))
        modules = tuple(name for name in files if name.endswith((".js", ".mjs")))
        return _rewritten(find(CONSOLE, "index.html").body, self._present, modules)

    def split(self, name: str) -> tuple[str, str | None]:
        """The file that is asked for below `/console/`, and how long it may be kept: None when the address is of no release."""
        mark, _, rest = name.partition("/")
        if not mark.startswith(MARK) or not rest:
            return name, None
        return rest, FOREVER if mark == self._present else FOR_NOW


def locate(name: str) -> tuple[Path, str]:
    """The folder of a file below `/console/`, and its name there."""
    if name.startswith("vendor/"):
        return VENDOR, name.removeprefix("vendor/")
    return CONSOLE, name


def _files() -> Iterator[tuple[str, Asset]]:
    for path in sorted(CONSOLE.rglob("*.*")):
        if path.is_file() and path.suffix != ".html":
            name = str(path.relative_to(CONSOLE))
            yield name, find(CONSOLE, name)
    for library in LIBRARIES:
        for path in sorted((VENDOR / library).glob("*.mjs")):
            name = str(path.relative_to(VENDOR))
            yield f"vendor/{name}", find(VENDOR, name)


@lru_cache(maxsize=4)
def _digest(etags: tuple[tuple[str, str], ...]) -> str:
    return hashlib.sha256(repr(etags).encode()).hexdigest()[:16]


@lru_cache(maxsize=4)
def _rewritten(html: bytes, release: str, modules: tuple[str, ...]) -> Asset:
    there = f"{BASE}{release}/"
    preloads = "".join(f'<link rel="modulepreload" href="{there}{name}">\n    ' for name in modules)
    text = html.decode().replace(f'"{BASE}', f'"{there}')
    # Behind the import map, by which they import each other.
    return make(text.replace('<script type="module"', f'{preloads}<script type="module"').encode(), "text/html; charset=utf-8")
