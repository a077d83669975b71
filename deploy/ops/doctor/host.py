"""What is around the processes: the country file, the disk, the gateway's address, the containers."""

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import maxminddb

from deploy.local.api import readiness
from deploy.ops.containers import Project, idle_services
from deploy.ops.doctor.findings import Findings
from deploy.ops.leftovers import left_files
from deploy.ops.tables import format_size
from services.contacts.geoip import SHIPPED_DATABASE
from services.contacts.settings import ContactsSettings

OLD_DAYS = 550
LITTLE_SPACE = 5_000_000_000
# RabbitMQ stops taking messages below 50 MB here, and MongoDB ends.
NO_SPACE = 500_000_000


def check_country_file(findings: Findings, environment: Mapping[str, str]) -> None:
    """Whether the contacts service could use it, and its age."""
    findings.about("countries")
    path = ContactsSettings.read(environment).geoip_database
    try:
        with maxminddb.open_database(path) as reader:
            days = int((time.time() - reader.metadata().build_epoch) / 86_400)
            reader.get("8.8.8.8")
    except Exception as error:  # noqa: BLE001 - of damaged files readers raise TypeError, KeyError and more
        findings.bad(f"{path} can't be used: {error}", "Name an MMDB country database in GEOIP_DATABASE, or unset it.")
        return
    said = f"{'the shipped country database' if path == SHIPPED_DATABASE else path} is {days:,} days old"
    if days > OLD_DAYS:
        findings.warn(said, "Newer addresses may have no country, or another: name a newer file in GEOIP_DATABASE.")
    else:
        findings.ok(said)


def check_disk(findings: Findings, data_dir: Path | None) -> None:
    """The space that is left for a local run's data."""
    if data_dir is None:
        return
    findings.about("disk")
    free = shutil.disk_usage(data_dir).free
    said = f"{format_size(free)} are free for {data_dir}"
    if free < NO_SPACE:
        findings.bad(said, "Free some: the broker refuses messages when it is full.")
    elif free < LITTLE_SPACE:
        findings.warn(said, "Free some before it is full.")
    else:
        findings.ok(said)


def check_leftovers(findings: Findings, folders: Iterable[Path]) -> None:
    """What killed backups left beside the backups."""
    findings.about("disk")
    for path in (each for folder in folders for each in left_files(folder)):
        findings.warn(
            f"{path} ({format_size(path.stat().st_size)}) is left of a backup that was killed",
            "The next backup into that folder, or restore from it, removes it.",
        )


def check_gateway(findings: Findings, url: str | None) -> None:
    """Whether the gateway at an address is ready."""
    if url is None:
        return
    findings.about("gateway")
    ready, reason = readiness(url.rstrip("/"))
    if ready:
        findings.ok(f"{url} is ready")
    else:
        findings.bad(f"{url}: {reason}", "Look at what it misses above; see the gateway's log.")


def check_containers(findings: Findings, project: Project | None, reason: str) -> None:
    """How each stands."""
    findings.about("containers")
    if project is None:
        findings.skip(f"left out: {reason}")
        return
    well = 0
    found = project.look()
    idle = idle_services(found)
    for service in idle:
        findings.bad(f"no container of {service} runs", f"docker compose up -d {service}")
    for each in found:
        if each.has_ended_well and not each.is_job:
            if each.service not in idle:  # said above
                findings.warn(f"{each.name} is stopped; others of {each.service} run", f"docker start {each.name}")
        elif each.is_job or (each.state == "running" and each.health in (None, "healthy")):
            well += 1
        elif each.state == "running" and each.health == "starting":
            findings.warn(f"{each.name} is still starting", "Wait for it.")
        elif each.state == "running":
            findings.bad(f"{each.name} is {each.health}", f"docker logs {each.name}")
        else:
            findings.bad(f"{each.name} is {each.state} (exit code {each.exit_code})", f"docker logs {each.name}")
        if each.restarts:
            findings.warn(f"{each.name} was restarted {each.restarts} times", f"docker logs {each.name}")
    findings.ok(f"{well} containers of {project.name} are as they should be")
