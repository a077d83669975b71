"""What is installed is what was looked at: each package pinned and hashed in the locks, from no address of its own, and installed so.

Whether a version is known to be bad only an index with advisories can tell: `make audit` asks one. This needs no network.
"""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
EMBEDDED = "requirements-embedded.txt"
HASH = re.compile(r"--hash=(\w+):([0-9a-f]+)")


class Pin:
    """One package of a lock."""

    def __init__(self, text: str) -> None:
        self.requirement = Requirement(text.split(" --hash", 1)[0].strip())
        self.name = canonicalize_name(self.requirement.name)
        self.hashes = HASH.findall(text)

    @property
    def version(self) -> str:
        [specifier] = self.requirement.specifier
        return specifier.version

    @property
    def applies(self) -> bool:
        """Whether this machine and this Python are of those that the pin is for."""
        marker: Marker | None = self.requirement.marker
        return marker is None or marker.evaluate()


def read(lock: str) -> list[Pin]:
    """The pins of a lock, each with its continued lines."""
    lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    return [Pin(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("lock", [*LOCKS, EMBEDDED])
def test_every_package_is_pinned_to_one_version_and_hashed(lock: str) -> None:
    pins = read(lock)
    assert len(pins) > 40 or lock == EMBEDDED
    assert pins
    for pin in pins:
        [specifier] = pin.requirement.specifier
        assert (specifier.operator, pin.requirement.url) == ("==", None), pin.name
        assert "*" not in pin.version, pin.name
        assert pin.hashes, pin.name
        assert {(kind, len(value)) for kind, value in pin.hashes} == {("sha256", 64)}, pin.name
        assert not Version(pin.version).is_devrelease, pin.name


@pytest.mark.parametrize("lock", [*LOCKS, EMBEDDED])
def test_lock_says_nothing_of_where_packages_come_from(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert re.findall(r"--(?:extra-)?index-url|--find-links|--trusted-host|https?://|file:|git\+", text) == []


def test_both_locks_agree() -> None:
    run, dev = ({(pin.name, str(pin.requirement.marker)): pin for pin in read(lock)} for lock in LOCKS)
    for key in run.keys() & dev.keys():
        assert (run[key].version, sorted(run[key].hashes)) == (dev[key].version, sorted(dev[key].hashes)), key


def test_what_runs_here_is_of_the_locks() -> None:
    installed = {canonicalize_name(each.metadata["Name"]): each.version for each in metadata.distributions()}
    wanted = {pin.name: pin.version for lock in LOCKS for pin in read(lock) if pin.applies}
    others = {
        name: (installed[name], version) for name, version in wanted.items() if name in installed and installed[name] != version
    }
    assert others == {}
    assert {pin.name for pin in read("requirements.txt") if pin.applies} <= installed.keys()


def test_image_takes_nothing_but_what_the_lock_hashes() -> None:
    """Nothing is installed there by another way than from the lock."""
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"\bpip\b[^&|;\n]*\binstall\b[^&|;\n]*", dockerfile)
    assert installs
    assert all("--require-hashes" in install for install in installs), installs
