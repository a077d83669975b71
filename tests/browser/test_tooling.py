"""The support for tests in a browser catches what it says it catches."""

import re

import pytest
from playwright.sync_api import Error as PlaywrightError

from tests.support.browser import PHONE, Browsing, axe
from tests.support.product import Gateway

PAGE = "data:text/html,<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>"

# A connection that the browser kept may end first, which has names of its own.
LOST = re.compile("ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("<script>console.error('lost')</script>", "error: lost"),
        ("<script>undefined_function()</script>", "exception: .*undefined_function is not defined"),
        ("<script>Promise.reject(new Error('late'))</script>", "exception: .*late"),
        (
            "<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><p style='color:red'>",
            "Content Security Policy",
        ),
    ],
)
def test_test_fails_when_a_page_complains(browsing: Browsing, content: str, complaint: str) -> None:
    browsing.open(PAGE + content)
    with pytest.raises(AssertionError, match=complaint):
        browsing.check()
    browsing.expect(complaint)
    browsing.check()


def test_test_fails_when_a_file_of_a_page_is_missing(browsing: Browsing) -> None:
    browsing.open("/nowhere")
    with pytest.raises(AssertionError, match="404"):
        browsing.check()
    browsing.expect("404 .*/nowhere")
    browsing.check()


def test_test_leaves_pictures_and_console_when_it_fails(browsing: Browsing) -> None:
    browsing.open(PAGE + "<script>console.info('so far')</script>")
    assert str(browsing.folder) in browsing.keep()
    assert "info: so far" in (browsing.folder / "console.log").read_text()
    assert (browsing.folder / "page-1.png").stat().st_size > 1000


def test_axe_names_the_element_when_it_cannot_be_used(browsing: Browsing) -> None:
    page = browsing.open(PAGE + "<button id=nameless></button>")
    with pytest.raises(AssertionError, match=r"critical button-name: .*\n    #nameless"):
        axe(page)
    axe(browsing.open(PAGE))


def test_browsers_share_nothing_when_they_are_two_peoples(browsing: Browsing) -> None:
    desktop = browsing.open("/healthz")
    phone = browsing.open("/healthz", size=PHONE, scheme="dark")
    desktop.evaluate("localStorage.setItem('who', 'ann')")
    dark = "matchMedia('(prefers-color-scheme: dark)').matches"
    assert phone.evaluate(f"[localStorage.getItem('who'), screen.width, {dark}]") == [None, 390, True]
    assert desktop.evaluate(f"[localStorage.getItem('who'), innerWidth, {dark}]") == ["ann", 1280, False]
    assert desktop.evaluate("[navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone]") == ["en-GB", "UTC"]


def test_page_meets_the_gateway_again_when_it_died(browsing: Browsing, gateway: Gateway) -> None:
    page = browsing.open("/healthz")
    with gateway.dead(), pytest.raises(PlaywrightError, match=LOST):
        page.reload()
    page.goto("/healthz")
    page.wait_for_function("() => document.body.textContent.includes('ok')")
