"""The whole product and a Chromium, once for all tests that break nothing; and for each test browsers whose complaints fail it."""

import os
import re
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.website import Site, serving
from tests.e2e.conftest import make_channel
from tests.support import parts
from tests.support.browser import Browsing, find_browser, running_chromium
from tests.support.product import Agent, Gateway, Product

MISSING = "no Chromium or Chrome here: `deploy/local/bootstrap.sh --browser` installs one, FOYER_BROWSER names one"

# A failure is shown where the test called Playwright, not by hundreds of lines inside.
for name in [name for name in sys.modules if name.startswith("playwright.")]:
    vars(sys.modules[name])["__tracebackhide__"] = True


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Skips where there is none, but not in CI."""
    program = find_browser()
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with running_chromium(program) as browser:
        yield browser


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Product]:
    with parts.running(Product(tmp_path_factory.mktemp("product"), FOYER_WEBHOOK_PRIVATE_NETWORKS="127.0.0.0/8")) as product:
        yield product


@pytest.fixture(scope="package")
def gateway(product: Product) -> Gateway:
    """The shared one. Within `with gateway.dead():` nobody answers; then it is there again, at the same address."""
    return product.start_gateway()


admin = pytest.fixture(parts.admin, scope="package")
streams_end = pytest.fixture(parts.streams_end, scope="module", autouse=True)


@pytest.fixture(scope="module")
def channel_id(gateway: Gateway, admin: str) -> str:
    """A channel of the Acme flow, for the tests of one file."""
    return make_channel(gateway, admin)


@pytest.fixture(scope="module")
def ada(gateway: Gateway, admin: str) -> Agent:
    """An agent, likewise."""
    return Agent(gateway, admin, "Ada")


@pytest.fixture
def browsing(chromium: Browser, gateway: Gateway, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Browsing]:
    """`browsing.open("/console/")` is a new person's page; complaints that nobody expected fail the test at its end."""
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    browsing = Browsing(chromium, gateway.url, tmp_path / name)
    yield browsing
    browsing.close()


@pytest.fixture(scope="package")
def website(gateway: Gateway) -> Iterator[Site]:
    """A website of another origin, for the widget."""
    with serving(gateway) as site:
        yield site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, None, None]:
    """The end of each test: its pages are asked for complaints, and kept if it failed."""
    browsing = item.funcargs.get("browsing")
    try:
        yield
        if isinstance(browsing, Browsing):
            browsing.check()
    except BaseException:
        if isinstance(browsing, Browsing):
            item.add_report_section("call", "browser", browsing.keep())
        raise
