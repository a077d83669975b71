import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError, NetworkTimeout, OperationFailure, ServerSelectionTimeoutError

from services.common.bulk import NotWritten
from services.common.outages import is_outage


@pytest.mark.parametrize(
    "error",
    [
        ServerSelectionTimeoutError("no server"),
        AutoReconnect("lost"),
        NetworkTimeout("late"),
        OperationFailure("not primary", 10107),
        OperationFailure("operation was interrupted", 11601),
        OperationFailure("conflict", 112, {"errorLabels": ["TransientTransactionError"]}),
        *(NotWritten({code}, 7) for code in (50, 64, 189)),
    ],
)
def test_failure_is_an_outage_when_it_passes_by_itself(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [DuplicateKeyError("E11000"), OperationFailure("bad query", 2), ValueError("x"), KeyError("y"), NotWritten({50, 121}, 2)],
)
def test_failure_is_no_outage_when_a_repeat_would_fail_again(error: Exception) -> None:
    assert not is_outage(error)
