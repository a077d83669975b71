"""Why a setup ends without having done its work."""


class SetupFailed(Exception):
    """The broker or the database refused, or wasn't there in time; the text says which and why, without any password."""
