"""What messaging alone reads from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from services.common.guard import Network, read_networks
from services.common.settings import InvalidSetting, read_number

WEBHOOK_RETRY_SECONDS = "5,300,1800,7200,18000,36000"
GRAPH_URL = "https://graph.facebook.com/v23.0"
MAX_RETRIES = 20
LONGEST_RETRY_SECONDS = 86_400.0


@dataclass(frozen=True)
class MessagingSettings:
    """docs/settings.md explains each."""

    webhook_private_networks: tuple[Network, ...]
    webhook_retry_seconds: tuple[float, ...]
    webhook_deadline_seconds: float
    graph_url: str
    messenger_retry_seconds: float

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings in `environment` (default: the process's). Raises InvalidSetting."""
        env = os.environ if environment is None else environment
        return cls(
            webhook_private_networks=_read_networks(env, "FOYER_WEBHOOK_PRIVATE_NETWORKS"),
            webhook_retry_seconds=_read_seconds(env, "FOYER_WEBHOOK_RETRY_SECONDS", WEBHOOK_RETRY_SECONDS),
            # An item that takes 50 s is given up, so an exchange has to end well before.
            webhook_deadline_seconds=read_number(env, "FOYER_WEBHOOK_DEADLINE_SECONDS", 10.0, minimum=0.1, maximum=30),
            graph_url=_read_url(env, "FOYER_GRAPH_URL", GRAPH_URL),
            messenger_retry_seconds=read_number(env, "FOYER_MESSENGER_RETRY_SECONDS", 21_600.0, minimum=0, maximum=604_800),
        )


def _read_networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return read_networks(env.get(name, ""))
    except ValueError as error:
        raise InvalidSetting(f"{name}: {error}.") from None


def _read_seconds(env: Mapping[str, str], name: str, default: str) -> tuple[float, ...]:
    text = env.get(name, "").strip() or default
    try:
        seconds = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InvalidSetting(f"{name}={text!r} must be numbers of seconds, comma separated.") from None
    if len(seconds) > MAX_RETRIES or not all(0 <= each <= LONGEST_RETRY_SECONDS for each in seconds):
        raise InvalidSetting(f"{name}={text!r} must be at most {MAX_RETRIES} numbers from 0 to {LONGEST_RETRY_SECONDS:g}.")
    return seconds


def _read_url(env: Mapping[str, str], name: str, default: str) -> str:
    url = (env.get(name, "").strip() or default).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise InvalidSetting(f"{name}={url!r} must be a URL such as {default}.")
    return url
