"""One thing that is wrong."""

from dataclasses import dataclass

KINDS = ("lost", "doubled", "gap", "misordered", "stuck", "refused")


@dataclass(frozen=True, order=True)
class Violation:
    """Its kind, what it is about, and a sentence with what is needed to look into it."""

    kind: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}: {self.detail}"
