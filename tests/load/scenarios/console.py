"""How fast the console opens over many conversations, and how smoothly its list scrolls to their end, in a browser on the same machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from tests.load.lab import Lab, World
from tests.load.numbers import summarise
from tests.load.report import Column, Section, Table, Value
from tests.support.browser import DESKTOP, find_browser, running_chromium
from tests.support.product import PASSWORD, Agent

NAME = "console"
SIZES = (100, 10_000)
VISITS = 5
STEP = 240  # pixels a frame: a page in three frames, faster than anybody reads
SMOOTH_MS = 50.0  # a frame that takes longer is seen as a stutter
SCROLL_MS = 300_000

TEXT = (
    "An agent's browser (Chromium without a graphics card, so this machine's processors also draw) opens the folder of all open "
    "conversations. Measured inside the page: from the navigation's start until the first rows of the list are drawn. The list then scrolls "
    f"by {STEP} pixels a frame to its very end, fetching page after page on its way; a frame is the time between two of the "
    "browser's drawings, 16.7 ms when nothing holds it up. Beside it the same over a hundred conversations: what the size costs is the "
    "ratio of the two."
)

# Notes when the list's first row is drawn.
WATCH = """
addEventListener("DOMContentLoaded", () => {
    const look = () => {
        if (document.querySelector("[data-row]") === null) return requestAnimationFrame(look);
        return requestAnimationFrame(() => { window.drawn = performance.now(); });
    };
    look();
});
"""

# Scrolls to the end and answers {frames, most, heap}.
SCROLL = """
async (step) => {
    const list = document.querySelector(".virtual-list");
    const frames = [];
    let most = 0, last = performance.now(), still = 0;
    while (still < 120) {
        const before = list.scrollTop;
        list.scrollTop += step;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - last);
        last = now;
        most = Math.max(most, list.querySelectorAll("[data-row]").length);
        still = list.scrollTop === before ? still + 1 : 0;
    }
    return { frames: frames.slice(0, -120), most, heap: performance.memory.usedJSHeapSize };
}
"""


def measure(lab: Lab) -> Section:
    """Over few and over many conversations, each on a fresh product."""
    program = find_browser()
    if program is None:
        return Section(NAME, "The console over many conversations", TEXT, [], ["there is no Chromium or Chrome here"])
    opening: list[dict[str, Value]] = []
    scrolling: list[dict[str, Value]] = []
    faults: list[str] = []
    with running_chromium(program) as chromium:
        for size in (50, 500) if lab.quick else SIZES:
            lab.say(f"{NAME}: starting a product with {size:,} conversations")
            with lab.product(replicas=1) as world:
                (agent,) = world.hire(1, 4)
                world.crowd(world.open_channel([agent]), size)
                opening.append({"size": size} | _open(chromium, world, agent))
                lab.say(f"{NAME}: scrolling through {size:,}")
                scrolled = _scroll(chromium, world, agent)
                scrolling.append({"size": size} | scrolled)
                if scrolled["reached"] != size + 1:
                    faults.append(f"of {size + 1} conversations the list showed {scrolled['reached']}")
    return Section(NAME, "The console over many conversations", TEXT, _tables(opening, scrolling), faults)


def _open(chromium: Browser, world: World, agent: Agent) -> dict[str, Value]:
    first, again, asked = [], [], []
    for _ in range(VISITS):
        with _console(chromium, world, agent) as page:
            first.append(_drawn(page))
            page.reload()
            again.append(_drawn(page))
            asked.append(page.evaluate(ASKED))
    return {"first": summarise(first).p50, "again": summarise(again).p50, "again_max": max(again), "asked": summarise(asked).p50}


ASKED = """
() => performance.getEntriesByType("resource").find((entry) => entry.name.includes("/v1/conversations?")).duration
"""


def _scroll(chromium: Browser, world: World, agent: Agent) -> dict[str, Value]:
    with _console(chromium, world, agent) as page:
        _drawn(page)
        page.set_default_timeout(SCROLL_MS)
        found: dict[str, Any] = page.evaluate(SCROLL, STEP)
        reached = page.evaluate("() => Number(document.querySelector('[data-row]').ariaSetSize)")
    frames = summarise(found["frames"])
    stutters = [frame for frame in found["frames"] if frame > SMOOTH_MS]
    return {
        "reached": reached,
        "seconds": sum(found["frames"]) / 1000,
        "p50": frames.p50,
        "p99": frames.p99,
        "max": frames.max,
        "stutters": 100 * len(stutters) / max(1, frames.count),
        "rows": found["most"],
        "heap": found["heap"] / 1_000_000,
    }


@contextmanager
def _console(chromium: Browser, world: World, agent: Agent) -> Iterator[Page]:
    """A signed-in browser that has never been there, on its way to the list."""
    context = chromium.new_context(base_url=world.url, viewport=DESKTOP, locale="en-GB")
    try:
        page = context.new_page()
        answer = context.request.post("/v1/auth/token", data={"email": agent.email, "password": PASSWORD}).json()
        page.goto("/v1/openapi.json")  # any page of the console's origin that is not the console
        page.evaluate(SIGN_IN, answer)
        page.add_init_script(WATCH)
        page.goto("/console/#/chats/all", wait_until="commit")
        yield page
    finally:
        context.close()


SIGN_IN = """
(answer) => {
    localStorage.setItem("foyer.session", JSON.stringify({ ...answer, good_until: Date.now() + answer.expires_in * 1000 }));
    localStorage.setItem("foyer.agent", JSON.stringify(answer.agent));
}
"""


def _drawn(page: Page) -> float:
    page.wait_for_function("() => window.drawn !== undefined")
    return float(page.evaluate("() => window.drawn"))


def _tables(opening: list[dict[str, Value]], scrolling: list[dict[str, Value]]) -> list[Table]:
    return [
        Table(
            "Opening the list",
            [
                Column("size", "conversations"),
                Column("first", "first visit ms"),
                Column("again", "reload ms"),
                Column("again_max", "slowest reload ms"),
                Column("asked", "of which the API's answer ms", 1),
            ],
            opening,
            f"Medians of {VISITS} browsers that had never been there, and of a reload in each.",
        ),
        Table(
            "Scrolling to the end",
            [
                Column("size", "conversations"),
                Column("reached", "shown at the end"),
                Column("seconds", "seconds", 1),
                Column("p50", "frame p50 ms", 1),
                Column("p99", "frame p99 ms", 1),
                Column("max", "longest frame ms", 1),
                Column("stutters", f"frames over {SMOOTH_MS:.0f} ms, %", 2),
                Column("rows", "rows in the page at most"),
                Column("heap", "JavaScript heap MB", 1),
            ],
            scrolling,
            "Only what is in view is in the page: the rows don't grow with the list.",
        ),
    ]
