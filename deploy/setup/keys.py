"""`python -m deploy.setup keys`: fills each consumer's volume; with `--kubernetes` prints the same as Secrets instead.

The operator's volume keeps every secret: what was made once is found there again. Where a broker's or database's own operator
changed, the password before it is kept beside the new one, for the setup that has to sign in to change it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml

from deploy.setup.definitions import OPERATOR
from deploy.setup.files import ROOT, Addresses, consumers, write
from deploy.setup.secrets import DATABASE_USERS, SECRETS, Secret, gather
from services.common.logs import get_logger

log = get_logger(__name__)

# By the operator's secret, the file that the setup reads its password from.
SIGN_INS = {
    f"broker_{OPERATOR}_password": "broker_api_password",
    f"database_{OPERATOR}_password": f"database_passwords/{OPERATOR}",
}
NOT_IN_CLUSTERS = ("broker", "database")


@dataclass(frozen=True)
class KeysSettings:
    """Where keys go, where given secrets are, and what the addresses in them say."""

    keys: Path
    given: Path
    addresses: Addresses

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self:
        """The settings in the environment."""
        default = Addresses()
        return cls(
            keys=Path(env.get("FOYER_KEYS_FOLDER") or "/keys"),
            given=Path(env.get("FOYER_SECRETS_FOLDER") or "/secrets"),
            addresses=Addresses(
                env.get("FOYER_BROKER_HOST") or default.broker, env.get("FOYER_DATABASE_HOSTS") or default.database
            ),
        )


def fill(env: Mapping[str, str]) -> None:
    """Write every consumer's files. Raises InvalidSetting."""
    settings = KeysSettings.read(env)
    operator = settings.keys / OPERATOR
    found = gather(env, settings.given, operator)
    # First what can't be made again: a setup that is cut off goes on from here.
    for name, file in SIGN_INS.items():
        _keep_before(operator / f"{file}.previous", found[name])
    for name, secret in found.items():
        write(operator / SECRETS[name][1], secret.value, ROOT, 0o400)
        log.info("secret", name=name, origin=secret.origin, changed=secret.before is not None)
    for consumer, what in consumers(_values(found), settings.addresses).items():
        for path, content in what.files.items():
            write(settings.keys / consumer / path, content, what.owner, what.mode)
        log.info("keys_written", consumer=consumer, files=sorted(what.files))


def render_secrets(env: Mapping[str, str]) -> str:
    """The same as Secret manifests; what is neither given nor kept in the operator's volume is made, so it is another each time."""
    settings = KeysSettings.read(env)
    values = _values(gather(env, settings.given, settings.keys / OPERATOR))
    manifests = [
        _manifest(f"foyer-{consumer}", {path.replace("/", "."): content for path, content in what.files.items()})
        for consumer, what in consumers(values, settings.addresses).items()
        if consumer not in NOT_IN_CLUSTERS
    ]
    manifests += [
        _manifest(f"foyer-database-{user}", {"password": values[f"database_{user}_password"]}) for user in DATABASE_USERS
    ]
    return yaml.safe_dump_all(manifests, sort_keys=False, explicit_start=True)


def _values(found: Mapping[str, Secret]) -> dict[str, str]:
    return {name: secret.value for name, secret in found.items()}


def _keep_before(path: Path, secret: Secret) -> None:
    """Add the password before this one to those that may still be in force."""
    if secret.before is None:
        return
    earlier = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = [secret.before, *(password for password in earlier if password != secret.before)][:5]
    write(path, "\n".join(kept) + "\n", ROOT, 0o400)


def _manifest(name: str, content: dict[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "foyer"}},
        "type": "Opaque",
        "stringData": content,
    }
