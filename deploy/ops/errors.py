"""What an operator's command says instead of a traceback, each with its exit status.

OpsError
├── Wrong       something is not as it should be: exit status 1
├── Unusable    the arguments or the surroundings can't be used: exit status 2
└── Declined    the operator did not confirm: exit status 1
"""

from deploy.errors import Explained

FINE, WRONG, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


class OpsError(Explained):
    """Base."""

    status = WRONG


class Wrong(OpsError):
    """Something is not as it should be."""


class Unusable(OpsError):
    """The command can't do its work with these arguments or here."""

    status = UNUSABLE


class Declined(OpsError):
    """The operator did not confirm; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("Not confirmed; nothing was changed.")
