"""What a product's processes said in their logs, from a moment on."""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.product import Gateway, Product

# Said when something happened that nobody thought of.
FAULTS = frozenset(
    {"uncaught_exception", "unexpected_failure", "unexpected_error_code", "consumer_failed", "result_not_serializable"}
)


class Logbook:
    """Begins where the logs end now: behind each one's last whole line."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._begun = {name: text.rfind("\n") + 1 for name, text in self._texts()}

    def texts(self) -> dict[str, str]:
        """What each process wrote since."""
        return {name: text[self._begun.get(name, 0) :] for name, text in self._texts()}

    def lines(self) -> Iterator[dict[str, Any]]:
        """Each line of each process; one that is not written to its end yet is left out."""
        for name, text in self.texts().items():
            for line in text.splitlines(keepends=True):
                if line.endswith("\n"):
                    yield {"log": name, **json.loads(line)}

    def faults(self) -> list[str]:
        """Lines that tell of a bug, or of an answer with a 5xx other than 503."""
        return [
            f"{line['log']}: {line['event']} {line.get('exception', '')[-300:]}"
            for line in self.lines()
            if line["event"] in FAULTS or (line["event"] == "request" and line["status"] in {500, 501, 502, 504})
        ]

    def _texts(self) -> Iterator[tuple[str, str]]:
        for name, process in self._product.services.items():
            yield name, process.log_path.read_bytes().decode(errors="replace")


def no_faults(product: Product, gateway: Gateway) -> Iterator[None]:
    """For modules whose tests send what nobody should: all of it was foreseen, and the product is ready as before."""
    book = Logbook(product)
    yield
    gateway.wait_ready(30)  # on a busy machine a service may take longer to say that it is well than it is given
    assert book.faults() == []
