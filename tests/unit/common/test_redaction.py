"""What no log line may hold: documents that the driver's errors quote, and access tokens."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from pymongo.errors import BulkWriteError, DuplicateKeyError, WriteError

from services.common import logs
from services.common.bulk import NotWritten, require_duplicates_only
from services.common.outages import is_outage
from services.common.redaction import redact

WORDS = "my knee hurts"
FAILURE = {"index": 0, "code": 121, "errmsg": "Document failed validation", "op": {"text": WORDS}}
REFUSED = BulkWriteError({"writeErrors": [FAILURE], "writeConcernErrors": [], "nInserted": 0})


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was written to the log."""
    root, known = logging.getLogger(), structlog.get_config()
    before = root.handlers, root.level
    logs.configure(level="INFO", form="json", process="test")
    yield lambda: capsys.readouterr().out
    root.handlers, root.level = before
    structlog.configure(**known)


def fail(error: Exception) -> None:
    raise error


def fail_because_of(error: Exception) -> None:
    try:
        fail(error)
    except Exception as found:
        raise RuntimeError("and so it failed") from found


@pytest.mark.parametrize(
    "error",
    [
        REFUSED,
        WriteError("Document failed validation", 121, FAILURE),
        DuplicateKeyError(f'E11000 duplicate key error index: words dup key: {{ text: "{WORDS}" }}', 11000, {"keyValue": WORDS}),
    ],
)
def test_log_holds_no_documents_when_the_driver_quotes_them(error: Exception, logged: Callable[[], str]) -> None:
    with pytest.raises(RuntimeError) as caught:
        fail_because_of(error)
    logs.get_logger("test").warning("failed", reason=f"{type(error).__name__}: {error}"[:300], error=error, exc_info=caught.value)
    logging.getLogger("nameko.containers").error("failed: %s", error, exc_info=caught.value)
    lines = [json.loads(line) for line in logged().splitlines()]
    assert len(lines) == 2
    assert WORDS not in str(lines)
    for line in lines:
        assert type(error).__name__ in line["exception"]
        assert "and so it failed" in line["exception"]


@pytest.mark.parametrize(
    "text",
    [
        "Malformed access token EAAGm0PX4ZCpsBA-K_Zo",
        "GET /v23.0/1?fields=name&access_token=EAAGm0PX4ZCpsBA",
        "url: /me/messages?access_token=Zo-m0PX4ZCpsBA&appsecret_proof=m0PX4ZCpsBA HTTP/1.1",
        "{'page_access_token': 'm0PX4ZCpsBA', 'app_secret': \"m0PX4ZCpsBA\"}",
        "token 1517776481860111|m0PX4ZCpsBA refused",
    ],
)
def test_tokens_are_left_out(text: str) -> None:
    assert "m0PX4ZCpsBA" not in redact(text)


def test_other_texts_stay_as_they_are() -> None:
    text = "AutoReconnect: 127.0.0.1:27017: connection closed (configured timeouts: connectTimeoutMS: 20000.0ms) EAST"
    assert redact(text) == text


def test_failed_writes_are_told_by_code_and_number_alone() -> None:
    with pytest.raises(NotWritten) as refused:
        require_duplicates_only(REFUSED)
    assert str(refused.value) == "1 not written, codes [121]"
    assert not is_outage(refused.value)
    require_duplicates_only(BulkWriteError({"writeErrors": [FAILURE | {"code": 11000}], "writeConcernErrors": []}))
    with pytest.raises(NotWritten) as stepped_down:
        require_duplicates_only(
            BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 189, "errmsg": "stepped down"}]})
        )
    assert is_outage(stepped_down.value)


def test_nothing_is_disturbed_when_the_log_can_not_be_written(logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        """A pipe that nobody reads any more."""

        def write(self, _text: str) -> int:
            raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", Closed())
        logs.get_logger("test").warning("unread")
    logs.get_logger("test").warning("read")
    assert [json.loads(line)["event"] for line in logged().splitlines()] == ["read"]
