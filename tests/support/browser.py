"""A headless Chromium of this machine, people's browsers in it, and what their pages complained of."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    ViewportSize,
    WebError,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError

PROGRAMS = ("chromium", "google-chrome", "google-chrome-stable")  # as in bootstrap.sh
# The sandbox is not for root, which containers and CI often are; the rest keeps it from asking the outside for anything.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Long for a page, and short of pytest's own limit, which would end the browser's connection for all tests after it.
PATIENCE_MS = 15_000
# After a server was away: the longer it was, the more seldom a page looks for it.
RETURN_MS = 40_000
GRAVE = ("serious", "critical")


def find_browser() -> str | None:
    """The program named by FOYER_BROWSER, else a Chromium or Chrome on the PATH."""
    named = os.environ.get("FOYER_BROWSER")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def running_chromium(program: str) -> Iterator[Browser]:
    """Ends with the context, and with it the event loop that Playwright keeps in this thread, where no other may run meanwhile."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass(repr=False)
class Browsing:
    """
    The browsers that one test opens; each is a person's own, with nothing kept from another.

    Under our content security policies Playwright's `wait_for_function` takes functions (`() => …`), not bare expressions.
    """

    chromium: Browser
    url: str
    folder: Path
    console: list[str] = field(default_factory=list)
    _expected: list[re.Pattern[str]] = field(default_factory=list)
    _complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self, path: str = "", *, size: ViewportSize = DESKTOP, scheme: Literal["light", "dark"] = "light", **options: Any
    ) -> Page:
        """A new browser's page, at `path` if given; `options` are Playwright's for a context. Its `context.new_page()` is a further tab."""
        phone = {"has_touch": True, "is_mobile": True} if size is PHONE else {}
        ours: dict[str, Any] = {"locale": "en-GB", "timezone_id": "UTC", "base_url": self.url} | phone
        context = self.chromium.new_context(**ours | {"viewport": size, "color_scheme": scheme} | options)
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", self._hear)
        context.on("weberror", self._hear_exception)
        page = context.new_page()
        if path:
            page.goto(path)
        return page

    def expect(self, *patterns: str) -> None:
        """Complaints in which one of the patterns is found are part of what is tested, before or after this call."""
        self._expected += map(re.compile, patterns)

    def check(self) -> None:
        """Fail if a page logged an error (violations of the content security policy are such), or raised, and nobody expected it."""
        __tracebackhide__ = True
        for page in self._pages():
            with suppress(PlaywrightError):  # it may be on its way to another document
                page.evaluate("0")  # what was said before the answer has been heard with it
        unexpected = [said for said in self._complaints if not any(pattern.search(said) for pattern in self._expected)]
        assert not unexpected, "the pages complained:\n  " + "\n  ".join(unexpected)

    def keep(self) -> str:
        """Save how every page looks now and all that was logged; says where."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "console.log").write_text("\n".join([*self.console, ""]))
        for number, page in enumerate(self._pages(), start=1):
            try:
                page.screenshot(path=self.folder / f"page-{number}.png", timeout=5000)
            except PlaywrightError as error:
                (self.folder / f"page-{number}.txt").write_text(f"{page.url}: {error}\n")
        return f"screenshots and console: {self.folder}"

    def close(self) -> None:
        """Close them all."""
        for context in self._contexts:
            context.close()

    def _pages(self) -> list[Page]:
        return [page for context in self._contexts for page in context.pages if not page.is_closed()]

    def _hear(self, message: ConsoleMessage) -> None:
        place = message.location
        said = f"{message.type}: {message.text} ({place.get('url', '')}:{place.get('lineNumber', 0) + 1})"
        self.console.append(said)
        if message.type in ("error", "assert"):
            self._complaints.append(said)

    def _hear_exception(self, error: WebError) -> None:
        said = f"exception: {error.error.stack or error.error.message}"
        self.console.append(said)
        self._complaints.append(said)


def axe(page: Page, within: str | None = None) -> None:
    """Fail on serious and critical violations of accessibility rules (axe-core), in the page or the elements that a selector finds."""
    __tracebackhide__ = True
    settle(page)
    found = Axe().run(page, context=within).response["violations"]
    told = [_tell(violation) for violation in found if violation["impact"] in GRAVE]
    assert not told, f"{page.url} is hard to use for some people:\n" + "\n".join(told)


def _tell(violation: dict[str, Any]) -> str:
    lines = [f"  {violation['impact']} {violation['id']}: {violation['help']} ({violation['helpUrl']})"]
    for node in violation["nodes"]:
        reasons = [check["message"] for kind in ("any", "all", "none") for check in node[kind]]
        lines += [f"    {' '.join(map(str, node['target']))}  {node['html'][:160]}", *(f"      {reason}" for reason in reasons)]
    return "\n".join(lines)


def settle(page: Page) -> None:
    """Return when fonts are there and transitions at their end, those in shadow roots among them."""
    page.evaluate(
        """async () => {
            await document.fonts.ready;
            const shadows = [...document.querySelectorAll("*")].map((each) => each.shadowRoot).filter((each) => each !== null);
            const animations = [document, ...shadows].flatMap((each) => each.getAnimations());
            const running = animations.filter((each) => each.effect?.getComputedTiming().endTime !== Infinity);
            await Promise.allSettled(running.map((each) => each.finished));
        }"""
    )


def screenshot(page: Page, name: str) -> None:
    """`<name>.png` in the folder FOYER_SCREENSHOTS, for the documentation; nothing when it isn't set."""
    folder = os.environ.get("FOYER_SCREENSHOTS")
    if folder:
        settle(page)
        page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled", caret="hide", scale="css")
