"""A channel's visitors: noted one by one, counted together."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from services.common.amqp import Outgoing
from services.common.ids import new_id
from services.messaging.store import MessagingStore
from tests.service.messaging.conftest import ADMIN, Messaging
from tests.support.events import Announcer, Collector, event_message
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def engaged(contact_id: str, channel_id: str) -> Outgoing:
    ids = {"conversation_id": new_id(), "channel_id": channel_id, "contact_id": contact_id}
    entity = ("conversation", ids["conversation_id"], 2)
    return event_message("messaging", "visitor_engaged", ids, entity=entity, contact_id=contact_id)


def count(messaging: Messaging, channel_id: str) -> int:
    return int(messaging.call("get_channel", channel_id=channel_id)["visitor_count"])


def uncounted(stack: Stack, channel_id: str) -> int:
    return stack.mongo("messaging").visitors.count_documents({"channel_id": channel_id, "counted": False})


@pytest.mark.usefixtures("second_replica")
def test_count_is_exact_and_told_seldom_when_fifty_visitors_come_at_once_and_twice(
    messaging: Messaging, announcer: Announcer, collector: Collector, stack: Stack
) -> None:
    channel_id = messaging.new_channel(flow=None)
    visitors = [engaged(new_id(), channel_id) for _ in range(50)]
    announcer.publish_together([*visitors, *visitors, engaged(new_id(), channel_id)])
    wait_until(lambda: count(messaging, channel_id) >= 51)
    assert uncounted(stack, channel_id) == 0
    assert stack.mongo("messaging").visitors.count_documents({"channel_id": channel_id}) == count(messaging, channel_id) == 51
    last = collector.wait_for("channel_updated", lambda e: e["data"]["id"] == channel_id and e["data"]["visitor_count"] == 51)
    assert last["entity"]["version"] < 25


def test_visitor_is_counted_when_the_process_ended_after_noting_it(
    messaging: Messaging, announcer: Announcer, collector: Collector, store: MessagingStore, stack: Stack
) -> None:
    channel_id, contact_id = messaging.new_channel(flow=None), new_id()
    store.note_visitor(contact_id, channel_id)
    announcer.publish_together([engaged(contact_id, channel_id)])  # which was not acknowledged
    collector.wait_for("channel_updated", lambda e: e["data"]["id"] == channel_id and e["data"]["visitor_count"] == 1)
    announcer.publish_together([engaged(contact_id, channel_id), engaged(new_id(), channel_id)])
    wait_until(lambda: count(messaging, channel_id) > 1)
    assert (count(messaging, channel_id), uncounted(stack, channel_id)) == (2, 0)


def test_visitors_are_counted_once_when_several_replicas_found_them_uncounted(
    messaging: Messaging, store: MessagingStore
) -> None:
    channel_id = messaging.new_channel(flow=None)
    visitors = [new_id() for _ in range(20)]
    with ThreadPoolExecutor(4) as replicas:
        list(replicas.map(partial(store.note_visitor, channel_id=channel_id), visitors))
        list(replicas.map(partial(store.count_visitors, channel_id), [visitors, visitors[:10], visitors[5:], visitors]))
    assert count(messaging, channel_id) == 20


def test_visitors_of_a_deleted_channel_are_waited_for_no_longer(
    messaging: Messaging, store: MessagingStore, stack: Stack
) -> None:
    channel_id = messaging.new_channel(flow=None)
    messaging.call("delete_channel", channel_id=channel_id, actor=ADMIN)
    store.note_visitor(new_id(), channel_id)
    wait_until(lambda: uncounted(stack, channel_id) == 0)


def test_round_reads_only_those_not_counted_yet(store: MessagingStore) -> None:
    plan: dict[str, Any] = store.database.visitors.find({"counted": False}).explain()["queryPlanner"]["winningPlan"]
    assert "uncounted" in str(plan)
