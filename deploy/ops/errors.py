"""What an operator's command says instead of a traceback, each with its exit status.

OpsError
├── Wrong       something is not as it should be: exit status 1
├── Unusable    the arguments or the surroundings can't be used: exit status 2
└── Declined    the operator did not confirm: exit status 1
"""

FINE, WRONG, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


class OpsError(Exception):
    """Base; `remedy` is what the reader can do about it."""

    status = WRONG

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  {self.remedy}" if self.remedy else message


class Wrong(OpsError):
    """Something is not as it should be."""


class Unusable(OpsError):
    """The command can't do its work with these arguments or here."""

    status = UNUSABLE


class Declined(OpsError):
    """The operator did not confirm; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("Not confirmed; nothing was changed.")
