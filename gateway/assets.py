"""The gateway's own files as they are answered: kept in memory beside their compressed form, read again when they change on disk."""

import gzip
import hashlib
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from flask import Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

STATIC = Path(__file__).with_name("static")
# By suffix, or by name for those without one; whatever else lies in a folder is not served.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml; charset=utf-8",
    "LICENSE": "text/plain; charset=utf-8",
}
REVALIDATED = "no-cache"  # kept by browsers, and asked for each time: 304 as long as nothing changed


@dataclass(frozen=True)
class Asset:
    """A file's content; `compressed` is None where that would be no smaller."""

    body: bytes
    compressed: bytes | None
    etag: str
    media_type: str


def find(folder: Path, name: str) -> Asset:
    """The file of that name in the folder or below. Raises NotFound."""
    joined = safe_join(str(folder), name)
    if joined is None:
        raise NotFound
    path = Path(joined)
    media_type = TYPES.get(path.suffix or path.name)
    if media_type is None:
        raise NotFound
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise NotFound
        return _read(path, media_type, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError):  # not there; too long for a name; a NUL
        raise NotFound from None


def prepare() -> None:
    """Read and compress everything now, so that no request waits for it."""
    for path in STATIC.rglob("*"):
        if path.is_file() and (path.suffix or path.name) in TYPES:
            find(path.parent, path.name)


def respond(asset: Asset, *, cache: str = REVALIDATED) -> Response:
    """The answer with a file: compressed for whom takes that, 304 for whom has it already."""
    compressed = asset.compressed if request.accept_encodings["gzip"] > 0 else None
    response = Response(compressed or asset.body, content_type=asset.media_type)
    if compressed:
        response.content_encoding = "gzip"
    if asset.compressed:
        response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = cache
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # Weak: the same for both forms, whose meaning is the same.
    response.set_etag(asset.etag, weak=True)
    return cast("Response", response.make_conditional(request))


@lru_cache(maxsize=1024)
def _read(path: Path, media_type: str, _changed: int, _size: int) -> Asset:
    return make(path.read_bytes(), media_type)


def make(body: bytes, media_type: str) -> Asset:
    """The asset of a content."""
    compressed = gzip.compress(body, mtime=0)
    return Asset(body, compressed if len(compressed) < len(body) else None, hashlib.sha256(body).hexdigest()[:32], media_type)
