"""The country of an IP address, from a local MMDB file that may be replaced while the service runs."""

import csv
import ipaddress
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import maxminddb

from services.common.logs import get_logger

log = get_logger(__name__)

DATA = Path(__file__).with_name("data")
SHIPPED_DATABASE = DATA / "country.mmdb"
COUNTRY_NAMES = DATA / "countries.csv"
CORRECTIONS = DATA / "corrections.csv"
CHECK_SECONDS = 10.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Stamp = tuple[int, ...]
MISSING: Stamp = (-1,)
# What a database has to answer before it is used.
TRIED: tuple[Address, ...] = (ipaddress.IPv4Address("8.8.8.8"), ipaddress.IPv6Address("2001:4860:4860::8888"))


def read_address(text: str | None) -> Address | None:
    """The address in a text, an IPv4-mapped IPv6 one as the IPv4 address that it means; None when there is none."""
    try:
        address = ipaddress.ip_address((text or "").strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    """Whether the address belongs to a host on the internet, by IANA's registries: not private, loopback, reserved or multicast."""
    return address.is_global and not address.is_multicast and not address.is_reserved


def read_country_names(path: Path = COUNTRY_NAMES) -> dict[str, str]:
    """ISO 3166-1 alpha-2 code → English short name."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


class Corrections:
    """IPv6 networks that the shipped database takes for Australia's, where the registry that hands them out is at home."""

    MISTAKEN = "AU"

    def __init__(self, rows: Iterable[tuple[str, str]] = ()) -> None:
        """Take `rows` of a network and the code of its country."""
        self._codes: dict[tuple[int, int], str] = {}
        for text, code in rows:
            network = ipaddress.IPv6Network(text)
            self._codes[network.prefixlen, _leading_bits(network.network_address, network.prefixlen)] = code
        self._lengths = sorted({length for length, _ in self._codes}, reverse=True)

    @classmethod
    def read(cls, path: Path = CORRECTIONS) -> "Corrections":
        """Those that belong to the shipped database."""
        with path.open(encoding="utf-8", newline="") as file:
            return cls((row["network"], row["code"]) for row in csv.DictReader(file))

    def correct(self, address: Address, code: str | None) -> str | None:
        """The code of the narrowest network that has the address; the database's own where there is none, or it says something else."""
        if code != self.MISTAKEN or not isinstance(address, ipaddress.IPv6Address):
            return code
        found = (self._codes.get((length, _leading_bits(address, length))) for length in self._lengths)
        return next(filter(None, found), code)


class CountryLookup:
    """`find(ip)` → {code, name} or None.

    A missing, broken or damaged database is said once, until the file changes; the one before stays in use, and without any only the
    country is missing.
    """

    def __init__(self, path: Path, names: dict[str, str]) -> None:
        self._path = path
        self._names = names
        self._corrections = Corrections.read() if path == SHIPPED_DATABASE else Corrections()
        self._reader: maxminddb.Reader | None = None
        self._before: maxminddb.Reader | None = None
        self._stamp: Stamp = ()
        self._checked = float("-inf")

    def find(self, ip: str | None) -> dict[str, str] | None:
        """The country of a public address, v4 or v6; about 20 µs."""
        address = read_address(ip)
        if address is None or not is_public(address):
            return None
        self._refresh()
        code = self._corrections.correct(address, self._look_up(address))
        name = self._names.get(code or "")
        return {"code": code, "name": name} if code and name else None

    def _look_up(self, address: Address) -> str | None:
        while self._reader is not None:
            try:
                return _read_code(self._reader, address)
            except Exception as error:  # noqa: BLE001 - whatever a damaged branch makes of the reader
                self._say_unusable(error)
                self._reader, self._before = self._before, None
        return None

    def _refresh(self) -> None:
        if time.monotonic() - self._checked < CHECK_SECONDS:
            return
        self._checked = time.monotonic()
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            # Not mapped: a file that somebody overwrites in place would end the process with SIGBUS. The shipped one changes with
            # the code alone, and maps 8 MB that replicas share.
            mode = maxminddb.MODE_MMAP if self._path == SHIPPED_DATABASE else maxminddb.MODE_MEMORY
            reader = maxminddb.open_database(self._path, mode)
            kind = reader.metadata().database_type
            for address in TRIED:
                _read_code(reader, address)
        except Exception as error:  # noqa: BLE001 - of damaged files readers raise TypeError, KeyError and more
            self._say_unusable(error)
            return
        self._reader, self._before = reader, self._reader
        log.info("country_database_loaded", path=str(self._path), kind=kind)

    def _say_unusable(self, error: Exception) -> None:
        log.warning("country_database_unusable", path=str(self._path), reason=f"{type(error).__name__}: {error}"[:500])


def _read_code(reader: maxminddb.Reader, address: Address) -> str | None:
    if address.version > reader.metadata().ip_version:
        return None
    return _country_code(reader.get(address))


def _leading_bits(address: ipaddress.IPv6Address, length: int) -> int:
    return int(address) >> (address.max_prefixlen - length)


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return MISSING
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _country_code(record: Any) -> str | None:
    if not isinstance(record, dict):
        return None
    country = record.get("country")
    code = record.get("country_code") or (country.get("iso_code") if isinstance(country, dict) else None)
    return code.upper() if isinstance(code, str) else None
