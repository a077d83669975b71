"""`python -m deploy.setup database`: the replica set, its operator, and a user for each service's own database.

Idempotent. The first operator is made through MongoDB's localhost exception, which is open to connections over loopback until
there is a user: so the setup shares the first member's network. Where there is an operator already, it signs in as that.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from deploy.setup.definitions import OPERATOR
from deploy.setup.errors import SetupFailed
from deploy.setup.files import REPLICA_SET
from deploy.setup.members import complete
from deploy.setup.passwords import read_passwords, with_previous
from deploy.setup.secrets import DATABASE_USERS
from deploy.setup.waiting import Deadline, NotYet
from services.common.logs import get_logger
from services.common.settings import InvalidSetting, read_number

log = get_logger(__name__)

Client = pymongo.MongoClient[dict[str, Any]]
AUTHENTICATION_FAILED = 18
UNAUTHORIZED = 13
ALREADY_INITIALIZED = 23
# A killed process's open transaction holds its documents this long; the default is a minute.
TRANSACTION_SECONDS = 5


@dataclass(frozen=True)
class DatabaseSetup:
    """Where the first member is, who belongs to the set, and the users' passwords."""

    address: str
    members: list[str]
    sign_ins: list[str]
    passwords: dict[str, str]
    timeout: float

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Self:
        """The settings in the environment. Raises InvalidSetting."""
        folder = env.get("FOYER_DATABASE_PASSWORDS")
        if not folder:
            raise InvalidSetting("FOYER_DATABASE_PASSWORDS must name the folder with a file for each user's password.")
        passwords = read_passwords(Path(folder), DATABASE_USERS, "FOYER_DATABASE_PASSWORDS")
        members = (env.get("FOYER_DATABASE_MEMBERS") or "database:27017").split(",")
        return cls(
            address=_address(env.get("FOYER_DATABASE_ADDRESS") or "127.0.0.1:27017", "FOYER_DATABASE_ADDRESS"),
            members=[_address(member.strip(), "FOYER_DATABASE_MEMBERS") for member in members],
            sign_ins=with_previous(passwords[OPERATOR], Path(folder) / OPERATOR),
            passwords=passwords,
            timeout=read_number(env, "FOYER_SETUP_TIMEOUT", 120.0, minimum=0, maximum=3600),
        )


def set_up_database(env: Mapping[str, str]) -> None:
    """Bring the database to what the services need. Raises InvalidSetting, SetupFailed."""
    setup = DatabaseSetup.read(env)
    deadline = Deadline(setup.timeout)
    primary = deadline.wait_for("a primary of the replica set", lambda: _find_primary(setup))
    password = deadline.wait_for("the operator's user", lambda: _sign_in(setup, primary))
    try:
        with closing(_connect(primary, OPERATOR, password, "admin")) as client:
            complete(client, setup.members, deadline)
            for user in DATABASE_USERS:
                database = "admin" if user == OPERATOR else f"foyer_{user}"
                roles = [{"role": "root", "db": "admin"}] if user == OPERATOR else [{"role": "readWrite", "db": database}]
                _make_user(client, primary, database, user, setup.passwords[user], roles)
    except PyMongoError as error:
        raise SetupFailed(f"the database refused: {error}") from None
    _set_parameters(setup, primary)
    log.info("database_ready", primary=primary, members=setup.members)


def _find_primary(setup: DatabaseSetup) -> str:
    """Where the set's primary is; a set that isn't one yet is initiated."""
    with closing(_connect(setup.address)) as client:
        try:
            hello = client.admin.command("hello")
            if not hello.get("setName"):
                if not hello.get("isreplicaset"):
                    raise SetupFailed(f"the database at {setup.address} runs without --replSet {REPLICA_SET}")
                _initiate(client, setup)
                raise NotYet("the set has just been initiated")
        except OperationFailure as error:
            raise NotYet(f"{setup.address} says {_said(error)}") from None
        except ConnectionFailure as error:
            raise NotYet(f"{setup.address} does not answer ({_first_line(error)})") from None
    if hello["setName"] != REPLICA_SET:
        raise SetupFailed(f"the replica set is named {hello['setName']}, not {REPLICA_SET}")
    if hello.get("isWritablePrimary"):
        return setup.address
    if not hello.get("primary"):
        raise NotYet("there is none")
    return str(hello["primary"])


def _initiate(client: Client, setup: DatabaseSetup) -> None:
    # The first member leads where it can: only there the localhost exception lets the first user be made.
    members = [{"_id": number, "host": host, "priority": 1 if number else 2} for number, host in enumerate(setup.members)]
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise
    log.info("replica_set_initiated", members=setup.members)


def _sign_in(setup: DatabaseSetup, primary: str) -> str:
    """The password that the operator has; a first operator is made with the wanted one."""
    try:
        for password in setup.sign_ins:
            if _knows(primary, "admin", OPERATOR, password):
                return password
        wanted = setup.passwords[OPERATOR]
        with closing(_connect(primary)) as client:
            client.admin.command("createUser", OPERATOR, pwd=wanted, roles=[{"role": "root", "db": "admin"}])
    except ConnectionFailure as error:
        raise NotYet(f"{primary} does not answer ({_first_line(error)})") from None
    except OperationFailure as error:
        if error.code == UNAUTHORIZED:
            raise SetupFailed(f"the database at {primary} has users already, and none is {OPERATOR} with this password") from None
        raise NotYet(f"{primary} says {_said(error)}") from None
    log.info("user_made", user=OPERATOR, database="admin")
    return wanted


def _make_user(client: Client, primary: str, database: str, user: str, password: str, roles: list[dict[str, str]]) -> None:
    [*present] = client[database].command("usersInfo", user)["users"]
    if not present:
        client[database].command("createUser", user, pwd=password, roles=roles)
        log.info("user_made", user=user, database=database)
        return
    changes: dict[str, Any] = {}
    if not _knows(primary, database, user, password):
        changes["pwd"] = password
    if _sorted(present[0]["roles"]) != _sorted(roles):
        changes["roles"] = roles
    if changes:
        client[database].command("updateUser", user, **changes)
    log.info("user_changed" if changes else "user_unchanged", user=user, database=database, changed=sorted(changes))


def _set_parameters(setup: DatabaseSetup, primary: str) -> None:
    """Tell each member that answers; one that starts again takes what its command line says."""
    password = setup.passwords[OPERATOR]
    with closing(_connect(primary)) as client:
        hello = client.admin.command("hello")
    for host in hello["hosts"]:
        address = primary if host == hello["me"] else host
        try:
            with closing(_connect(address, OPERATOR, password, "admin")) as member:
                member.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=TRANSACTION_SECONDS)
        except PyMongoError as error:
            log.warning("parameter_not_set", member=host, reason=_first_line(error))


def _knows(address: str, database: str, user: str, password: str) -> bool:
    """Whether the user can sign in with the password."""
    with closing(_connect(address, user, password, database)) as client:
        try:
            client[database].command("ping")
        except OperationFailure as error:
            if error.code == AUTHENTICATION_FAILED:
                return False
            raise
    return True


def _connect(address: str, user: str | None = None, password: str | None = None, source: str | None = None) -> Client:
    host, _, port = address.rpartition(":")
    who: dict[str, Any] = {"username": user, "password": password, "authSource": source} if user else {}
    return pymongo.MongoClient(host, int(port), directConnection=True, timeoutMS=5000, serverSelectionTimeoutMS=2000, **who)


def _address(text: str, variable: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise InvalidSetting(f"{variable}={text!r} must look like host:27017.")
    return text


def _sorted(roles: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((role["role"], role["db"]) for role in roles)


def _said(error: OperationFailure) -> str:
    return str((error.details or {}).get("errmsg", error.code))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
