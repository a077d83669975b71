"""The broker's management API, where its address and password are known."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deploy.ops.errors import Unusable

ADDRESS = "FOYER_BROKER_API"
USER = "FOYER_BROKER_API_USER"
PASSWORD = "FOYER_BROKER_API_PASSWORD"  # noqa: S105 - the variable's name
_SECONDS = 10
# A proxy that the environment names is not for the broker.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Management:
    """Reads from the API; `api.get("overview")`."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> "Management | None":
        """The API that the environment names, or None. Raises Unusable when its password can't be read."""
        url = environment.get(ADDRESS)
        if not url:
            return None
        password, file = environment.get(PASSWORD, ""), environment.get(f"{PASSWORD}_FILE")
        if file:
            try:
                password = Path(file).read_text().rstrip("\r\n")
            except OSError as error:
                raise Unusable(f"{PASSWORD}_FILE={file} can't be read: {error.strerror}.") from None
        return cls(url, environment.get(USER) or "operator", password)

    def get(self, *path: str) -> Any:
        """The decoded answer. Raises Unusable."""
        address = "/".join([self.url, "api", *(quote(part, safe="") for part in path)])
        request = urllib.request.Request(address, headers={"Authorization": self._authorization})
        try:
            with _opener.open(request, timeout=_SECONDS) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                raise Unusable(f"The broker's management API answers {error.code} to {'/'.join(path)}.") from None
        except (OSError, ValueError) as error:
            raise Unusable(f"The broker's management API at {self.url} does not answer: {error}.") from None

    def alarms(self) -> list[str]:
        """Nodes that refuse messages, and partitions: `rabbit@one: memory`."""
        found = []
        for node in self.get("nodes"):
            found += [f"{node['name']}: {kind}" for kind in ("mem", "disk") if node.get(f"{kind}_alarm")]
            found += [f"{node['name']}: apart from {other}" for other in node.get("partitions", ())]
            if not node.get("running", True):
                found.append(f"{node['name']}: down")
        return found
