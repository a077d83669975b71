"""A service of the tests' own with lanes: it takes the place of contacts, and its items say how they want to be worked off."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pymongo import IndexModel
from pymongo.database import Database

from services.common.lanes import LaneStore, Retry, in_order, lane_indexes
from services.common.rpc import rpc
from services.common.service import Service
from services.common.storage import Storage
from services.common.store import Document, Relay, Store
from tests.integration.probe import Named


class LaneProbeStore(Store):
    """Jobs in lanes, and a record of every step."""

    indexes: ClassVar[Mapping[str, Sequence[IndexModel]]] = lane_indexes("jobs")

    def __init__(self, database: Database[Document], relay: Relay) -> None:
        super().__init__(database, relay)
        self.lanes = {"jobs": LaneStore(database, "jobs")}

    def record(self, what: str, item: Document) -> None:
        """Keep what was done with an item, and by which process."""
        self.database.steps.insert_one({"what": what, "item": item["_id"], "lane": item["lane"], "pid": os.getpid()})

    def finish(self, item: Document) -> None:
        """The item is done."""
        self.lanes["jobs"].items.update_one({"_id": item["_id"]}, {"$set": {"waiting": False}})


class LaneProbe(Service):
    """Works off its jobs, at most eight at once, two of a group."""

    name = "contacts"
    store = Storage(LaneProbeStore)

    @rpc(Named)
    def work(self, *, name: str, seconds: float) -> dict[str, object]:
        time.sleep(seconds)
        return {"name": name}

    @rpc(Named)
    def add(self, *, name: str, seconds: float) -> None:
        self.store.lanes["jobs"].add([{"_id": name, "lane": name, "group": "own", "position": 1, "waiting": True}])

    @in_order("jobs", at_once=8, per_group=2)
    def do_job(self, item: Document) -> Any:
        self.store.record("begun", item)
        does = item.get("does")
        while does == "hang" and self.store.database.signals.find_one({"_id": item["_id"]}) is None:
            time.sleep(0.05)
        if does == "fail" and item["attempts"] <= item["times"]:
            raise ValueError("this attempt fails")
        if does == "retry" and item["attempts"] <= item["times"]:
            return Retry(0.05)
        if does == "forget":
            return None
        self.store.record("done", item)
        self.store.finish(item)
        return None
