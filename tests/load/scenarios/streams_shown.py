"""What the scenario of the open streams has found, as tables, plots and figures. Pure."""

from dataclasses import dataclass, field

from tests.load.report import Column, Figure, Plot, Series, Table, Value


@dataclass
class Rows:
    """What was found so far, by table."""

    opening: list[dict[str, Value]] = field(default_factory=list)
    targeted: list[dict[str, Value]] = field(default_factory=list)
    everyone: list[dict[str, Value]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def tables(rows: Rows) -> list[Table]:
    """What streams occupy, then how fast one visitor and all agents are told."""
    size = Column("size", "open streams")
    opening = [
        Column("who", "whose"),
        size,
        Column("before", "gateway before the last were added, MB", 1),
        Column("resident", "with all, MB", 1),
        Column("each", "kB for each added", 1),
        Column("rate", "opened/s"),
        Column("open_p50", "opening p50 ms", 1),
        Column("open_p99", "p99 ms", 1),
    ]
    targeted = [
        size,
        Column("p50", "event p50 ms", 2),
        Column("p99", "p99 ms", 1),
        Column("max", "max ms", 1),
        Column("gateway", "gateway's processor ms for each", 2),
        Column("late", "published late by at most, ms", 1),
        Column("post_p50", "agent's message p50 ms", 1),
        Column("post_p99", "p99 ms", 1),
    ]
    everyone = [
        size,
        Column("first", "POST to the first, ms", 1),
        Column("spread", "first to last, ms", 1),
        Column("spread_max", "slowest, ms", 1),
        Column("whole", "POST to the last, ms", 1),
        Column("whole_max", "slowest, ms", 1),
        Column("bare", "bare loop, first to last, ms", 1),
        Column("ratio", "first to last / bare", 1),
        Column("gateway", "gateway's processor ms for each event", 1),
    ]
    opened = (
        "64 streams are being opened at any moment; each asks messaging whose conversation it is, an agent's also has presence "
        "note its lease. The memory is that of the process which serves, without gunicorn's first process."
    )
    return [
        Table("What they occupy", opening, rows.opening, " ".join([opened, *rows.skipped])),
        Table("To one visitor", targeted, rows.targeted),
        Table(
            "To all agents",
            everyone,
            rows.everyone,
            "Medians and the slowest of the rounds; a round begins when the one before has ended.",
        ),
    ]


def plots(rows: Rows) -> list[Plot]:
    """Memory and fan-out by the number of streams."""
    memory = [
        Series(
            f"{who}' streams",
            [(float(row["size"] or 0), float(row["resident"] or 0)) for row in rows.opening if row["who"] == who],
        )
        for who in ("visitors", "agents")
    ]
    measured = [(float(row["size"] or 0), float(row["spread"] or 0)) for row in rows.everyone]
    bare = [(float(row["size"] or 0), float(row["bare"] or 0)) for row in rows.everyone]
    lines = [Series("gateway", measured), Series("bare loop", bare, reference=True)]
    return [
        Plot("streams-memory", "Memory of one gateway process by open streams", "open streams", "MB resident", memory),
        Plot("streams-everyone", "An event to all agents, from the first stream to the last", "open streams", "ms", lines),
    ]


def figures(rows: Rows) -> list[Figure]:
    """Those of the most streams."""
    figures = [
        Figure(f"Gateway with {row['size']:,} {row['who']}' streams", "MB", float(row["resident"] or 0), decimals=0)
        for row in rows.opening
        if row["size"] == max(each["size"] or 0 for each in rows.opening)
    ]
    if rows.everyone:
        last = rows.everyone[-1]
        what = f"An event to {last['size']:,} agents' streams, first to last"
        figures.append(
            Figure(what, "ms", float(last["spread"] or 0), "a bare loop over as many sockets", float(last["bare"] or 0), 0)
        )
    return figures
