"""What the gateway reads from its environment beside what every process reads."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from gateway.addresses import Network, parse_networks
from services.common.settings import InvalidSetting, Settings, read_choice, read_number, read_secret

MINIMUM_KEY_LENGTH = 32  # RFC 7518, 3.2: an HS256 key is at least as long as its hash


@dataclass(frozen=True)
class GatewaySettings(Settings):
    """The gateway's settings; docs/settings.md explains each."""

    host: str
    port: int
    secret_key: str
    trusted_proxies: tuple[Network, ...]
    rate_limits: bool
    access_token_seconds: int
    visitor_token_days: int
    lease_seconds: int
    drain_seconds: float
    max_body_bytes: int = 256 * 1024

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings in `environment` (default: the process's). Raises InvalidSetting."""
        env = os.environ if environment is None else environment
        return cls(
            **vars(Settings.read(env)),
            host=env.get("FOYER_HOST", "").strip() or "127.0.0.1",
            port=read_number(env, "FOYER_PORT", 8000, minimum=0, maximum=65535),
            secret_key=_read_secret_key(env),
            trusted_proxies=_read_networks(env),
            rate_limits=read_choice(env, "FOYER_RATE_LIMITS", "on", ("on", "off")) == "on",
            access_token_seconds=read_number(env, "FOYER_ACCESS_TOKEN_SECONDS", 900, minimum=1, maximum=86_400),
            visitor_token_days=read_number(env, "FOYER_VISITOR_TOKEN_DAYS", 365, minimum=1, maximum=3_650),
            lease_seconds=read_number(env, "FOYER_LEASE_SECONDS", 30, minimum=1, maximum=3_600),
            drain_seconds=read_number(env, "FOYER_DRAIN_SECONDS", 0.0, minimum=0, maximum=600),
        )


def _read_secret_key(env: Mapping[str, str]) -> str:
    key = read_secret(env, "FOYER_SECRET_KEY") or ""
    if len(key) < MINIMUM_KEY_LENGTH:
        raise InvalidSetting(
            f"FOYER_SECRET_KEY must hold at least {MINIMUM_KEY_LENGTH} characters that nobody can guess, the same on every gateway."
        )
    return key


def _read_networks(env: Mapping[str, str]) -> tuple[Network, ...]:
    text = env.get("TRUSTED_PROXIES", "")
    try:
        return parse_networks(text)
    except ValueError as error:
        raise InvalidSetting(f"TRUSTED_PROXIES={text!r} must be networks separated by commas: {error}.") from None
