"""The database: reachable, a replica set that takes writes, with the indexes that the services make."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pymongo
from pymongo import IndexModel
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError, ServerSelectionTimeoutError

from deploy.ops.doctor.findings import Findings
from deploy.ops.facts import look_at_members
from deploy.ops.leftovers import left_databases
from deploy.ops.load import UNFINISHED
from deploy.ops.snapshot import PREFIX, WINDOW
from services.common.redaction import redact
from services.common.settings import Settings

Document = dict[str, Any]

OLDEST_VERSION = (5, 0)
AUTHENTICATION_FAILED = 18
LONGEST_TRANSACTION_SECONDS = 10
FEWEST_CONNECTIONS = 200  # a replica of a service opens up to 60
SKEW_SECONDS, WRONG_SECONDS = 1.0, 5.0
USUAL_WINDOW = 300
_LOOK_MS = 4_000


def check_database(findings: Findings, settings: Settings) -> None:
    """All of it."""
    findings.about("database")
    try:
        client: pymongo.MongoClient[Document] = pymongo.MongoClient(
            settings.mongodb_uri, serverSelectionTimeoutMS=_LOOK_MS, timeoutMS=10_000, tz_aware=True, appname="foyer-ops"
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        findings.bad(f"MONGODB_URI is no address of a database: {redact(str(error))}", "mongodb://host:27017/?replicaSet=rs0")
        return
    with client:
        if not _answers(findings, client):
            return
        for check in (_check_set, _check_version, _check_writes, _check_limits, _check_clock, _check_indexes, _check_leftovers):
            try:
                check(findings, client)
            except OperationFailure as error:
                findings.skip(
                    f"not allowed to look: {error.details.get('errmsg', '') if error.details else ''}"[:160],
                    "Use the operator's address.",
                )
            except PyMongoError as error:
                findings.bad(f"it stopped answering: {redact(str(error))[:160]}", "Look at its log.")


def _answers(findings: Findings, client: "pymongo.MongoClient[Document]") -> bool:
    where = ", ".join(f"{host}:{port}" for host, port in sorted(client.nodes)) or _seeds(client)
    try:
        client.admin.command("ping")
        # Pings are answered before the password was looked at.
        client.list_database_names()
    except ServerSelectionTimeoutError as error:
        findings.bad(*_explain_absence(where, error))
        return False
    except OperationFailure as error:
        if error.code == AUTHENTICATION_FAILED:
            findings.bad(f"the database at {where} refuses the user or password", "Correct MONGODB_URI, and its authSource.")
            return False
    except PyMongoError as error:
        findings.bad(f"the database at {where} is not reachable: {redact(str(error))[:160]}", "Start it, or correct MONGODB_URI.")
        return False
    findings.ok(f"reachable at {', '.join(f'{host}:{port}' for host, port in sorted(client.nodes))}")
    return True


def _explain_absence(where: str, error: ServerSelectionTimeoutError) -> tuple[str, str]:
    text = str(error)
    if "replica set" in text and "name" in text:
        return f"the database at {where} is of another replica set than MONGODB_URI says", "Correct replicaSet= in MONGODB_URI."
    if "No replica set members" in text or "No primary" in text:
        return f"the database at {where} has no primary", "Start the majority of its members; a new set has to be initiated."
    return (
        f"the database at {where} is not reachable: {redact(text).split(' (configured')[0][:160]}",
        "Start it, or correct MONGODB_URI.",
    )


def _seeds(client: "pymongo.MongoClient[Document]") -> str:
    return ", ".join(f"{host}:{port}" for host, port in sorted(client.topology_description.server_descriptions()))


def _check_set(findings: Findings, client: "pymongo.MongoClient[Document]") -> None:
    hello = client.admin.command("hello")
    if not hello.get("setName"):
        findings.bad(
            "it is no replica set, so nothing survives its end for certain", "Start mongod with --replSet, and initiate it."
        )
        return
    members = look_at_members(client)
    primaries = [each["name"] for each in members if each["state"] == "PRIMARY"]
    down = [f"{each['name']} is {each['state']}" for each in members if not each["healthy"]]
    findings.ok(f"replica set {hello['setName']}, {len(members)} members, primary {', '.join(primaries)}")
    if down:
        findings.bad(f"members are down: {', '.join(down)}", "Start them; without a majority nothing can be written.")


def _check_version(findings: Findings, client: "pymongo.MongoClient[Document]") -> None:
    info = client.server_info()
    if tuple(info["versionArray"][:2]) < OLDEST_VERSION:
        findings.bad(f"MongoDB {info['version']} is too old", "Use 5.0 or later.")
    else:
        findings.ok(f"MongoDB {info['version']}")


def _check_writes(findings: Findings, client: "pymongo.MongoClient[Document]") -> None:
    # A note in the oplog: the one write that touches no data.
    wanted = {"w": "majority", "wtimeout": _LOOK_MS}
    try:
        answer = client.admin.command({"appendOplogNote": 1, "data": {"foyer": "doctor"}, "writeConcern": wanted})
    except pymongo.errors.WTimeoutError:
        answer = {"writeConcernError": True}
    if answer.get("writeConcernError"):
        findings.bad("a majority of the members does not take writes", "Start the missing members.")
    else:
        findings.ok("a majority takes writes")


def _check_limits(findings: Findings, client: "pymongo.MongoClient[Document]") -> None:
    found = client.admin.command({"getParameter": 1, "transactionLifetimeLimitSeconds": 1, WINDOW: 1})
    seconds, window = found["transactionLifetimeLimitSeconds"], found[WINDOW]
    if seconds > LONGEST_TRANSACTION_SECONDS:
        findings.warn(
            f"transactionLifetimeLimitSeconds is {seconds}: what a killed service had begun holds its documents so long",
            "db.adminCommand({setParameter: 1, transactionLifetimeLimitSeconds: 5}), and in mongod's configuration",
        )
    else:
        findings.ok(f"transactionLifetimeLimitSeconds is {seconds}")
    if window > USUAL_WINDOW:
        findings.warn(
            f"{WINDOW} is {window}: a backup is under way, or one was killed, and the history takes room",
            f"The next backup sets it back; or, when none runs: db.adminCommand({{setParameter: 1, {WINDOW}: {USUAL_WINDOW}}})",
        )
    free = client.admin.command("serverStatus", metrics=0, wiredTiger=0)["connections"]["available"]
    if free < FEWEST_CONNECTIONS:
        findings.warn(f"only {free} connections are left", "Raise maxIncomingConnections or the limit of open files.")
    else:
        findings.ok(f"{free:,} connections are left")


def _check_clock(findings: Findings, client: "pymongo.MongoClient[Document]") -> None:
    before = datetime.now(UTC)
    there = client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
    after = datetime.now(UTC)
    # As far apart as they are for certain, whenever in between it looked at its clock.
    apart = max(0.0, (there - after).total_seconds(), (before - there).total_seconds())
    said = f"the database's clock and this one are {apart:.1f} s apart"
    remedy = "Synchronize the machines' clocks (chrony, systemd-timesyncd): leases and lateness are told by them."
    if apart > WRONG_SECONDS:
        findings.bad(said, remedy)
    elif apart > SKEW_SECONDS:
        findings.warn(said, remedy)
    else:
        findings.ok("the database's clock agrees with this one")


def _check_indexes(findings: Findings, client: "pymongo.MongoClient[Document]") -> None:
    if UNFINISHED in client.list_database_names():
        # Services that were started now would work with a part of the data.
        findings.skip("indexes are not looked at while a restore is unfinished", "See below.")
        return
    # Late: it imports all four services.
    from deploy.topology import SERVICES

    missing = []
    count = 0
    for service in SERVICES:
        database = client[f"{PREFIX}{service.name}"]
        for collection, names in expected_indexes(service).items():
            found = database[collection].index_information().keys()
            count += len(names)
            missing += [f"{database.name}.{collection}.{name}" for name in names if name not in found]
    if missing:
        findings.bad(
            f"indexes are missing: {', '.join(missing[:6])}{' …' if len(missing) > 6 else ''}",
            "Start the services, which make them.",
        )
    else:
        findings.ok(f"all {count} indexes are there")


def _check_leftovers(findings: Findings, client: "pymongo.MongoClient[Document]") -> None:
    if UNFINISHED in client.list_database_names():
        findings.bad(
            "a restore was begun and not finished: the databases hold only part of it",
            "Start no service; run again: restore FILE --replace",
        )
    for name in left_databases(client):
        findings.warn(
            f"the database {name} is left of a backup that was killed, or one is under way",
            "The next backup or restore removes it.",
        )


def expected_indexes(service: Any) -> dict[str, list[str]]:
    """Per collection the names of the indexes that a service's store makes when it starts."""
    recorder = _Recorder()
    service.store.store_class(recorder, None).ensure_indexes()
    return recorder.made


class _Recorder:
    """Stands for a database, and notes which indexes a store would make in it."""

    def __init__(self) -> None:
        self.made: dict[str, list[str]] = {}
        self.client = self
        self.admin = self

    def __getitem__(self, name: str) -> "_RecordingCollection":
        return _RecordingCollection(self.made.setdefault(name, []))

    def __getattr__(self, name: str) -> "_RecordingCollection":
        return self[name]

    def command(self, *_: object, **__: object) -> Mapping[str, Any]:
        return {}


class _RecordingCollection:
    def __init__(self, names: list[str]) -> None:
        self._names = names

    def create_indexes(self, models: Sequence[IndexModel]) -> None:
        self._names += [model.document["name"] for model in models if model.document["name"] not in self._names]

    def __getattr__(self, name: str) -> Callable[..., "_RecordingCollection"]:
        # What else a store does with its collections when it begins makes no index.
        return lambda *_, **__: self

    def __iter__(self) -> Iterator[Document]:
        return iter(())
