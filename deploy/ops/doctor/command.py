"""`doctor`: its arguments, the visit, and what it shows."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.ops.addresses import find_surroundings
from deploy.ops.containers import find_project
from deploy.ops.doctor.broker import check_broker
from deploy.ops.doctor.database import check_database
from deploy.ops.doctor.findings import Findings
from deploy.ops.doctor.host import check_containers, check_country_file, check_disk, check_gateway, check_leftovers
from deploy.ops.doctor.settings import check_container_settings, check_secret, check_settings
from deploy.ops.errors import FINE, WRONG, OpsError
from deploy.ops.places import BACKUPS
from deploy.ops.tables import count_of, show_json


def add_parsers(commands: Any) -> None:
    """Add `doctor`."""
    parser = commands.add_parser("doctor", help="check every setting and connection, and say what to do")
    parser.add_argument("--gateway", metavar="URL", help="also whether the gateway there is ready")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=visit)


def visit(options: argparse.Namespace) -> int:
    """Exit status 1 when anything is bad."""
    findings = examine(os.environ, options.gateway)
    bad = list(findings.of("bad"))
    if options.json:
        show_json({"findings": [asdict(line) for line in findings.lines], "bad": len(bad)})
    else:
        print(format_findings(findings))
    return WRONG if bad else FINE


def examine(environment: Mapping[str, str], gateway: str | None) -> Findings:
    """Look at everything that can be looked at from here."""
    findings = Findings()
    check_settings(findings, environment)
    try:
        surroundings = find_surroundings(environment)
    except OpsError as error:
        # A wrong setting was said above; what else there is hangs on the addresses.
        if not list(findings.of("bad")):
            findings.bad(f"{error.args[0]}".rstrip("."), error.remedy or "Set AMQP_URI and MONGODB_URI.")
        return findings
    project, reason = find_project(surroundings.environment, local=surroundings.data_dir is not None)
    if project is not None:
        check_container_settings(findings, project)
    check_secret(findings, surroundings.environment)
    check_broker(findings, surroundings.settings, surroundings.environment)
    check_database(findings, surroundings.settings)
    check_country_file(findings, surroundings.environment)
    check_disk(findings, surroundings.data_dir)
    check_leftovers(findings, (BACKUPS, Path("backups"), Path()))
    check_gateway(findings, gateway)
    check_containers(findings, project, reason)
    return findings


def format_findings(findings: Findings) -> str:
    """A line each, what to do under it, and the sum."""
    width = max(len(line.part) for line in findings.lines)
    shown = []
    for line in findings.lines:
        shown.append(f"{line.level:<4}  {line.part:<{width}}  {line.text}")
        if line.remedy:
            shown.append(f"{'':<4}  {'':<{width}}  → {line.remedy}")
    bad, warned = len(list(findings.of("bad"))), len(list(findings.of("warn")))
    verdict = f"{count_of(bad, 'thing')} bad, {count_of(warned, 'warning')}." if bad or warned else "All is well."
    return "\n".join([*shown, "", verdict])
