"""`status`: how every part stands now, and at the end plainly what is wrong."""

import argparse
from typing import Any

from pymongo.errors import PyMongoError

from deploy.ops.containers import Found, find_project, judge_containers
from deploy.ops.context import Context
from deploy.ops.errors import FINE, WRONG, Unusable
from deploy.ops.facts import ServiceFacts, ask_replicas, look_at_members, look_at_outboxes, look_at_queues
from deploy.ops.management import Management
from deploy.ops.tables import count_of, format_age, format_table, show_json
from services.common.redaction import redact
from services.common.topology import SERVICES

# Beyond these something holds the work up, where a busy moment stays far below.
OLD_EVENT_SECONDS = 60
MANY_CALLS = 200
MANY_EVENTS = 5_000
LAG_SECONDS = 10


def add_parsers(commands: Any) -> None:
    """Add `status`."""
    parser = commands.add_parser("status", help="how every part stands, and what is wrong")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=show_status)


def show_status(options: argparse.Namespace) -> int:
    """Exit status 1 when something is wrong."""
    with Context() as context:
        report = gather(context)
    report["wrong"] = judge(report)
    if options.json:
        show_json(report | {"services": [vars(each) for each in report["services"]]})
    else:
        print(format_report(report))
    return WRONG if report["wrong"] else FINE


def gather(context: Context) -> dict[str, Any]:
    """Everything that is shown."""
    services = [ServiceFacts(service) for service in SERVICES]
    surroundings = context.surroundings
    for facts in services:
        look_at_queues(context, facts)
    project, reason = find_project(surroundings.environment, local=surroundings.data_dir is not None)
    containers = project.look() if project else None
    database = _look_at_database(context, services)
    for facts in services:
        if facts.replicas:
            facts.instances, facts.said = ask_replicas(context, facts.service, facts.replicas)
    return {
        "services": services,
        "broker": _look_at_broker(context),
        "database": database,
        "containers": None if containers is None else [each.described() for each in containers],
        "containers_left_out": reason or None,
    }


def judge(report: dict[str, Any]) -> list[str]:
    """What is wrong, a sentence each."""
    wrong = [complaint for facts in report["services"] for complaint in _judge_service(facts)]
    broker, database = report["broker"], report["database"]
    wrong += [f"The broker has an alarm: {alarm}." for alarm in broker["alarms"] or []]
    if broker["api_problem"]:
        wrong.append(broker["api_problem"])
    if database["problem"]:
        wrong.append(f"The database does not answer: {database['problem']}.")
    for member in database["members"] or []:
        if not member["healthy"] or member["state"] not in ("PRIMARY", "SECONDARY", "ARBITER"):
            wrong.append(f"The database's member {member['name']} is {member['state']}.")
        elif (member["lag_seconds"] or 0) > LAG_SECONDS:
            wrong.append(f"The database's member {member['name']} is {member['lag_seconds']:.0f} s behind.")
    if report["containers"] is not None:
        wrong += judge_containers([Found(**each) for each in report["containers"]])
    return wrong


def _judge_service(facts: ServiceFacts) -> list[str]:
    name, wrong = facts.service, []
    if not facts.replicas:
        wrong.append(f"{name} is not running.")
    if facts.said:
        wrong.append(f"{name} was asked for its health: {facts.said}")
    for health in facts.instances:
        if health.get("status") != "ok":
            parts = [part for part in ("database", "broker", "events", "workers") if health.get(part) is False]
            wrong.append(f"{name} {health.get('instance', '')} is {health.get('status')}: {', '.join(parts)}.")
    if len({health.get("version") for health in facts.instances}) > 1:
        wrong.append(f"{name} runs in several versions.")
    if facts.events_waiting is None or facts.dead_letters is None:
        wrong.append(f"{name} has no event queue.")
    if (facts.calls_waiting or 0) > MANY_CALLS:
        wrong.append(f"{facts.calls_waiting:,} calls wait for {name}.")
    if (facts.events_waiting or 0) > MANY_EVENTS:
        wrong.append(f"{facts.events_waiting:,} events wait for {name}.")
    if (facts.oldest_unsent_seconds or 0) > OLD_EVENT_SECONDS:
        wrong.append(f"{name} has not sent an event for {format_age(facts.oldest_unsent_seconds)}.")
    if facts.dead_letters:
        wrong.append(f"{name} has put {count_of(facts.dead_letters, 'event')} aside: see dead-letters list.")
    return wrong


def _look_at_broker(context: Context) -> dict[str, Any]:
    properties = context.broker.connection.server_properties
    found: dict[str, Any] = {"version": properties.get("version"), "alarms": None, "api_problem": None}
    try:
        api = Management.find(context.surroundings.environment)
        found["alarms"] = api.alarms() if api else None
    except Unusable as error:
        found["api_problem"] = str(error)
    return found


def _look_at_database(context: Context, services: list[ServiceFacts]) -> dict[str, Any]:
    found: dict[str, Any] = {"version": None, "members": None, "problem": None}
    try:
        found["version"] = context.database.server_info()["version"]
        for facts in services:
            look_at_outboxes(context.database, facts)
        found["members"] = look_at_members(context.database)
    except (PyMongoError, Unusable) as error:
        found["problem"] = redact(str(error)).splitlines()[0][:200].rstrip(".")
    return found


def format_report(report: dict[str, Any]) -> str:
    """The tables for people."""
    broker, database = report["broker"], report["database"]
    alarms = "no alarms" if broker["alarms"] == [] else ", ".join(broker["alarms"] or ["alarms not known without its API"])
    sections = [
        format_table(
            ["SERVICE", "REPLICAS", "CALLS", "EVENTS", "UNSENT", "OLDEST", "DEAD"],
            [
                [
                    facts.service,
                    facts.replicas,
                    facts.calls_waiting,
                    facts.events_waiting,
                    facts.unsent_documents,
                    format_age(facts.oldest_unsent_seconds),
                    facts.dead_letters,
                ]
                for facts in report["services"]
            ],
        ),
        _format_instances(report["services"]),
        f"broker    RabbitMQ {broker['version']}, {alarms}",
        f"database  MongoDB {database['version'] or '?'}{_format_members(database['members'])}",
        _format_containers(report),
        _format_verdict(report["wrong"]),
    ]
    sections[2:4] = ["\n".join(sections[2:4])]
    return "\n\n".join(section for section in sections if section)


def _format_instances(services: list[ServiceFacts]) -> str:
    rows = [
        [facts.service, health.get("instance"), health.get("version"), health.get("status")]
        for facts in services
        for health in facts.instances
    ]
    return format_table(["REPLICA OF", "INSTANCE", "VERSION", "STATUS"], rows) if rows else ""


def _format_members(members: list[dict[str, Any]] | None) -> str:
    said = [
        f"{each['name']} {each['state']}" + (f" {each['lag_seconds']:.0f} s behind" if each["state"] == "SECONDARY" else "")
        for each in members or []
    ]
    return f", {'; '.join(said)}" if said else ""


def _format_containers(report: dict[str, Any]) -> str:
    if report["containers"] is None:
        return f"Containers are left out: {report['containers_left_out']}."
    rows = [
        [each["service"], each["name"], each["state"], each["health"], each["restarts"], each["image"]]
        for each in report["containers"]
    ]
    return format_table(["SERVICE", "CONTAINER", "STATE", "HEALTH", "RESTARTS", "IMAGE"], rows)


def _format_verdict(wrong: list[str]) -> str:
    return "\n".join(["Something is wrong:", *(f"  - {each}" for each in wrong)]) if wrong else "Nothing is wrong."
