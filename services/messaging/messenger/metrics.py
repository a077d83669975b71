"""What is counted of Messenger."""

from prometheus_client import Counter

RECEIVED = Counter("foyer_messenger_events_total", "Events that Facebook delivered, by what became of them", ["kind", "outcome"])
SENDS = Counter("foyer_messenger_sends_total", "Calls of the Send API, by how they ended", ["outcome"])
