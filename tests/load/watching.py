"""Agents' event streams, read with as little of our own as possible: when did what arrive."""

import contextlib
import http.client
import socket
import threading
import time

import orjson

ASSIGNED = b"conversation.assigned"
DECIDED = b"assignment.updated"
READ_BYTES = 262_144


class Watch:
    """One agent's open stream. `assigned` is when each conversation was told to be this agent's; `decided`, when what was first decided.

    The parser of tests and replay handles every stream there can be; here the blocks are the gateway's own, and what
    reading costs is taken from the product.
    """

    def __init__(self, url: str, token: str, agent_id: str, *, decisions: bool = False) -> None:
        """Take `decisions` to note every conversation's first decision as well, which all agents are told."""
        self.assigned: dict[str, float] = {}
        self.decided: dict[str, tuple[float, str]] = {}
        self._agent_id = agent_id
        self._decisions = decisions
        self._ready = threading.Event()
        self._closing = False
        self._broken = ""
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        self._connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {token}"})
        self._socket = self._connection.sock
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def wait_open(self, timeout: float = 15.0) -> None:
        """Return once the stream has said where it begins."""
        if not self._ready.wait(timeout):
            raise RuntimeError(f"an agent's stream did not open: {self._broken or 'no answer'}")

    @property
    def fault(self) -> str:
        """Why the stream ended before it was closed, if it did."""
        return self._broken

    def close(self) -> None:
        """Hang up."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._connection.close()

    def _run(self) -> None:
        try:
            self._read()
        except (OSError, http.client.HTTPException) as error:
            self._broken = "" if self._closing else f"{type(error).__name__}: {error}"

    def _read(self) -> None:
        response = self._connection.getresponse()
        pending = b""
        while chunk := response.read1(READ_BYTES):
            moment = time.perf_counter()
            *blocks, pending = (pending + chunk).split(b"\n\n")
            for block in blocks:
                self._take(block, moment)
        self._broken = "" if self._closing else f"the stream ended with status {response.status}"

    def _take(self, block: bytes, moment: float) -> None:
        lines = block.split(b"\n", 2)
        if len(lines) < 3:
            return
        name = lines[1].removeprefix(b"event: ")
        if name == b"stream.ready":
            self._ready.set()
        elif name == ASSIGNED and self._agent_id.encode() in block:
            conversation = orjson.loads(lines[2].removeprefix(b"data: "))
            if (conversation["assignee"] or {}).get("id") == self._agent_id:
                self.assigned.setdefault(conversation["id"], moment)
        elif name == DECIDED and self._decisions:
            assignment = orjson.loads(lines[2].removeprefix(b"data: "))
            self.decided.setdefault(assignment["conversation_id"], (moment, assignment["outcome"]))
