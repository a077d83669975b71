"""The one family of errors that crosses the wire, each with a stable code.

    DomainError
    ├── NotFound             …_NOT_FOUND
    ├── Forbidden            FORBIDDEN, FIELD_READ_ONLY, …
    ├── Unauthenticated      INVALID_CREDENTIALS, TOKEN_…
    ├── Conflict             the state doesn't allow it: …_TAKEN, …_ARCHIVED, ALREADY_…
    ├── Invalid              VALIDATION_FAILED, INVALID_FLOW, CURSOR_INVALID: the arguments themselves are wrong
    └── Unavailable          SERVICE_UNAVAILABLE, DATABASE_UNAVAILABLE, OVERLOADED: try again later

A service raises them; the wire carries code, text and data as JSON (exception arguments would lose their types); the RPC
client raises `RemoteError`, the same family, with what was carried, the code of its family (`general`) too.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """Something the caller can act upon: `code` for programs, the text for people, `data` for details."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, text: str, *, code: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.error_code = code or self.code
        self.data = dict(data or {})

    @property
    def general(self) -> str:
        """The code of its family: what a caller of an earlier version makes of a code that it doesn't know."""
        for kind in type(self).__mro__:
            if issubclass(kind, DomainError) and DomainError in kind.__bases__:
                return kind.code
        return self.code


class NotFound(DomainError):
    """No such thing, or not for this caller."""

    code = "NOT_FOUND"


class Forbidden(DomainError):
    """The caller is known and may not."""

    code = "FORBIDDEN"


class Unauthenticated(DomainError):
    """The caller isn't who it claims to be."""

    code = "UNAUTHENTICATED"


class Conflict(DomainError):
    """The present state doesn't allow it."""

    code = "CONFLICT"


class Invalid(DomainError):
    """The arguments are wrong; `errors` names each field with its texts."""

    code = "VALIDATION_FAILED"

    def __init__(self, text: str, *, code: str | None = None, errors: Mapping[str, Any] | None = None) -> None:
        super().__init__(text, code=code, data={"errors": dict(errors)} if errors else None)


class Unavailable(DomainError):
    """A part is down or late; the same call may succeed after `retry_after` seconds."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, text: str, *, code: str | None = None, retry_after: int = 1) -> None:
        super().__init__(text, code=code, data={"retry_after": retry_after})


class RemoteError(DomainError):
    """What a service answered instead of a result."""

    def __init__(
        self, text: str, *, code: str | None = None, data: Mapping[str, Any] | None = None, general: str | None = None
    ) -> None:
        super().__init__(text, code=code, data=data)
        self._general = general

    @property
    def general(self) -> str:
        """As the service said; INTERNAL when it did not."""
        return self._general or self.code


class StaleDocument(Exception):
    """Another writer was faster: load again and decide again. Never crosses the wire."""


class DocumentExists(Exception):
    """An insert met a document that occupies its id or a unique value. Never crosses the wire."""

    def __init__(self, index: str) -> None:
        super().__init__(index)
        self.index = index
