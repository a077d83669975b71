"""The documents' tables are held against the code, so that neither can drift."""

import re
from pathlib import Path

import pytest

from gateway.errors import CODES
from gateway.streams.catalogue import CATALOGUE

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
# Read by name somewhere, and no setting of ours.
FOREIGN = {"RABBITMQ_", "EVENTLET_NO_GREENDNS", "FOYER_CHANNEL"}


def rows(document: str) -> list[list[str]]:
    """The cells of every table row of a document."""
    lines = (DOCS / document).read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def test_error_table_is_the_gateways() -> None:
    documented = {cells[1].strip("`"): (int(cells[0]), cells[2]) for cells in rows("errors.md") if cells[0].isdigit()}
    assert documented == {code: tuple(entry) for code, entry in CODES.items()}


def test_event_table_is_the_streams() -> None:
    told = {
        (cells[0], cells[1].strip("`")): re.findall(r"`([a-z]+\.[a-z]+)`", cells[3])
        for cells in rows("events.md")
        if len(cells) == 5
    }
    documented = {pair: names[0] for pair, names in told.items() if names}
    assert documented == {pair: entry.name for pair, entry in CATALOGUE.items()}


def read_variables() -> set[str]:
    """Every variable of ours that the code or a script names."""
    found: set[str] = set()
    for folder in ("services", "gateway", "deploy"):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.suffix in {".py", ".sh"}:
                found |= set(re.findall(r"\b(FOYER_[A-Z_]+[A-Z])\b", path.read_text()))
    return found - FOREIGN


def test_settings_table_names_every_variable_that_is_read() -> None:
    documented = {cells[0].strip("`") for cells in rows("settings.md") if cells[0].startswith("`")}
    others = {"AMQP_URI", "MONGODB_URI", "TRUSTED_PROXIES", "GEOIP_DATABASE", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    assert documented == read_variables() | others


@pytest.mark.parametrize("document", sorted(path.relative_to(REPOSITORY) for path in REPOSITORY.glob("docs/**/*.md")), ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    text = (REPOSITORY / document).read_text()
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert (REPOSITORY / document.parent / target).exists(), target
