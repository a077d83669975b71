"""Addresses and their countries, whatever happens to the database."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import maxminddb
import pytest

from services.contacts import geoip
from services.contacts.geoip import SHIPPED_DATABASE, CountryLookup, is_public, read_address, read_country_names

NAMES = {"US": "United States", "DE": "Germany"}


class Clock:
    """Moves only when told; what was logged meanwhile is counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.warnings: list[str] = []
        monkeypatch.setattr("services.contacts.geoip.time.monotonic", lambda: self.now)
        monkeypatch.setattr(geoip.log, "warning", lambda event, **_: self.warnings.append(event), raising=False)

    def pass_time(self) -> None:
        self.now += geoip.CHECK_SECONDS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("text", "public"),
    [("8.8.8.8", True), ("2001:4860:4860::8888", True), ("::ffff:8.8.8.8", True), ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.0.1", False),
     ("127.0.0.1", False), ("169.254.1.1", False), ("100.64.0.1", False), ("0.0.0.1", False), ("240.0.0.1", False), ("255.255.255.255", False),
     ("224.0.0.1", False), ("192.0.2.1", False), ("::1", False), ("::", False), ("fe80::1", False), ("fc00::1", False), ("ff02::1", False),
     ("2001:db8::1", False), ("::ffff:10.0.0.1", False), ("fe80::1%eth0", False)],
)  # fmt: skip
def test_address_is_public_when_a_host_on_the_internet_has_it(text: str, public: bool) -> None:
    address = read_address(text)
    assert address is not None
    assert is_public(address) is public


@pytest.mark.parametrize("text", [None, "", "localhost", "1.2.3", "1.2.3.4, 5.6.7.8", "1.2.3.4:80", "[::1]", "x" * 5000])
def test_there_is_no_address_when_the_text_is_none(text: str | None) -> None:
    assert read_address(text) is None


def test_country_names_cover_what_the_shipped_database_answers() -> None:
    names = read_country_names()
    assert len(names) == 250
    assert all(len(code) == 2 and code.isupper() and name.strip() == name for code, name in names.items())
    with maxminddb.open_database(SHIPPED_DATABASE) as reader:
        metadata = reader.metadata()
    tree = metadata.node_count * metadata.record_size // 4
    # Walking the tree takes 5 s; in the data behind it each two-letter text (MMDB type 2, length 2: a "B") is a code.
    codes = {code.decode() for code in re.findall(rb"B([A-Z]{2})", SHIPPED_DATABASE.read_bytes()[tree:])}
    assert len(codes) > 240
    assert codes - names.keys() == {"AN"}  # the Netherlands Antilles, dissolved in 2010


def test_both_kinds_of_record_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    lookup = CountryLookup(SHIPPED_DATABASE, NAMES)
    lookup.find("8.8.8.8")
    records: list[tuple[Any, str | None]] = [
        ({"country_code": "DE"}, "DE"),
        ({"country": {"iso_code": "DE", "names": {}}}, "DE"),
        ({"country_code": "de"}, "DE"),
        ({"country_code": "ZZ"}, None),
        ({"country": "DE"}, None),
        ({}, None),
        (None, None),
    ]
    for record, code in records:
        monkeypatch.setattr(maxminddb.reader.Reader, "get", lambda _, __, record=record: record)
        assert (lookup.find("8.8.8.8") or {}).get("code") == code


@pytest.mark.parametrize("content", [None, b"", b"not a database", SHIPPED_DATABASE.read_bytes()[:100_000]])
def test_there_is_one_warning_and_no_country_when_the_database_is_unusable(
    tmp_path: Path, clock: Clock, content: bytes | None
) -> None:
    path = tmp_path / "country.mmdb"
    if content is not None:
        path.write_bytes(content)
    lookup = CountryLookup(path, NAMES)
    for _ in range(5):
        assert lookup.find("8.8.8.8") is None
        clock.pass_time()
    assert clock.warnings == ["country_database_unusable"]


def test_database_is_used_without_a_restart_when_it_appears_and_kept_when_a_broken_one_replaces_it(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "country.mmdb"
    lookup = CountryLookup(path, NAMES)
    assert lookup.find("8.8.8.8") is None

    shutil.copy(SHIPPED_DATABASE, path)
    assert lookup.find("8.8.8.8") is None
    clock.pass_time()
    assert lookup.find("8.8.8.8") == {"code": "US", "name": "United States"}

    path.write_bytes(b"half a file")
    os.utime(path, (1, 1))
    clock.pass_time()
    assert lookup.find("8.8.8.8") == {"code": "US", "name": "United States"}
    assert clock.warnings == ["country_database_unusable"] * 2


def damaged_metadata() -> bytes:
    """A database whose metadata has a key that its readers don't know."""
    data = SHIPPED_DATABASE.read_bytes()
    start = data.rindex(b"\xab\xcd\xefMaxMind.com")
    return data[:start] + data[start:].replace(b"description", b"x" * 11)


def test_database_is_not_used_and_nothing_stops_when_its_metadata_is_damaged(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "country.mmdb"
    path.write_bytes(damaged_metadata())
    lookup = CountryLookup(path, NAMES)
    for _ in range(3):
        assert lookup.find("8.8.8.8") is None
        clock.pass_time()
    assert clock.warnings == ["country_database_unusable"]
    shutil.copy(SHIPPED_DATABASE, path)  # of the same size: only the times differ
    os.utime(path, (1, 1))
    clock.pass_time()
    assert lookup.find("8.8.8.8") == {"code": "US", "name": "United States"}
    path.write_bytes(damaged_metadata())
    os.utime(path, (2, 2))
    clock.pass_time()
    assert lookup.find("8.8.8.8") == {"code": "US", "name": "United States"}
    assert clock.warnings == ["country_database_unusable"] * 2


@pytest.mark.parametrize("error", [TypeError, UnicodeDecodeError("utf-8", b"", 0, 1, "x"), IndexError, RecursionError, maxminddb.InvalidDatabaseError])  # fmt: skip
def test_database_before_is_used_again_when_the_new_one_turns_out_to_be_damaged(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    path = tmp_path / "country.mmdb"
    lookup = CountryLookup(path, NAMES)
    for modified in (1, 2):
        shutil.copyfile(SHIPPED_DATABASE, path)
        os.utime(path, (modified, modified))
        assert lookup.find("8.8.8.8") == {"code": "US", "name": "United States"}
        clock.pass_time()

    newer, read = lookup._reader, maxminddb.reader.Reader.get

    def get(self: maxminddb.Reader, address: Any) -> Any:
        if self is newer and address.packed[0] == 1:
            raise error
        return read(self, address)

    monkeypatch.setattr(maxminddb.reader.Reader, "get", get)
    assert lookup.find("8.8.8.8") == {"code": "US", "name": "United States"}
    for _ in range(3):
        lookup.find("1.1.1.1")
        assert lookup.find("8.8.8.8") == {"code": "US", "name": "United States"}
        clock.pass_time()
    assert clock.warnings == ["country_database_unusable"]
    assert lookup._reader is not newer


def test_address_of_the_other_kind_has_no_country_and_is_no_damage_when_the_database_is_of_ipv4(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup = CountryLookup(SHIPPED_DATABASE, NAMES)
    whole = maxminddb.open_database(SHIPPED_DATABASE, maxminddb.MODE_MEMORY).metadata()
    monkeypatch.setattr(maxminddb.reader.Reader, "metadata", lambda _: replace(whole, ip_version=4))
    assert lookup.find("2001:4860:4860::8888") is None
    assert lookup.find("8.8.8.8") == {"code": "US", "name": "United States"}
    assert clock.warnings == []
