"""A MongoDB of our own on loopback: the wheel's mongod as a replica set of one, its data in a folder."""

import importlib.util
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from deploy.local.errors import NotInstalled, ProcessFailed
from deploy.local.ports import LOOPBACK, require_free
from deploy.local.process import ChildProcess, stop_recorded
from deploy.local.waiting import wait_until

REPLICA_SET = "rs0"
NOT_INITIATED = 94  # NotYetInitialized, in MongoDB's error code list
# Making the set writes a dozen files and waits for the disk, which a busy one takes seconds for; interrupted, it is made by halves.
INITIATE_SECONDS = 60.0


def find_mongod() -> str:
    """The path of a mongod: the wheel's, else one on PATH. Raises NotInstalled."""
    spec = importlib.util.find_spec("fiftyone")
    for place in spec.submodule_search_locations or [] if spec else []:
        binary = Path(place) / "db" / "bin" / "mongod"
        if binary.is_file():
            # The wheel's file modes differ between its versions.
            if not os.access(binary, os.X_OK):
                binary.chmod(0o755)
            return str(binary)
    if found := shutil.which("mongod"):
        return found
    raise NotInstalled(
        "There is no mongod in this environment.",
        "Start with `make run`, which installs it, or set MONGODB_URI to a replica set of yours.",
    )


class LocalDatabase:
    """mongod under `data_dir`, listening on `port` of 127.0.0.1 only; a replica set, so that acknowledged writes survive SIGKILL."""

    def __init__(
        self,
        data_dir: Path,
        port: int,
        *,
        cache_gigabytes: float = 0.25,
        variable: str = "FOYER_DATABASE_PORT",
        key_file: Path | None = None,
    ) -> None:
        """Take a `key_file` for a database that knows its users; whoever starts it then makes them."""
        self.data_dir = data_dir.resolve()
        self.port = port
        self.cache_gigabytes = cache_gigabytes
        self.variable = variable
        self.key_file = key_file
        self.record = self.data_dir / "mongod.pid"
        self.process: ChildProcess | None = None

    @property
    def uri(self) -> str:
        """What MONGODB_URI should say."""
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    def start(self, timeout: float = 60.0) -> None:
        """Start mongod and return once it accepts writes. Raises PortInUse, NotInstalled, ProcessFailed."""
        self.launch()
        self.wait_ready(timeout)

    def launch(self) -> ChildProcess:
        """Start mongod without waiting for it."""
        binary = find_mongod()
        files = self.data_dir / "data"
        files.mkdir(parents=True, exist_ok=True)
        stop_recorded(self.record)
        require_free(self.port, purpose="the database", variable=self.variable)
        self.process = ChildProcess(
            "database",
            [
                binary,
                *("--dbpath", str(files), "--port", str(self.port), "--bind_ip", LOOPBACK, "--nounixsocket"),
                *("--replSet", REPLICA_SET, "--networkMessageCompressors", "disabled"),
                *(("--keyFile", str(self.key_file)) if self.key_file is not None else ()),
                *("--wiredTigerCacheSizeGB", str(self.cache_gigabytes)),
                # Nobody is left to drain towards in a set of one; the default makes each SIGTERM take up to 15 s.
                *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                # A killed process's open transaction holds its documents this long; the default is a minute.
                *("--setParameter", "transactionLifetimeLimitSeconds=5"),
            ],
            log_path=self.data_dir / "mongod.log",
            record=self.record,
            death_signal=signal.SIGTERM,
        )
        self.process.start()
        return self.process

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return once the set is initiated and its one member is a writable primary."""
        process = self._started()

        def writable() -> bool:
            process.require_running()
            return self._try_to_lead()

        if not wait_until(writable, timeout):
            raise ProcessFailed(
                f"The database was not writable after {timeout:.0f} s.\n{process.log_tail()}", f"Log: {process.log_path}"
            )

    def _try_to_lead(self) -> bool:
        member = f"{LOOPBACK}:{self.port}"
        direct: pymongo.MongoClient[dict[str, object]]
        with pymongo.MongoClient(LOOPBACK, self.port, directConnection=True, timeoutMS=2000) as direct:
            try:
                status = direct.admin.command("hello")
                if status.get("isWritablePrimary"):
                    return bool(status["me"] == member)
                config = direct.admin.command("replSetGetConfig")["config"]
            except OperationFailure as error:
                if error.code == NOT_INITIATED:
                    self._initiate(direct)
                return False
            except ConnectionFailure:
                return False
            if config["members"][0]["host"] != member:  # the data was made under another port
                config["members"][0]["host"] = member
                config["version"] += 1
                try:
                    direct.admin.command("replSetReconfig", config, force=True)
                except PyMongoError:
                    return False
        return False

    def _initiate(self, direct: "pymongo.MongoClient[dict[str, object]]") -> None:
        config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": f"{LOOPBACK}:{self.port}"}]}
        # One that is lost on the way is asked for again.
        with suppress(ConnectionFailure), pymongo.timeout(INITIATE_SECONDS):
            direct.admin.command("replSetInitiate", config)

    def stop(self, grace: float = 20.0) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds."""
        if self.process is not None:
            self.process.stop(grace)

    def kill(self) -> None:
        """SIGKILL, as a crash would; `start` brings it back with its data."""
        self._started().kill()

    def _started(self) -> ChildProcess:
        if self.process is None:
            raise ProcessFailed("The database has not been started.")
        return self.process
