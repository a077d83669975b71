"""What a command of ours says instead of a traceback: one sentence and its remedy."""


class Explained(Exception):
    """Base; `remedy` is what the reader can do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n  {self.remedy}" if self.remedy else message
