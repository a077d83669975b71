"""How long a request's body may take: a client that sends it byte by byte shall not hold what serves it."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import gevent
from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout

BODY_SECONDS = 20.0

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class TimelyBody:
    """A request's body under gunicorn that raises RequestTimeout (408) at a deadline; gunicorn then closes the connection."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._deadline = time.monotonic() + BODY_SECONDS

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        return self._in_time(lambda: self._body.read(size))

    def readline(self, size: int = -1) -> bytes:
        """As a file's."""
        return self._in_time(lambda: self._body.readline(size))

    def _in_time(self, read: Callable[[], bytes]) -> bytes:
        late = RequestTimeout("The body came too slowly.")
        # Of the whole body, where a socket's own timeout would begin anew with every byte.
        with gevent.Timeout(max(0.0, self._deadline - time.monotonic()), late):
            try:
                return read()
            except ParseException as error:
                raise BadRequest("The body's chunks are not as HTTP has them.") from error


class BoundedRequest(Request):
    """A request whose body is refused when it is too long, also when no header said so before."""

    def get_data(self, *args: Any, **options: Any) -> Any:
        """The body. Raises RequestEntityTooLarge: of a chunked one werkzeug would give the beginning, as if that were all."""
        data = super().get_data(*args, **options)
        limit = self.max_content_length
        if self.content_length is None and limit is not None and len(data) >= limit:
            raise RequestEntityTooLarge
        return data


def hurry(app: WsgiApp) -> WsgiApp:
    """The application, reading bodies in time where gunicorn serves it."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "gunicorn.socket" in environ:
            environ["wsgi.input"] = TimelyBody(environ["wsgi.input"])
        return app(environ, start_response)

    return serve
