"""A relay for a store that a test makes beside the service's processes."""

from typing import Any


class NoRelay:
    """Sends nothing: the sweep of the processes sends what the store writes."""

    def hand_over(self, collection: str, document_id: str, entries: list[dict[str, Any]]) -> None:
        """Nothing."""
