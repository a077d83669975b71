"""The normal form of values, and what is refused."""

from typing import Any

import pytest

from services.contacts.values import InvalidValue, clean_custom, clean_email, clean_name, clean_phone


@pytest.mark.parametrize(
    ("said", "kept"),
    [("Ann@Example.ORG", "Ann@example.org"), (" a.b+c@d-e.co.uk ", "a.b+c@d-e.co.uk"), ("josé@müller.example", "josé@müller.example"), (None, None)],
)  # fmt: skip
def test_email_is_kept_with_its_domain_in_lower_case(said: str | None, kept: str | None) -> None:
    assert clean_email(said) == kept


@pytest.mark.parametrize(
    "said",
    ["", "a", "@b.test", "a@", "a@b", "a@@b.test", "a b@c.test", "a@b..test", ".a@b.test", "a.@b.test", "a..b@c.test", "a@-b.test", "a@b.123",
     "a@b.test\nBcc: c", "<a@b.test>", "a,b@c.test", "x" * 65 + "@b.test", "a@" + "b" * 64 + ".test", "a@" + "b." * 130 + "test", 5, True, ["a@b.test"]],
)  # fmt: skip
def test_email_is_refused_when_it_is_none(said: Any) -> None:
    with pytest.raises(InvalidValue):
        clean_email(said)


@pytest.mark.parametrize(
    ("said", "region", "kept"),
    [("+49 30 123456", None, "+4930123456"), ("030 123456", "DE", "+4930123456"), ("+44 20 7946 0018", "DE", "+442079460018"), ("(212) 555-0123", "US", "+12125550123"),
     ("020 7946 0018", "GB", "+442079460018"), (None, "DE", None)],
)  # fmt: skip
def test_phone_is_kept_as_e164(said: str | None, region: str | None, kept: str | None) -> None:
    assert clean_phone(said, region) == kept


@pytest.mark.parametrize(("said", "region"), [("030 123456", None), ("12", "DE"), ("call me", "DE"), ("+999 1234567", None), ("+49" + "1" * 30, None), ("1" * 500, "DE"), (49301234, "DE"), ("555-0123", "US")])  # fmt: skip
def test_phone_is_refused_when_it_is_none(said: Any, region: str | None) -> None:
    with pytest.raises(InvalidValue):
        clean_phone(said, region)


def test_name_is_on_one_line() -> None:
    assert clean_name("  Zoë \n Müller\t") == "Zoë Müller"


@pytest.mark.parametrize("said", ["", "  ", "x" * 201, None, 5, "a\x00b", "a\x1bb"])
def test_name_is_refused_when_it_is_none(said: Any) -> None:
    with pytest.raises(InvalidValue):
        clean_name(said)


@pytest.mark.parametrize("said", ["", "text", "x" * 2000, 0, -1.5, 2**53 - 1, True, False, None, "2026-03-01"])
def test_custom_value_is_kept_as_it_is(said: Any) -> None:
    assert clean_custom(said) is said


@pytest.mark.parametrize("said", ["x" * 2001, "a\x00", 2**53, float("nan"), float("inf"), -1e300, [], {}, ["x"]])
def test_custom_value_is_refused_when_it_is_unusable(said: Any) -> None:
    with pytest.raises(InvalidValue):
        clean_custom(said)
