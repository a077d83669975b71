"""The flow writers' document is held against the code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.common.validation import MAX_TEXT
from services.messaging.flows import answers, condition_schemas, play, problems, schemas, simulate
from services.messaging.flows.check import BLOCKS, load_flow
from services.messaging.flows.condition_schemas import SUBJECTS, load_test
from services.messaging.flows.engine import NO_SUBJECT
from services.messaging.flows.facts import KnownFacts
from services.messaging.flows.templates import fill

TEXT = (Path(__file__).parents[3] / "docs" / "flows.md").read_text()
EXAMPLES: list[dict[str, Any]] = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
FLOWS = [example for example in EXAMPLES if "start" in example]
EXAMPLE_BLOCKS = [example for example in EXAMPLES if "type" in example]
TESTS = [example for example in EXAMPLES if "start" not in example and "type" not in example]
ROWS = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in TEXT.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("flow", FLOWS)
def test_example_is_accepted_when_it_is_a_flow(flow: dict[str, Any]) -> None:
    loaded, problems = load_flow(flow)
    assert problems == {}
    inputs = [{"text": "?"}, {"text": "ann@example.org"}, {"text": "1"}]
    for available, ends in ((True, ("assigned", "handover")), (False, ("ended", None))):
        played = simulate.simulate(loaded, inputs, fields={}, facts=KnownFacts(available=available))
        assert (played["state"], played["block"]) == ends


@pytest.mark.parametrize("block", EXAMPLE_BLOCKS)
def test_example_is_well_formed_when_it_is_a_block(block: dict[str, Any]) -> None:
    BLOCKS[block["type"]].load(block)


@pytest.mark.parametrize("test", TESTS)
def test_example_is_well_formed_when_it_is_a_test(test: dict[str, Any]) -> None:
    load_test(test)


def test_every_block_has_its_section_and_an_example() -> None:
    assert re.findall(r"^### `(\w+)`$", TEXT, re.MULTILINE) == list(BLOCKS)
    assert {block["type"] for block in EXAMPLE_BLOCKS} == BLOCKS.keys()
    for kind, schema in BLOCKS.items():
        for name in (field.data_key or name for name, field in schema.fields.items()):
            assert f"`{name}`" in TEXT or name == "type", (kind, name)


def test_every_test_has_its_row() -> None:
    told: dict[str, set[str]] = {}
    for subject, relations, *_ in (row for row in ROWS if len(row) == 4 and row[0] != "`on`" and row[1].startswith("`")):
        told.setdefault(subject.strip("`") or list(told)[-1], set()).update(re.findall(r"`(\w+)`", relations))
    assert told == {name: set(schema.fields["relation"].validate.choices) for name, schema in SUBJECTS.items()}  # type: ignore[union-attr]


def test_every_kind_of_question_has_its_row() -> None:
    kinds = [row[0].strip("`") for row in ROWS if len(row) == 3]
    assert [kind for kind in kinds if kind in answers.RETRY] == list(schemas.QUESTION_KINDS)


def test_templates_come_out_as_is_told() -> None:
    rows = [row for row in ROWS if len(row) == 3 and "{name" in row[0]]
    assert len(rows) == 3
    for written, known, unknown in rows:
        text = written.strip("`").replace("\\|", "|")
        assert (fill(text, {"name": "Ann"}), fill(text, {})) == (known, unknown)
    assert NO_SUBJECT in TEXT


def test_limits_are_as_told() -> None:
    told = [int(row[1].replace(",", "")) for row in ROWS if len(row) == 2 and row[1].replace(",", "").isdigit()]
    assert told == [
        schemas.MAX_BLOCKS,
        schemas.MAX_CUSTOM_FIELDS,
        64,
        schemas.MAX_BLOCK_TEXT,
        MAX_TEXT,
        play.MAX_SAYS,
        play.MAX_TURN_BYTES,
        answers.MAX_ANSWER,
        schemas.MAX_SUBJECT,
        schemas.MAX_OPTIONS,
        schemas.MAX_RETRIES,
        schemas.MAX_DELAY_SECONDS,
        condition_schemas.MAX_CASES,
        condition_schemas.MAX_TESTS,
        condition_schemas.MAX_DEPTH,
        condition_schemas.MAX_VALUES,
        simulate.MAX_INPUTS,
    ]
    assert f"{simulate.MAX_LINES:,} lines or {simulate.MAX_CHARACTERS:,} characters" in TEXT
    assert f"{simulate.MAX_WORK:,} blocks and comparisons" in TEXT
    assert f"more than {problems.MAX_PROBLEMS} the first" in TEXT
