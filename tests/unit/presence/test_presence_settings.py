"""What presence reads from its environment, and how it refuses."""

from datetime import timedelta

import pytest

from services.common.settings import InvalidSetting
from services.presence.settings import FirstAdminSettings, read_terms


def test_defaults_hold_when_nothing_is_set() -> None:
    terms = read_terms({})
    assert (terms.lease, terms.grace) == (timedelta(seconds=30), timedelta(seconds=5))
    assert FirstAdminSettings.read({}) == FirstAdminSettings("admin@foyer.localhost", None)


def test_fractions_of_a_second_are_kept() -> None:
    terms = read_terms({"FOYER_LEASE_SECONDS": "1.5", "FOYER_GRACE_SECONDS": "0"})
    assert (terms.lease, terms.grace) == (timedelta(seconds=1.5), timedelta())


@pytest.mark.parametrize(
    "environment", [{"FOYER_LEASE_SECONDS": "0"}, {"FOYER_GRACE_SECONDS": "-1"}, {"FOYER_LEASE_SECONDS": "x"}]
)
def test_lease_times_are_refused_when_unusable(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting, match="FOYER_"):
        read_terms(environment)


def test_short_admin_password_is_refused_without_showing_it() -> None:
    with pytest.raises(InvalidSetting) as refused:
        FirstAdminSettings.read({"FOYER_ADMIN_PASSWORD": "hunter2"})
    assert "hunter2" not in str(refused.value)


def test_admin_email_is_refused_when_it_is_none() -> None:
    with pytest.raises(InvalidSetting, match="FOYER_ADMIN_EMAIL"):
        FirstAdminSettings.read({"FOYER_ADMIN_EMAIL": "admin"})
