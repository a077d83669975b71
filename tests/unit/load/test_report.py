"""The report's two forms."""

import pytest

from tests.load.report import Column, Figure, Plot, Report, Section, Table, Value, to_json, to_markdown


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


def test_figures_stand_first_beside_their_raw_ceilings() -> None:
    figures = [Figure("messages, 64 senders", "/s", 640.0, "bare inserts", 2560.0, 0), Figure("memory", "MB", 211.04)]
    report = Report("now", {}, [Section("messages", "Messages", "Text.", [], figures=figures)], "Performance report")
    text = to_markdown(report)
    assert text.startswith("# Performance report\n")
    assert text.index("## At a glance") < text.index("## Messages")
    assert "| messages, 64 senders | 640 /s | 2,560 /s | bare inserts | 0.25 |\n| memory | 211.0 MB |  |  |  |" in text
    assert to_json(report)["figures"] == [
        {"what": "messages, 64 senders", "unit": "/s", "value": 640.0, "beside": "bare inserts", "ceiling": 2560.0},
        {"what": "memory", "unit": "MB", "value": 211.04},
    ]


def test_plots_are_shown_in_their_section_with_their_titles() -> None:
    plot = Plot("messages", "Messages a second", "senders", "a second", [])
    text = to_markdown(Report("now", {}, [Section("messages", "Messages", "Text.", [], plots=[plot])]))
    assert "## Messages\n\nText.\n\n![Messages a second](images/performance/messages.svg)\n" in text
