"""The broker's management API, where its address and password are known."""

from collections.abc import Mapping
from typing import Any

from deploy.ops.errors import Unusable
from deploy.setup import management
from deploy.setup.errors import SetupFailed
from deploy.setup.waiting import NotYet
from services.common.settings import InvalidSetting, read_secret

ADDRESS = "FOYER_BROKER_API"
USER = "FOYER_BROKER_API_USER"
PASSWORD = "FOYER_BROKER_API_PASSWORD"  # noqa: S105 - the variable's name


class Management:
    """Reads from the API; `api.get("overview")`."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._api = management.Management(url, user, password)

    @classmethod
    def find(cls, environment: Mapping[str, str]) -> "Management | None":
        """The API that the environment names, or None. Raises Unusable when its password can't be read."""
        url = environment.get(ADDRESS)
        if not url:
            return None
        try:
            password = read_secret(environment, PASSWORD) or ""
        except InvalidSetting as error:
            raise Unusable(f"{error}") from None
        return cls(url, environment.get(USER) or "operator", password)

    def get(self, *path: str) -> Any:
        """The decoded answer. Raises Unusable."""
        try:
            found = self._api.get(*path)
        except (NotYet, SetupFailed, ValueError) as error:
            raise Unusable(f"The broker's management API at {self.url} can't be read: {error}.") from None
        if found is None:
            raise Unusable(f"The broker's management API at {self.url} knows no {'/'.join(path)}.")
        return found

    def alarms(self) -> list[str]:
        """Nodes that refuse messages, and partitions: `rabbit@one: memory`."""
        found = []
        for node in self.get("nodes"):
            found += [f"{node['name']}: {kind}" for kind in ("mem", "disk") if node.get(f"{kind}_alarm")]
            found += [f"{node['name']}: apart from {other}" for other in node.get("partitions", ())]
            if not node.get("running", True):
                found.append(f"{node['name']}: down")
        return found
