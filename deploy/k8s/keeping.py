"""Keys of a running cluster, put where the keys command looks for those it made before: without them it makes new ones."""

import base64
import json
from pathlib import Path

from deploy.setup.definitions import OPERATOR
from deploy.setup.secrets import SECRETS


def keep(listed: str, folder: Path) -> int:
    """Write every secret found in `kubectl get secrets -o json` below `folder`, for nobody else's eyes; how many there were.

    Raises ValueError when one is missing that the cluster holds.
    """
    entries = {secret["metadata"]["name"]: secret.get("data", {}) for secret in json.loads(listed)["items"]}
    operator, gateway = entries.get(f"foyer-{OPERATOR}", {}), entries.get("foyer-gateway", {})
    found = {
        name: (operator | gateway)[place.replace("/", ".")]
        for name, (_, place) in SECRETS.items()
        if place.replace("/", ".") in operator | gateway
    }
    # These two are the operators' own business in a cluster.
    missing = set(SECRETS) - set(found) - {"database_keyfile", "broker_cookie"}
    if missing:
        raise ValueError(f"not among the Secrets: {', '.join(sorted(missing))}")
    for name, value in found.items():
        path = folder / OPERATOR / SECRETS[name][1]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(base64.b64decode(value))
    return len(found)
