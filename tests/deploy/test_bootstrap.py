"""What bootstrap.sh says and does on machines that lack something; they are played by a PATH of few programs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.local.process import REPOSITORY

BASH = shutil.which("bash") or "/bin/bash"
TOOLS = ("dirname", "sha256sum", "grep", "mkdir", "date", "tail", "sed", "cat", "rm", "sh", "flock", "tr")


class Machine:
    """A checkout with the script and small locks, on a machine that has just the given programs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        self.script = root / "checkout" / "deploy" / "local" / "bootstrap.sh"
        self.script.parent.mkdir(parents=True)
        script = (REPOSITORY / "deploy" / "local" / "bootstrap.sh").read_text()
        for place in ("/etc/os-release", "/usr/share/fonts"):
            assert place in script
            script = script.replace(place, f"{root}{place}")
        self.script.write_text(script)
        for name in ("requirements.txt", "requirements-dev.txt", "requirements-embedded.txt"):
            (root / "checkout" / name).touch()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
        self.user(0)

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)  # it may be a link to a program of this machine
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def distribution(self, name: str, like: str = "") -> None:
        (self.root / "etc").mkdir()
        (self.root / "etc" / "os-release").write_text(f"PRETTY_NAME=Any\nID={name}\nID_LIKE={like}\n")
        self.program("apt-get", 'echo "apt-get $*"')
        self.program("apt-cache", "exit 0")
        self.program("env", 'while case "$1" in *=*) true;; *) false;; esac; do shift; done; exec "$@"')

    def fonts(self) -> None:
        for font in ("dejavu/DejaVuSans.ttf", "noto/NotoColorEmoji.ttf"):
            path = self.root / "usr/share/fonts/truetype" / font
            path.parent.mkdir(parents=True)
            path.touch()

    def apt_log(self) -> str:
        return (self.root / "checkout/.foyer/logs/apt.log").read_text()

    def user(self, number: int) -> None:
        self.program("id", f"echo {number}")

    def run(self, options: Sequence[str] = (), **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "HOME": str(self.root), **variables}
        command = [BASH, str(self.script), *options]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_setup_names_the_packages_when_there_is_no_package_manager(machine: Machine) -> None:
    result = machine.run()
    assert result.returncode == 1
    assert "This machine has no apt-get to install: python3.11" in result.stderr
    assert "Install them with its own package manager" in result.stderr


def test_setup_gives_the_command_when_there_is_no_root(machine: Machine) -> None:
    machine.user(1000)
    machine.program("apt-get", "exit 99")
    machine.program("apt-cache", 'case "$2" in python3.12-venv) exit 0;; *) exit 100;; esac')
    result = machine.run()
    assert result.returncode == 1
    assert "neither root nor a passwordless sudo" in result.stderr
    assert "sudo apt-get install --no-install-recommends python3.12 python3.12-venv" in result.stderr


def test_setup_shows_the_end_of_the_log_when_a_package_cannot_be_installed(machine: Machine) -> None:
    machine.program("apt-get", 'case "$*" in *update*) exit 0;; *) echo "E: no space left"; exit 100;; esac')
    machine.program("apt-cache", "exit 0")
    machine.program("env", 'while case "$1" in *=*) true;; *) false;; esac; do shift; done; exec "$@"')
    result = machine.run()
    assert result.returncode == 1
    assert "    E: no space left" in result.stdout
    assert "apt-get could not install python3.11 python3.11-venv." in result.stderr
    assert "E: no space left" in machine.apt_log()


def test_setup_passes_over_a_python_when_it_is_too_old(machine: Machine) -> None:
    machine.program("python3.11", "exit 1")
    (machine.bin / "python3").symlink_to("/bin/false")
    assert "no apt-get" in machine.run().stderr


@pytest.mark.parametrize("half_made", ["nothing", "without pip", "unfinished"])
def test_environment_is_made_anew_when_it_is_half_made(machine: Machine, half_made: str) -> None:
    venv = machine.root / "checkout" / ".venv"
    # A python whose `venv` makes an environment by copying nothing but a pip that installs nothing.
    machine.program(
        "python3.11", f'[ "$1" = -m ] || exec {sys.executable} "$@"\nexec {sys.executable} {machine.root}/make_venv.py "$3"'
    )
    (machine.root / "make_venv.py").write_text(
        "import sys, venv, pathlib\n"
        "venv.create(sys.argv[1], symlinks=True)\n"
        "pip = next(pathlib.Path(sys.argv[1]).glob('lib/python*/site-packages')) / 'pip'\n"
        "pip.mkdir()\n"
        "(pip / '__init__.py').touch()\n"
        "(pip / '__main__.py').write_text('')\n"
    )
    if half_made != "nothing":
        venv.mkdir()
        (venv / "old").touch()
        (venv / (".unfinished" if half_made == "unfinished" else "other")).touch()
    first = machine.run()
    assert (first.returncode, first.stderr) == (0, "")
    assert not (venv / "old").exists()
    again = machine.run()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    (machine.root / "checkout" / "requirements.txt").write_text("changed==1\n")
    assert "[1/1] Python packages" in machine.run().stdout


def test_brokers_package_is_not_asked_for_when_the_address_is_given(machine: Machine) -> None:
    machine.program("apt-cache", "exit 100")
    result = machine.run(["--broker"], AMQP_URI="amqp://elsewhere/")
    assert "rabbitmq-server" not in result.stderr


def test_options_are_refused_when_unknown(machine: Machine) -> None:
    assert machine.run(["--brokers"]).returncode == 2


def test_script_is_executable_and_reads_no_terminal() -> None:
    assert os.access(REPOSITORY / "deploy" / "local" / "bootstrap.sh", os.X_OK)
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)


def test_curl_is_left_out_when_it_cannot_be_installed(machine: Machine) -> None:
    machine.user(1000)
    machine.program("apt-get", "exit 99")
    machine.program("apt-cache", "exit 100")
    assert "curl" not in machine.run(["--curl"]).stderr


def test_browser_is_installed_with_its_fonts_when_debian_lacks_one(machine: Machine) -> None:
    machine.distribution("debian")
    machine.run(["--browser"])
    assert "chromium fonts-dejavu-core fonts-noto-color-emoji" in machine.apt_log()
    assert "--no-install-recommends" in machine.apt_log()


@pytest.mark.parametrize("program", ["chromium", "google-chrome", "google-chrome-stable"])
def test_browser_is_not_asked_for_when_there_is_one(machine: Machine, program: str) -> None:
    machine.distribution("ubuntu", "debian")
    machine.fonts()
    machine.program(program, "exit 0")
    result = machine.run(["--browser"])
    assert "rowser" not in result.stdout
    assert "chromium" not in machine.apt_log()
    assert "fonts" not in machine.apt_log()


def test_fonts_are_installed_when_only_the_browser_is_there(machine: Machine) -> None:
    machine.distribution("ubuntu", "debian")
    machine.program("google-chrome", "exit 0")
    machine.run(["--browser"])
    assert "fonts-dejavu-core fonts-noto-color-emoji" in machine.apt_log()
    assert "chromium" not in machine.apt_log()


@pytest.mark.parametrize(("name", "like"), [("ubuntu", "debian"), ("linuxmint", '"ubuntu debian"')])
def test_setup_goes_on_without_a_browser_when_it_would_be_a_snap(machine: Machine, name: str, like: str) -> None:
    machine.distribution(name, like)
    result = machine.run(["--browser"])
    assert "the tests in a browser will be skipped" in result.stdout
    assert "Install Google Chrome, or name a browser: FOYER_BROWSER=" in result.stdout
    assert "Packages: python3.11" in result.stdout
    assert "chromium" not in machine.apt_log()


def test_setup_gives_the_command_for_a_browser_when_there_is_no_root(machine: Machine) -> None:
    machine.distribution("debian")
    machine.user(1000)
    said = machine.run(["--browser"]).stdout
    assert "sudo apt-get install --no-install-recommends chromium fonts-dejavu-core fonts-noto-color-emoji" in said


def test_setup_ends_when_ci_has_no_browser(machine: Machine) -> None:
    result = machine.run(["--browser"], CI="true")
    assert result.returncode == 1
    assert "There is no browser for the tests in one." in result.stderr
    assert "name one: FOYER_BROWSER=/path/to/chromium" in result.stderr


def test_setup_says_so_when_the_named_browser_is_not_there(machine: Machine) -> None:
    machine.distribution("debian")
    result = machine.run(["--browser"], FOYER_BROWSER=str(machine.root / "a browser"))
    assert "a browser, which can't be run" in result.stdout
    assert "chromium" not in machine.apt_log()
