"""A service of the tests' own on the real plumbing: it takes the place of contacts, and does what its calls and events say."""

import os
import threading
import time
import warnings

import eventlet
from marshmallow import fields

from services.common import outbox, queues, service, workers
from services.common.envelope import Event, NewEvent
from services.common.errors import NotFound
from services.common.events import subscribe
from services.common.ids import new_id
from services.common.rpc import rpc
from services.common.service import Service
from services.common.storage import Storage
from services.common.store import Store
from services.common.validation import Arguments

outbox.STUCK_SECONDS = float(os.environ.get("PROBE_STUCK_SECONDS", outbox.STUCK_SECONDS))
service.WATCH_SECONDS = float(os.environ.get("PROBE_WATCH_SECONDS", service.WATCH_SECONDS))
queues.EVERY_SECONDS = float(os.environ.get("PROBE_QUEUE_SECONDS", queues.EVERY_SECONDS))
workers.HANG_SECONDS = float(os.environ.get("PROBE_HANG_SECONDS", workers.HANG_SECONDS))


class ProbeStore(Store):
    """Things with an outbox, and a record of every piece of work."""

    entities = ("things",)

    def record(self, what: str, name: str) -> None:
        self.database.done.insert_one({"what": what, "name": name, "pid": os.getpid()})


class Named(Arguments):
    name = fields.String(required=True)
    seconds = fields.Float(load_default=0.0)


class Probe(Service):
    """Named contacts, as only the product's services have queues."""

    name = "contacts"
    store = Storage(ProbeStore)

    @rpc(Named)
    def work(self, *, name: str, seconds: float) -> dict[str, object]:
        self.store.record("started", name)
        time.sleep(seconds)
        self.store.record("ended", name)
        return {"name": name}

    @rpc(Named)
    def fail(self, *, name: str, seconds: float) -> None:
        raise NotFound(f"no {name}", code="CONTACT_NOT_FOUND", data={"numbers": [1, 2.5], "none": None, "nested": {"name": name}})

    @rpc(Named)
    def break_down(self, *, name: str, seconds: float) -> float:
        return 1 / seconds

    @rpc(Named)
    def fail_beside(self, *, name: str, seconds: float) -> None:
        """Failures and a warning that no worker sees."""
        warnings.warn(f"warned {name}", stacklevel=1)
        threading.Thread(target=lambda: 1 / seconds).start()
        eventlet.spawn(lambda: 1 / seconds)

    @rpc(Named)
    def answer_nonsense(self, *, name: str, seconds: float) -> object:
        return {"unserializable": object()}

    @rpc(Named)
    def make(self, *, name: str, seconds: float) -> dict[str, object]:
        thing = self.store.insert(
            "things", {"_id": new_id(), "name": name}, [NewEvent("contact_created", "contact", {"name": name})]
        )
        return {"id": thing["_id"]}

    @subscribe("messaging", "field_collected")
    def take(self, event: Event) -> None:
        time.sleep(event.data.get("seconds", 0))
        if event.data.get("poison"):
            raise ValueError("this one can't be handled")
        self.store.record("event", event.data["name"])
