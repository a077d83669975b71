"""The database's start where the disk is slow: what takes long is waited for, what was lost on the way is asked for again."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest
from pymongo.errors import NetworkTimeout, OperationFailure

from deploy.local.database import NOT_INITIATED, LocalDatabase


class Server:
    """A mongod that is a set once it was told to be one, of which nobody hears the first time."""

    def __init__(self, member: str) -> None:
        self.asked = 0
        self._member = member

    def connect(self, *_: Any, **__: Any) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    @property
    def admin(self) -> Self:
        return self

    def command(self, name: str, *_: Any) -> dict[str, Any]:
        if name == "replSetInitiate":
            self.asked += 1
            if self.asked == 1:
                raise NetworkTimeout("127.0.0.1: timed out")
        if name == "replSetGetConfig":
            raise OperationFailure("no replset config has been received", NOT_INITIATED)
        return {"isWritablePrimary": self.asked > 1, "me": self._member}


def test_set_is_made_when_the_first_attempt_to_make_it_was_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    local = LocalDatabase(tmp_path, 27017)
    local.process = SimpleNamespace(require_running=lambda: None)  # type: ignore[assignment]
    server = Server("127.0.0.1:27017")
    monkeypatch.setattr("pymongo.MongoClient", server.connect)
    local.wait_ready(30)
    assert server.asked == 2
