"""What the gateway shows to browsers, without any other host: the console, the widget, its demo page, and the API's documentation.

Nothing here asks a service: the pages open while the broker is down, and say so themselves.
"""

from pathlib import Path

from flask import Blueprint, Response, redirect
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from gateway.assets import REVALIDATED, STATIC, Asset, find, respond
from gateway.limits import limit_pages
from gateway.policies import policy_of
from gateway.release import VENDOR, Release, locate

WIDGET_CACHE = "public, max-age=300"

blueprint = Blueprint("pages", __name__)
release = Release()


@blueprint.get("/console")
@limit_pages
def lead_to_console() -> BaseResponse:
    """Its files are named relative to `/console/`."""
    return redirect("/console/", 308)


@blueprint.get("/console/")
@limit_pages
def show_console() -> Response:
    """The agents' page."""
    return _answer(release.page())


@blueprint.get("/console/<path:name>")
@limit_pages
def send_console_file(name: str) -> Response:
    """Its parts, also as those of a release."""
    name, cache = release.split(name)
    folder, name = locate(name)
    return _part(name, folder, cache=cache or REVALIDATED)


@blueprint.get("/widget.js")
@limit_pages
def send_widget() -> Response:
    """The script that any website may load."""
    response = respond(find(STATIC / "widget", "widget.js"), cache=WIDGET_CACHE)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/demo")
@limit_pages
def show_demo() -> Response:
    """A shop's page with the widget."""
    return _page(STATIC / "demo")


@blueprint.get("/demo/<path:name>")
@limit_pages
def send_demo_file(name: str) -> Response:
    """Its parts."""
    return _part(name, STATIC / "demo")


@blueprint.get("/docs")
@limit_pages
def show_docs() -> Response:
    """Swagger UI, which makes markup of Markdown."""
    return _page(STATIC / "docs", makes_markup=True)


@blueprint.get("/docs/<path:name>")
@limit_pages
def send_docs_file(name: str) -> Response:
    """Its parts."""
    return _part(name, VENDOR / "swagger-ui" if name.startswith("swagger-ui") else STATIC / "docs")


def _part(name: str, folder: Path, *, cache: str = REVALIDATED) -> Response:
    asset = find(folder, name)
    if asset.media_type.startswith("text/html"):  # a page is at its own address, with its policy
        raise NotFound
    return respond(asset, cache=cache)


def _page(folder: Path, *, makes_markup: bool = False) -> Response:
    return _answer(find(folder, "index.html"), makes_markup=makes_markup)


def _answer(page: Asset, *, makes_markup: bool = False) -> Response:
    response = respond(page)
    response.headers["Content-Security-Policy"] = policy_of(page.body, makes_markup=makes_markup)
    return response
