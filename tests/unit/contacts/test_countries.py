"""Real addresses and their countries, by the database that ships with the project; and what makes a visit of them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from services.common.times import now
from services.contacts import geoip
from services.contacts.enrichment import Enrichment
from services.contacts.geoip import SHIPPED_DATABASE, Corrections, CountryLookup, read_address, read_country_names
from services.contacts.visits import read_page

# Of universities, registries, broadcasters and internet providers, who use them at home.
COUNTRIES = {
    "193.171.255.2": "AT",
    "2001:628:453:420::1": "AT",
    "129.78.5.8": "AU",
    "2001:388::1": "AU",
    "2001:44b8::1": "AU",
    "130.104.5.100": "BE",
    "200.160.2.3": "BR",
    "2001:12ff:0:2::3": "BR",
    "128.100.1.1": "CA",
    "129.132.1.1": "CH",
    "2001:620::1": "CH",
    "166.111.8.28": "CN",
    "2001:250:3::1": "CN",
    "2001:da8:8000:1::80": "CN",
    "240e:4c:4008::1": "CN",
    "147.229.2.90": "CZ",
    "193.99.144.80": "DE",
    "2a02:2e0:3fe:1001:302::": "DE",
    "2003:c0::1": "DE",
    "130.225.8.10": "DK",
    "158.109.0.1": "ES",
    "193.166.3.2": "FI",
    "2001:708:10:55::53": "FI",
    "138.96.0.10": "FR",
    "2001:660:3003:2::4:1": "FR",
    "131.111.8.46": "GB",
    "212.58.244.70": "GB",
    "2001:630:212:200::d:a0": "GB",
    "147.102.222.210": "GR",
    "193.1.193.64": "IE",
    "2001:770:18:aa40::c101:c140": "IE",
    "132.66.1.1": "IL",
    "202.141.0.1": "IN",
    "2001:4490::1": "IN",
    "2405:200::1": "IN",
    "193.206.158.22": "IT",
    "2001:760:4:fe::2": "IT",
    "133.11.0.1": "JP",
    "203.178.141.194": "JP",
    "2001:200:0:8002::1": "JP",
    "2001:240:bb81::10:40": "JP",
    "2001:e42:102:1::1": "JP",
    "2400:4050::1": "JP",
    "168.126.63.1": "KR",
    "132.248.10.2": "MX",
    "2001:e68::1": "MY",
    "193.0.6.139": "NL",
    "2001:67c:2e8:22::c100:68b": "NL",
    "129.240.2.27": "NO",
    "130.216.1.1": "NZ",
    "149.156.4.11": "PL",
    "193.136.2.5": "PT",
    "77.88.8.8": "RU",
    "2a02:6b8::feed:0ff": "RU",
    "130.238.7.10": "SE",
    "192.36.148.17": "SE",
    "2001:7fe::53": "SE",
    "2404:e800::1": "SG",
    "2001:fb0::1": "TH",
    "193.140.83.1": "TR",
    "140.112.2.2": "TW",
    "2001:288:1::1": "TW",
    "8.8.8.8": "US",
    "::ffff:8.8.8.8": "US",
    "2001:4860:4860::8888": "US",
    "2600:1700::1": "US",
    "200.3.14.10": "UY",
    "2001:13c7:7002:4000::10": "UY",
    "2001:ee0::1": "VN",
    "196.21.45.1": "ZA",
}


@pytest.fixture(scope="module")
def lookup() -> CountryLookup:
    return CountryLookup(SHIPPED_DATABASE, read_country_names())


def test_country_is_the_owners_when_a_public_address_is_looked_up(lookup: CountryLookup) -> None:
    found = {ip: (lookup.find(ip) or {}).get("code") for ip in COUNTRIES}
    assert found == COUNTRIES
    assert len(set(COUNTRIES.values())) > 30
    assert sum(":" in ip for ip in COUNTRIES) > 25


@pytest.mark.parametrize(
    "ip",
    ["10.0.0.1", "172.31.255.255", "192.168.1.7", "127.0.0.1", "169.254.7.7", "100.64.0.1", "::1", "fd12::1", "fe80::1%eth0", "::ffff:10.0.0.1",
     "2001:db8::1", "224.0.0.1", "0.0.0.1", "8.8.8.8:443", "", None, "999.1.1.1", "<script>"],
)  # fmt: skip
def test_there_is_no_country_when_the_address_is_not_public(lookup: CountryLookup, ip: str | None) -> None:
    assert lookup.find(ip) is None


def test_correction_counts_for_its_narrowest_network_and_only_where_the_database_is_mistaken() -> None:
    corrections = Corrections([("2001:200::/32", "JP"), ("2001:200:8000::/48", "KR")])

    def corrected(ip: str, code: str | None) -> str | None:
        address = read_address(ip)
        assert address is not None
        return corrections.correct(address, code)

    assert corrected("2001:200::1", "AU") == "JP"
    assert corrected("2001:200:8000:1::1", "AU") == "KR"
    assert corrected("2001:200:8001::1", "AU") == "JP"
    assert corrected("2001:201::1", "AU") == "AU"
    assert (corrected("2001:200::1", "CN"), corrected("2001:200::1", None), corrected("1.1.1.1", "AU")) == ("CN", None, "AU")


def test_visits_go_on_without_a_country_and_with_one_warning_until_the_database_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    clock = [0.0]
    path = tmp_path / "country.mmdb"
    monkeypatch.setenv("GEOIP_DATABASE", str(path))
    monkeypatch.setattr("services.contacts.geoip.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(geoip.log, "warning", lambda event, **_: said.append(event), raising=False)
    enrichment = Enrichment()
    enrichment.setup()

    def country() -> Any:
        visit = enrichment.read_visit(now(), ip="193.99.144.80")
        assert visit.ip == "193.99.144.80"
        clock[0] += geoip.CHECK_SECONDS
        return visit.country

    assert [country() for _ in range(3)] == [None] * 3
    assert said == ["country_database_unusable"]
    shutil.copy(SHIPPED_DATABASE, path)
    assert country() == {"code": "DE", "name": "Germany"}
    path.unlink()
    assert country() == {"code": "DE", "name": "Germany"}  # the one before stays in use
    assert said == ["country_database_unusable"] * 2


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "http://[::1", "http://169.254.169.254/latest", "//\u202e", "x" * 9000]
)
def test_hostile_address_of_a_page_is_text_and_nothing_is_fetched(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("something was fetched"))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("a name was looked up"))
    page = read_page({"url": url, "title": url, "referrer": url}, now())
    assert page is not None
    assert (page["url"], page["title"], page["referrer"]) == (url[:2000], url[:500], url[:2000])
