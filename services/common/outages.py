"""Which of the driver's failures mean that the database is away, and so pass by themselves."""

from pymongo.errors import ConnectionFailure, ExecutionTimeout, NetworkTimeout, OperationFailure, PyMongoError, WTimeoutError

from services.common.bulk import NotWritten

DATABASE_ERRORS: tuple[type[Exception], ...] = (ConnectionFailure, NetworkTimeout, ExecutionTimeout, WTimeoutError)

# Stepping down, shutting down, not yet primary: the codes of MongoDB's RetryableError and NotPrimary categories. And interrupted: by
# a replica of assignment that took this session for a dead one's.
_PASSING = {91, 189, 262, 9001, 10107, 11600, 11601, 11602, 13435, 13436}
# The time was over before it was done, or before enough members had acknowledged it; of a write in company the driver tells by the code alone.
_LATE = {50, 64}


def is_outage(error: BaseException) -> bool:
    """Whether an error says that the database is away or too slow, rather than that a command is wrong."""
    if isinstance(error, DATABASE_ERRORS):
        return True
    if isinstance(error, PyMongoError) and (error.timeout or error.has_error_label("TransientTransactionError")):
        return True
    if isinstance(error, NotWritten):
        return error.codes <= _PASSING | _LATE
    return isinstance(error, OperationFailure) and error.code in _PASSING
