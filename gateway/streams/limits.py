"""The bounds of what a gateway process keeps for its streams."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Tests shrink them; nobody has to tune them."""

    # Recent entries, by number and by bytes with both encodings made: minutes of a busy product.
    recent_count: int = 10_000
    recent_bytes: int = 16 * 1024 * 1024
    # Where to start behind the log's end. Twice what the recent entries hold: a repeat is then known as one even when its
    # first copy lies before them.
    warm_up: int = 20_000
    # Event ids remembered, to know repeats by.
    seen_count: int = 50_000
    # Payloads that wait for one client.
    queue_length: int = 256
    # Clients that read the log itself at the same time.
    readers: int = 4
