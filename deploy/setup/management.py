"""RabbitMQ's management interface over HTTP."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from deploy.setup.errors import SetupFailed
from deploy.setup.waiting import NotYet

TIMEOUT = 10.0


class Management:
    """Calls as one user. A broker that isn't there raises NotYet, a refusal SetupFailed."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url.rstrip("/")
        self._user = user
        self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def get(self, *path: str) -> Any:
        """What is there; None when nothing is."""
        return self._ask("GET", path)

    def put(self, *path: str, body: Any) -> None:
        """Make it so."""
        self._ask("PUT", path, body)

    def post(self, *path: str, body: Any) -> None:
        """Send it there."""
        self._ask("POST", path, body)

    def delete(self, *path: str) -> None:
        """Remove it, if it is there."""
        self._ask("DELETE", path)

    def _ask(self, method: str, path: tuple[str, ...], body: Any = None) -> Any:
        where = "/".join(quote(part, safe="") for part in path)
        request = urllib.request.Request(
            f"{self._url}/api/{where}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": self._authorization},
        )
        # No proxy of the environment stands between a setup and its broker.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=TIMEOUT) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            with error:
                return self._handle_refusal(error, f"{method} /api/{where}")
        except OSError as error:
            raise NotYet(f"{self._url} does not answer ({getattr(error, 'reason', error)})") from None
        return json.loads(content) if content else None

    def _handle_refusal(self, error: urllib.error.HTTPError, call: str) -> None:
        said = error.read(1000).decode("utf-8", "replace")
        if error.code == 404 and not call.startswith(("PUT", "POST")):
            return
        if error.code == 401:
            raise NotYet(f"it refuses {self._user}'s password")
        if error.code >= 500:
            raise NotYet(f"{call} was answered {error.code}")
        raise SetupFailed(f"{call} was answered {error.code}: {said}")
