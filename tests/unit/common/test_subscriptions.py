"""Which method an event type goes to."""

import pytest

from services.common.events import EventConsumer, Subscription


def bound(method_name: str, *pair: str) -> Subscription:
    subscription = Subscription(*pair)
    subscription.method_name = method_name
    return subscription


def test_second_subscription_to_the_same_type_is_refused_when_the_service_starts() -> None:
    consumer = EventConsumer()
    first = bound("follow", "contacts", "contact_updated")
    consumer.register_handler(first)
    consumer.register_handler(first)
    consumer.register_handler(bound("follow_all", "contacts", "contact_created"))
    with pytest.raises(RuntimeError, match=r"again and follow both subscribe to contacts\.contact_updated"):
        consumer.register_handler(bound("again", "contacts", "contact_updated"))
    assert consumer.handlers["contacts", "contact_updated"] is first
