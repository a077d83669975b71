"""What each user of the database may do, and the setup that makes them, tried on a mongod that asks who one is."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure
from pymongo.write_concern import WriteConcern

from deploy.local.broker import LocalBroker
from deploy.local.database import LocalDatabase
from deploy.local.ports import free_port
from services.common.topology import SERVICES
from tests.support.secured import Keys

Client = pymongo.MongoClient[dict[str, Any]]


def make_keys(folder: Path) -> tuple[Keys, LocalDatabase]:
    port = free_port()
    keys = Keys(folder, LocalBroker(folder / "broker", free_port(), management_port=free_port()), port)
    return keys, LocalDatabase(folder / "database", port, key_file=folder / "keys" / "database" / "keyfile")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    keys, database = make_keys(tmp_path_factory.mktemp("rights"))
    keys.set_up("keys")
    try:
        database.launch()
        keys.set_up("database")
        yield keys
    finally:
        database.stop()


def client(uri: str) -> Client:
    return pymongo.MongoClient(uri, timeoutMS=20_000)


@pytest.mark.parametrize("service", SERVICES)
def test_service_reaches_its_own_database_only(keys: Keys, service: str) -> None:
    with client(keys.read(service, "mongodb_uri")) as mine:
        own = mine[f"foyer_{service}"]
        with mine.start_session() as session, session.start_transaction():
            own.things.insert_one({"name": "a thing"}, session=session)
        own.things.create_index("name")
        assert own.things.count_documents({}) == 1
        for other in (*(f"foyer_{name}" for name in SERVICES if name != service), "admin", "local"):
            for attempt in (
                lambda other=other: mine[other].things.find_one(),
                lambda other=other: mine[other].things.insert_one({}),
                lambda other=other: mine[other].command("usersInfo", 1),
                lambda other=other: mine[other].command("dropDatabase"),
            ):
                with pytest.raises(OperationFailure, match=r"(?i)not authorized|requires authentication"):
                    attempt()
        for command in ({"serverStatus": 1}, {"setParameter": 1, "logLevel": 1}, {"replSetGetConfig": 1}, {"shutdown": 1}):
            with pytest.raises(OperationFailure, match="not authorized"):
                mine.admin.command(command)


def test_nobody_in_particular_reads_nothing(keys: Keys) -> None:
    with client(f"mongodb://{keys.variables['FOYER_DATABASE_HOSTS']}/?replicaSet=rs0") as nobody:
        with pytest.raises(OperationFailure, match="requires authentication"):
            nobody.foyer_messaging.things.find_one()
        with pytest.raises(OperationFailure, match="requires authentication"):
            nobody.admin.command("createUser", "more", pwd="more", roles=["root"])


def test_operator_may_do_all(keys: Keys) -> None:
    with client(keys.read("operator", "mongodb_uri")) as operator:
        assert (
            operator.admin.command("getParameter", 1, transactionLifetimeLimitSeconds=1)["transactionLifetimeLimitSeconds"] == 5
        )
        assert operator.foyer_contacts.command("usersInfo", "contacts")["users"][0]["roles"] == [
            {"role": "readWrite", "db": "foyer_contacts"}
        ]


def test_setup_changes_nothing_when_it_is_run_again(keys: Keys) -> None:
    printed = keys.set_up("database")
    assert printed.count("user_unchanged") == 5
    assert not any(word in printed for word in ("user_made", "user_changed", "initiated"))
    for user in (*SERVICES, "operator"):
        assert keys.read("operator", "database_passwords", user) not in printed


def test_changed_passwords_and_roles_are_put_right_when_the_setup_is_run_again(keys: Keys) -> None:
    with client(keys.read("operator", "mongodb_uri")) as operator:
        operator.foyer_presence.command("grantRolesToUser", "presence", roles=[{"role": "read", "db": "foyer_contacts"}])
    keys.set_up("keys", FOYER_DATABASE_CONTACTS_PASSWORD="anotherPassword1", FOYER_DATABASE_OPERATOR_PASSWORD="anotherPassword2")
    printed = keys.set_up("database")
    assert printed.count("user_changed") == 3
    assert "anotherPassword" not in printed
    for consumer in ("contacts", "presence", "operator"):
        with client(keys.read(consumer, "mongodb_uri")) as owner:
            owner[f"foyer_{consumer}" if consumer != "operator" else "admin"].command("ping")
    with client(keys.read("presence", "mongodb_uri")) as presence, pytest.raises(OperationFailure, match="not authorized"):
        presence.foyer_contacts.things.find_one()
    assert keys.set_up("database").count("user_unchanged") == 5


def test_setup_fails_when_the_operator_is_another(keys: Keys, tmp_path: Path) -> None:
    stranger, _ = make_keys(tmp_path)
    stranger.set_up("keys")
    result = stranger.run("database", FOYER_DATABASE_ADDRESS=keys.variables["FOYER_DATABASE_ADDRESS"], FOYER_SETUP_TIMEOUT="10")
    assert result.returncode == 1
    assert "has users already, and none is operator with this password" in result.stderr


@contextmanager
def other_members(keys: Keys, folder: Path, count: int) -> Iterator[list[str]]:
    """The addresses of members that are no members yet."""
    key_file = folder / "keyfile"
    key_file.write_text(keys.read("database", "keyfile"))
    key_file.chmod(0o400)
    databases = [LocalDatabase(folder / f"database-{number}", free_port(), key_file=key_file) for number in range(count)]
    try:
        for database in databases:
            database.launch()
        yield [f"127.0.0.1:{database.port}" for database in databases]
    finally:
        for database in databases:
            database.stop()


def test_members_are_added_when_more_are_named_and_none_is_removed(tmp_path: Path) -> None:
    keys, database = make_keys(tmp_path)
    first = keys.variables["FOYER_DATABASE_MEMBERS"]
    keys.set_up("keys")
    try:
        database.launch()
        keys.set_up("database")
        with other_members(keys, tmp_path, 2) as more:
            printed = keys.set_up("database", FOYER_DATABASE_MEMBERS=",".join([first, *more]))
            assert (printed.count("member_added"), printed.count("member_serves")) == (2, 2)
            with client(keys.read("operator", "mongodb_uri")) as operator:
                status = operator.admin.command("replSetGetStatus")["members"]
                assert {member["name"] for member in status} == {first, *more}
                assert sorted(member["stateStr"] for member in status) == ["PRIMARY", "SECONDARY", "SECONDARY"]
                operator.foyer_contacts.with_options(write_concern=WriteConcern(w=3, wtimeout=20000)).things.insert_one({})
            again = keys.set_up("database", FOYER_DATABASE_MEMBERS=",".join([first, *more]))
            assert "member_added" not in again
            fewer = keys.run("database", FOYER_DATABASE_MEMBERS=",".join([first, more[1]]))
            assert (fewer.returncode, more[0] in fewer.stderr, more[1] in fewer.stderr) == (1, True, False)
            assert "which FOYER_DATABASE_MEMBERS does not name" in fewer.stderr
    finally:
        database.stop()


def test_setup_fails_in_time_when_a_named_member_does_not_answer(keys: Keys) -> None:
    first, nobody = keys.variables["FOYER_DATABASE_MEMBERS"], f"127.0.0.1:{free_port()}"
    result = keys.run("database", FOYER_DATABASE_MEMBERS=f"{first},{nobody}", FOYER_SETUP_TIMEOUT="3")
    assert result.returncode == 1
    assert f"in vain for {nobody} as a member of the replica set: it does not answer" in result.stderr
    assert "database_ready" not in result.stdout


def test_setup_gives_up_in_time_when_no_database_answers(keys: Keys) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        result = keys.run("database", FOYER_DATABASE_ADDRESS=address, FOYER_SETUP_TIMEOUT="1")
    assert result.returncode == 1
    assert "waited 1 s in vain for a primary of the replica set" in result.stderr


def test_setup_names_the_setting_when_one_is_unusable(keys: Keys) -> None:
    result = keys.run("database", FOYER_DATABASE_MEMBERS="database")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "FOYER_DATABASE_MEMBERS='database' must look like host:27017.\n"
