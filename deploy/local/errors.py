"""What can keep the local stack from running, each said in one sentence with its remedy."""


class RunnerError(Exception):
    """The stack can't run; `remedy` is what the reader can do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  {self.remedy}" if self.remedy else message


class PortInUse(RunnerError):
    """Another program listens where one of ours would."""


class NotInstalled(RunnerError):
    """A program that the local stack needs is not on this machine."""


class AlreadyRunning(RunnerError):
    """Another runner holds the data folder."""


class ProcessFailed(RunnerError):
    """A process ended, or did not get ready in time; carries the end of its log."""
