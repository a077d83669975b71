"""The settings: read by each process's own classes, so that the doctor refuses what they would."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deploy.ops.addresses import SECRET, is_given
from deploy.ops.containers import SERVICE_LABEL, Project
from deploy.ops.doctor.findings import Findings
from gateway.settings import MINIMUM_KEY_LENGTH, GatewaySettings
from services.assignment.settings import read_absence
from services.common.settings import InvalidSetting, Settings
from services.contacts.settings import ContactsSettings
from services.messaging.settings import MessagingSettings
from services.presence.settings import FirstAdminSettings, read_terms

Environment = Mapping[str, str]

READERS: Mapping[str, tuple[Callable[[Environment], Any], ...]] = {
    "every process": (Settings.read,),
    "gateway": (GatewaySettings.read,),
    "messaging": (MessagingSettings.read,),
    "presence": (read_terms, FirstAdminSettings.read),
    "assignment": (read_absence,),
    "contacts": (ContactsSettings.read,),
}
# Stands for a key that is given elsewhere.
_ANY_KEY = "0" * MINIMUM_KEY_LENGTH
_LEADING_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
# 32 characters of hexadecimal digits, the least that is random enough, have some 14 different ones.
_DIFFERENT = 10


def check_settings(findings: Findings, environment: Environment) -> None:
    """Each process's settings with the present environment."""
    findings.about("settings")
    given = dict(environment)
    secret_here = is_given(environment, SECRET)
    if not secret_here:
        given[SECRET] = _ANY_KEY
    wrong = 0
    said: set[str] = set()
    for process, readers in READERS.items():
        for complaint in _complaints(readers, given):
            wrong += 1
            if complaint not in said:
                findings.bad(f"{process}: {complaint}", "Change the variable, then start that process again.")
            said.add(complaint)
    if not wrong:
        findings.ok(f"the settings of {len(READERS) - 1} kinds of processes can be read")


def check_container_settings(findings: Findings, project: Project) -> None:
    """The settings that the containers were really given; files named in them are theirs, and not looked at."""
    findings.about("settings")
    for container in project.containers():
        readers = READERS.get(container.labels.get(SERVICE_LABEL, ""))
        if readers is None or container.labels.get(SERVICE_LABEL) == "every process":
            continue
        pairs = (text.partition("=") for text in container.attrs["Config"].get("Env") or [])
        given = {SECRET: _ANY_KEY} | {name: value for name, _, value in pairs if not name.endswith("_FILE")}
        for complaint in _complaints((Settings.read, *readers), given):
            findings.bad(f"{container.name}: {complaint}", "Change it in .env or the compose file, then: docker compose up -d")


def check_secret(findings: Findings, environment: Environment) -> None:
    """Whether the gateways' key can be guessed."""
    findings.about("secret key")
    if not is_given(environment, SECRET):
        findings.skip(f"{SECRET} is not given here; the gateway has it")
        return
    try:
        key = GatewaySettings.read({name: value for name, value in environment.items() if name.startswith(SECRET)}).secret_key
    except InvalidSetting as error:
        findings.bad(f"{error}", "Make one: openssl rand -hex 32")
        return
    if len(set(key)) < _DIFFERENT or re.search(r"change|secret|example|password|123456", key, re.IGNORECASE):
        findings.bad(
            f"{SECRET} looks as if somebody made it up: who guesses it can sign in as anybody", "Make one: openssl rand -hex 32"
        )
    else:
        findings.ok(f"{SECRET} has {len(key)} characters")


def _complaints(readers: tuple[Callable[[Environment], Any], ...], environment: Environment) -> Iterator[str]:
    """What each reader refuses, one variable after the other."""
    for read in readers:
        left = dict(environment)
        while True:
            try:
                read(left)
                break
            except InvalidSetting as error:
                yield f"{error}".rstrip(".")
                name = _LEADING_NAME.match(f"{error}")
                # The rest is read as if the refused one had its default.
                if name is None or left.pop(name.group(), None) is None:
                    break
