import pytest

from gateway.settings import GatewaySettings
from services.common.settings import InvalidSetting
from tests.unit.gateway.kit import KEY


def test_settings_have_defaults_except_for_the_key() -> None:
    settings = GatewaySettings.read({"FOYER_SECRET_KEY": KEY})
    assert (settings.host, settings.port, settings.rate_limits) == ("127.0.0.1", 8000, True)
    assert (settings.access_token_seconds, settings.visitor_token_days, settings.trusted_proxies) == (900, 365, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FOYER_SECRET_KEY", ""),
        ("FOYER_SECRET_KEY", "x" * 31),
        ("FOYER_PORT", "http"),
        ("FOYER_PORT", "65536"),
        ("TRUSTED_PROXIES", "proxy"),
        ("FOYER_RATE_LIMITS", "maybe"),
        ("FOYER_ACCESS_TOKEN_SECONDS", "0"),
        ("FOYER_DRAIN_SECONDS", "long"),
    ],
)
def test_setting_is_refused_by_its_name_when_unusable(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name) as raised:
        GatewaySettings.read({"FOYER_SECRET_KEY": KEY} | {name: value})
    assert "\n" not in str(raised.value)
    if name == "FOYER_SECRET_KEY" and value:
        assert value not in str(raised.value)
