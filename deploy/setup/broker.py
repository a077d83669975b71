"""`python -m deploy.setup broker`: the broker's users, their rights, and everything that the services find given.

Idempotent. What exists is left as it is: a queue keeps the arguments it was made with, and a difference is said.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from deploy.setup.definitions import OPERATOR, USERS, VHOST, definitions
from deploy.setup.errors import SetupFailed
from deploy.setup.management import Management
from deploy.setup.passwords import read_passwords, with_previous
from deploy.setup.waiting import Deadline, NotYet
from services.common.logs import get_logger
from services.common.settings import InvalidSetting, Settings, read_number, read_secret

log = get_logger(__name__)

GUEST = "guest"
# They let nobody ask whether a queue is up who may not also delete it; rabbitmq-server, pull requests 16085 and 16272.
UNUSABLE = ("4.2.6", "4.3.0")


@dataclass(frozen=True)
class BrokerSetup:
    """Where the broker's management interface is, who signs in, and the users' passwords."""

    api: str
    user: str
    sign_ins: list[str]
    passwords: dict[str, str]
    nodes: int
    timeout: float
    product: Settings

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self:
        """The settings in the environment. Raises InvalidSetting."""
        password = read_secret(env, "FOYER_BROKER_API_PASSWORD")
        if password is None:
            raise InvalidSetting("FOYER_BROKER_API_PASSWORD_FILE must name the file with the operator's password.")
        file = env.get("FOYER_BROKER_API_PASSWORD_FILE")
        folder = env.get("FOYER_BROKER_PASSWORDS")
        if not folder:
            raise InvalidSetting("FOYER_BROKER_PASSWORDS must name the folder with a file for each user's password.")
        return cls(
            api=env.get("FOYER_BROKER_API") or "http://broker:15672",
            user=env.get("FOYER_BROKER_API_USER") or OPERATOR,
            sign_ins=with_previous(password, Path(file)) if file else [password],
            passwords=read_passwords(Path(folder), USERS, "FOYER_BROKER_PASSWORDS"),
            nodes=read_number(env, "FOYER_BROKER_NODES", 1, minimum=1, maximum=100),
            timeout=read_number(env, "FOYER_SETUP_TIMEOUT", 120.0, minimum=0, maximum=3600),
            product=Settings.read({name: value for name, value in env.items() if not name.startswith(("AMQP_", "MONGODB_"))}),
        )


def set_up_broker(env: Mapping[str, str]) -> None:
    """Bring the broker to what the services need. Raises InvalidSetting, SetupFailed."""
    setup = BrokerSetup.read(env)
    deadline = Deadline(setup.timeout)
    management, version = deadline.wait_for("the broker's management interface", lambda: _sign_in(setup))
    if version in UNUSABLE:
        raise SetupFailed(f"RabbitMQ {version} has rights that the services can't work with; take one before or after it")
    deadline.wait_for(f"{setup.nodes} nodes of the broker", lambda: _count_nodes(management, setup.nodes))
    for user, tags in USERS.items():
        management = deadline.wait_for(f"user {user}", partial(_make_user, setup, management, user, tags))
    wanted = definitions(setup.product, version)
    deleted = _deleted(management, wanted["queues"])
    deadline.wait_for("the definitions' import", lambda: management.post("definitions", body=wanted))
    log.info("definitions_imported", vhost=VHOST, queues=len(wanted["queues"]), bindings=len(wanted["bindings"]))
    if deleted:
        log.warning("queues_made_anew", queues=deleted)
    deadline.wait_for("the queues", lambda: _check_queues(management, wanted["queues"]))
    if setup.user != GUEST and management.get("users", GUEST) is not None:
        management.delete("users", GUEST)
        log.info("guest_deleted")
    log.info("broker_ready", version=version, queue_type=setup.product.queue_type)


def _sign_in(setup: BrokerSetup) -> tuple[Management, str]:
    seen = NotYet("nobody answers")
    for password in setup.sign_ins:
        management = Management(setup.api, setup.user, password)
        try:
            overview = management.get("overview")
        except NotYet as refused:
            seen = seen if password != setup.sign_ins[0] else refused
            continue
        version = str(overview["rabbitmq_version"])
        log.info("broker_answers", version=version, previous_password=password != setup.sign_ins[0])
        return management, version
    raise seen


def _count_nodes(management: Management, wanted: int) -> None:
    running = [node["name"] for node in management.get("nodes") if node.get("running")]
    if len(running) < wanted:
        raise NotYet(f"{len(running)} run")


def _make_user(setup: BrokerSetup, management: Management, user: str, tags: str) -> Management:
    """Give the user its password and tags, unless it has them; whoever changes their own goes on with the new one."""
    password = setup.passwords[user]
    present = management.get("users", user)
    if present is not None and matches(present, password) and _tags(present) == tags:
        log.info("user_unchanged", user=user)
        return management
    management.put("users", user, body={"password": password, "tags": tags})
    log.info("user_made" if present is None else "user_changed", user=user)
    return Management(setup.api, user, password) if user == setup.user else management


def matches(user: Mapping[str, Any], password: str) -> bool:
    """Whether it is the user's password: RabbitMQ shows administrators base64(salt + SHA-256(salt + password)), the salt of 4 bytes."""
    if user.get("hashing_algorithm") != "rabbit_password_hashing_sha256":
        return False
    stored = base64.b64decode(user.get("password_hash", ""))
    salt = stored[:4]
    return hmac.compare_digest(stored, salt + hashlib.sha256(salt + password.encode()).digest())


def _tags(user: Mapping[str, Any]) -> str:
    tags = user.get("tags", "")
    return tags if isinstance(tags, str) else ",".join(tags)


def _deleted(management: Management, wanted: list[dict[str, Any]]) -> list[str]:
    """Those that are missing where others are there: deleted, with what was in them, or new with this version."""
    names = {queue["name"] for queue in wanted}
    missing = names - {queue["name"] for queue in management.get("queues", VHOST) or []}
    return sorted(missing) if missing != names else []


def _check_queues(management: Management, wanted: list[dict[str, Any]]) -> None:
    present = {queue["name"]: queue for queue in management.get("queues", VHOST) or []}
    absent = sorted(
        queue["name"] for queue in wanted if present.get(queue["name"], {}).get("state") not in ("running", "flow", "idle")
    )
    if absent:
        raise NotYet(f"not running: {', '.join(absent)}")
    for queue in wanted:
        found = present[queue["name"]]["arguments"]
        if _relevant(found) != _relevant(queue["arguments"]):
            log.warning("queue_has_other_arguments", queue=queue["name"], found=found, wanted=queue["arguments"])


def _relevant(arguments: Mapping[str, Any]) -> dict[str, Any]:
    # RabbitMQ 4 shows the kind of a queue that was made without saying one.
    return {name: value for name, value in arguments.items() if (name, value) != ("x-queue-type", "classic")}
