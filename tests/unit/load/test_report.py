"""The report's two forms."""

import pytest

from tests.load.report import Column, Report, Section, Table, Value, to_json, to_markdown


@pytest.fixture
def report() -> Report:
    columns = [Column("replicas", "replicas"), Column("p50", "p50 ms", 1), Column("name", "name")]
    rows: list[dict[str, Value]] = [{"replicas": 1, "p50": 1234.56789, "name": "first"}, {"replicas": 3, "p50": None}]
    section = Section("lists", "Lists", "What was done.", [Table("Found", columns, rows, "A note.")])
    return Report("2026-11-24 10:00 UTC", {"cores": 2, "memory": "4 GB"}, [section])


def test_people_read_tables_with_units_and_dashes_for_what_was_not_measured(report: Report) -> None:
    text = to_markdown(report)
    assert text.startswith("# Load report\n\nWritten by `make bench` at 2026-11-24 10:00 UTC")
    assert "- cores: 2\n- memory: 4 GB\n" in text
    assert "## Lists\n\nWhat was done.\n\n### Found\n\n" in text
    assert "| replicas | p50 ms | name |\n| ---: | ---: | ---: |\n| 1 | 1,234.6 | first |\n| 3 | - | - |\n\nA note.\n" in text
    assert "prove nothing" not in text


def test_programs_read_the_same_values_by_key(report: Report) -> None:
    assert to_json(report) == {
        "made_at": "2026-11-24 10:00 UTC",
        "machine": {"cores": 2, "memory": "4 GB"},
        "faults": [],
        "scenarios": {
            "lists": {
                "title": "Lists",
                "tables": [
                    {
                        "title": "Found",
                        "columns": {"replicas": "replicas", "p50": "p50 ms", "name": "name"},
                        "rows": [
                            {"replicas": 1, "p50": 1234.568, "name": "first"},
                            {"replicas": 3, "p50": None, "name": None},
                        ],
                    }
                ],
            }
        },
    }


def test_report_says_first_that_it_proves_nothing_when_something_went_wrong(report: Report) -> None:
    broken = Report(report.made_at, report.machine, [Section("lists", "Lists", "Text.", [], ["2 of 9 were lost"])])
    assert broken.faults == ["lists: 2 of 9 were lost"]
    assert to_markdown(broken).index("prove nothing:**\n\n- lists: 2 of 9 were lost") < to_markdown(broken).index("## Lists")
    assert to_json(broken)["faults"] == ["lists: 2 of 9 were lost"]
