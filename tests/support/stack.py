"""A broker, a database and service processes of our own, under one folder, on free ports of loopback."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymongo
from pymongo.database import Database

from deploy.local.broker import LocalBroker
from deploy.local.database import LocalDatabase
from deploy.local.ports import free_port
from deploy.local.process import ChildProcess
from services.common.errors import DomainError
from services.common.rpc_client import RpcClient
from services.common.settings import Settings
from tests.support.waiting import wait_until

READY_SECONDS = 60.0
# What a developer's shell may hold must not reach the processes under test.
OURS = ("FOYER_", "AMQP_URI", "MONGODB_URI", "GEOIP_DATABASE", "TRUSTED_PROXIES")


class Stack:
    """`start`, then `start_service` what the tests need; `stop` ends all of it. Logs lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = LocalBroker(folder / "broker", free_port())
        self.database = LocalDatabase(folder / "database", free_port())
        self.started_at = 0.0
        self.services: dict[str, ChildProcess] = {}
        self._client: pymongo.MongoClient[dict[str, Any]] | None = None

    def start(self) -> None:
        """Start broker and database side by side and wait for both."""
        self.database.launch()
        self.broker.launch()
        self.database.wait_ready()
        self.broker.wait_ready()
        self.started_at = time.monotonic()

    def stop(self) -> None:
        """End everything that was started: the services in order, but all at once; what broker and database hold is not kept."""
        for process in self.services.values():
            process.send_signal(signal.SIGTERM)
        for process in self.services.values():
            process.stop()
        if self._client is not None:
            self._client.close()
        self.broker.stop(grace=0)
        self.database.stop(grace=0)

    @property
    def environment(self) -> dict[str, str]:
        """What every process of this stack is given."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return inherited | {"AMQP_URI": self.broker.uri(), "MONGODB_URI": self.database.uri, "FOYER_LOG_LEVEL": "INFO"}

    def environment_for(self, name: str) -> dict[str, str]:
        """What the process of this name is given; here all are given the same."""
        return self.environment

    @property
    def settings(self) -> Settings:
        """The settings that those processes read."""
        return Settings.read(self.environment)

    def start_service(self, name: str, *, instance: str | None = None, extra: Mapping[str, str] | None = None) -> ChildProcess:
        """`python -m services.<name>` with more variables if wanted; several `instance`s of one service may run. Not awaited."""
        label = instance or name
        process = ChildProcess(
            label,
            [sys.executable, "-m", f"services.{name}"],
            environment=self.environment_for(name) | dict(extra or {}),
            log_path=self.folder / f"{label}.log",
        )
        process.start()
        self.services[label] = process
        return process

    def mongo(self, service: str) -> Database[dict[str, Any]]:
        """The database of a service, for looking at what is stored."""
        if self._client is None:
            self._client = pymongo.MongoClient(self.database.uri, timeoutMS=5000, tz_aware=True)
        return self._client[f"foyer_{service}"]


def wait_for_service(rpc: RpcClient, name: str, process: ChildProcess, timeout: float = READY_SECONDS) -> None:
    """Return once the service says that it can do its work. Raises ProcessFailed with its log's end when it has ended."""

    def healthy() -> bool:
        process.require_running()
        try:
            return bool(rpc.call(name, "get_health", timeout=2.0)["status"] == "ok")
        except DomainError:
            return False

    wait_until(healthy, timeout, what=f"the health of {name} (log: {process.log_path})")
