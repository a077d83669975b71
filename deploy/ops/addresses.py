"""Where the broker and the database are: what the environment says, else what `make run` started from the data folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.broker import LocalBroker
from deploy.local.database import LocalDatabase
from deploy.local.errors import RunnerError
from deploy.local.settings import RunnerSettings
from deploy.ops.errors import Unusable
from services.common.settings import InvalidSetting, Settings

SECRET = "FOYER_SECRET_KEY"  # noqa: S105 - the variable's name


@dataclass(frozen=True)
class Surroundings:
    """The environment that the command works with; `data_dir` is the local runner's folder when its parts are the ones meant."""

    environment: Mapping[str, str]
    settings: Settings
    data_dir: Path | None


def find_surroundings(environment: Mapping[str, str] | None = None) -> Surroundings:
    """The surroundings. Raises Unusable when a setting is wrong, or nothing says where broker and database are."""
    env = dict(os.environ if environment is None else environment)
    data_dir = _complete(env)
    try:
        settings = Settings.read(env)
    except InvalidSetting as error:
        raise Unusable(f"{error}") from None
    return Surroundings(env, settings, data_dir)


def is_given(env: Mapping[str, str], name: str) -> bool:
    """Whether a variable, or the file that may hold it, is named."""
    return bool(env.get(name) or env.get(f"{name}_FILE"))


def _complete(env: dict[str, str]) -> Path | None:
    """Add the local runner's addresses where none are given; its folder if any were needed."""
    missing = [name for name in ("AMQP_URI", "MONGODB_URI") if not is_given(env, name)]
    if not missing:
        return None
    try:
        local = RunnerSettings.read({name: value for name, value in env.items() if name != SECRET})
    except RunnerError as error:
        raise Unusable(f"{error}") from None
    if not local.data_dir.is_dir():
        raise Unusable(
            f"{' and '.join(missing)} say nothing, and there is no data folder {local.data_dir} of a local run.",
            "Set both to the operator's addresses, or start one with: make run",
        )
    if "AMQP_URI" in missing:
        env["AMQP_URI"] = LocalBroker(local.data_dir / "broker", local.broker_port).uri()
    if "MONGODB_URI" in missing:
        env["MONGODB_URI"] = LocalDatabase(local.data_dir / "database", local.database_port).uri
    kept = local.data_dir / "secret_key"
    if not is_given(env, SECRET) and kept.is_file():
        env[SECRET] = kept.read_text().strip()
    return local.data_dir
