"""The documentation page: Swagger UI from this gateway's own files, without any other host."""

from pathlib import Path

from flask import Blueprint, Response, send_from_directory
from werkzeug.wrappers import Response as BaseResponse

STATIC = Path(__file__).with_name("static")
ASSETS = {
    "swagger-ui.css": "vendor/swagger-ui",
    "swagger-ui-bundle.js": "vendor/swagger-ui",
    "docs.css": "docs",
    "docs.js": "docs",
}
# Swagger UI carries its icons as data; no script or style but from here, no request but to here.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

blueprint = Blueprint("pages", __name__)


@blueprint.get("/docs")
def show_docs() -> Response:
    """The page."""
    return _page("docs/index.html")


@blueprint.get("/docs/<path:name>")
def send_asset(name: str) -> BaseResponse:
    """Its parts."""
    response = send_from_directory(STATIC / ASSETS.get(name, "docs/none"), name, max_age=3600)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _page(path: str) -> Response:
    response = Response((STATIC / path).read_text(encoding="utf-8"), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
