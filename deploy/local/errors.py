"""What can keep the local stack from running, each said in one sentence with its remedy."""

from deploy.errors import Explained


class RunnerError(Explained):
    """The stack can't run."""


class PortInUse(RunnerError):
    """Another program listens where one of ours would."""


class NotInstalled(RunnerError):
    """A program that the local stack needs is not on this machine."""


class AlreadyRunning(RunnerError):
    """Another runner holds the data folder."""


class ProcessFailed(RunnerError):
    """A process ended, or did not get ready in time; carries the end of its log."""
