"""What messaging reads from its environment."""

from ipaddress import ip_network

import pytest

from services.common.settings import InvalidSetting
from services.messaging.settings import MessagingSettings


def test_defaults_are_those_of_the_contract() -> None:
    found = MessagingSettings.read({})
    assert not found.webhook_private_networks
    assert list(found.webhook_retry_seconds) == [5, 300, 1800, 7200, 18000, 36000]
    assert found.webhook_deadline_seconds == 10
    assert found.graph_url == "https://graph.facebook.com/v23.0"
    assert found.messenger_retry_seconds == 21600


def test_settings_are_read() -> None:
    found = MessagingSettings.read(
        {
            "FOYER_WEBHOOK_PRIVATE_NETWORKS": "10.0.0.0/8, fd00::/8",
            "FOYER_WEBHOOK_RETRY_SECONDS": "0.1, 2",
            "FOYER_WEBHOOK_DEADLINE_SECONDS": "2.5",
            "FOYER_GRAPH_URL": "http://127.0.0.1:8080/v1/",
            "FOYER_MESSENGER_RETRY_SECONDS": "60",
        }
    )
    assert list(found.webhook_private_networks) == [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    assert list(found.webhook_retry_seconds) == [0.1, 2]
    assert (found.webhook_deadline_seconds, found.messenger_retry_seconds) == (2.5, 60)
    assert found.graph_url == "http://127.0.0.1:8080/v1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FOYER_WEBHOOK_PRIVATE_NETWORKS", "10.0.0.1/8"),
        ("FOYER_WEBHOOK_PRIVATE_NETWORKS", "everything"),
        ("FOYER_WEBHOOK_RETRY_SECONDS", "5,,300"),
        ("FOYER_WEBHOOK_RETRY_SECONDS", "5,-1"),
        ("FOYER_WEBHOOK_RETRY_SECONDS", "nan"),
        ("FOYER_WEBHOOK_RETRY_SECONDS", "100000"),
        ("FOYER_WEBHOOK_RETRY_SECONDS", ",".join(["1"] * 21)),
        ("FOYER_WEBHOOK_DEADLINE_SECONDS", "0"),
        ("FOYER_WEBHOOK_DEADLINE_SECONDS", "60"),
        ("FOYER_GRAPH_URL", "graph.facebook.com"),
        ("FOYER_GRAPH_URL", "https://graph.facebook.com/v23.0?x=1"),
        ("FOYER_MESSENGER_RETRY_SECONDS", "soon"),
    ],
)
def test_setting_is_refused_by_its_name_when_it_is_unusable(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        MessagingSettings.read({name: value})
