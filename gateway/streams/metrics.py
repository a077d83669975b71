"""What the streams count and time, in Prometheus' names."""

from prometheus_client import Counter, Gauge, Histogram

from services.common.metrics import LATENCY_BUCKETS

OPEN = Gauge("foyer_streams_open", "Streams that clients hold open", ["audience", "kind"])
FANNED_OUT = Counter("foyer_stream_events_total", "Events given to clients' queues as they happened", ["audience"])
REPEATS = Counter("foyer_stream_repeats_total", "Events of the log that were there before and were dropped")
UNREADABLE = Counter("foyer_stream_unreadable_total", "Messages of the log that could not be shown and were passed over")
OVERFLOWS = Counter("foyer_stream_overflows_total", "Streams cut off because their client read too slowly")
RESUMES = Counter("foyer_stream_resumes_total", "Streams resumed, by where the missed events came from", ["way"])
LAG = Histogram("foyer_stream_lag_seconds", "From an event's commit to its fan-out", buckets=(*LATENCY_BUCKETS, 10, 60))
CONNECTED = Gauge("foyer_stream_log_connected", "1 while the event log is being followed")
BEAT_FAILURES = Counter("foyer_visitor_beat_failures_total", "Calls about which visitors are there that failed")
LEASE_FAILURES = Counter("foyer_lease_failures_total", "Calls about connection leases that failed", ["method"])
