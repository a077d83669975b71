"""The broker: reachable, ours, complete, and taking messages."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
from kombu.connection import Connection

from deploy.ops.doctor.findings import Findings
from deploy.ops.errors import OpsError, Unusable
from deploy.ops.event_log import find_end
from deploy.ops.management import ADDRESS, Management
from deploy.ops.queues import measure
from services.common.amqp import BROKER_ERRORS, close_quietly, connect
from services.common.redaction import redact
from services.common.settings import Settings
from services.common.topology import EPOCH_LOG, EVENT_LOG, SERVICES, Layout, event_queue, layout, read_epoch, rpc_queue

OLDEST_VERSION = (3, 10)
DECLARE = "Start the services, which declare it; with FOYER_TOPOLOGY=given run the broker's setup again."
SHOWN = 5
_CONFIRM_SECONDS = 3.0


def check_broker(findings: Findings, settings: Settings, environment: Mapping[str, str]) -> None:
    """All of it."""
    findings.about("broker")
    connection = _connect(findings, settings)
    api = _find_api(findings, environment)
    if connection is None:
        return
    try:
        _check_version(findings, connection)
        _check_takes_messages(findings, connection)
        _check_alarms(findings, api)
        wanted = layout(settings, str(connection.connection.server_properties.get("version")))
        _check_topology(findings, connection, wanted)
        _check_bindings(findings, api, _vhost(settings), wanted)
        _check_event_log(findings, connection)
    except BROKER_ERRORS as error:
        findings.bad(f"the broker hung up: {redact(str(error)) or type(error).__name__}", "Look at its log.")
    finally:
        close_quietly(connection)


def _connect(findings: Findings, settings: Settings) -> Connection | None:
    parts = urlsplit(_first(settings))
    try:
        where = f"{parts.hostname}:{parts.port or 5672}"
    except ValueError:
        findings.bad("AMQP_URI has a port that there can't be", "Correct it: a number up to 65535.")
        return None
    vhost = _vhost(settings)
    try:
        connection = connect(settings.amqp_uri)
    except amqp.exceptions.AccessRefused:
        findings.bad(f"the broker at {where} refuses the user {parts.username}", "Correct the user or password in AMQP_URI.")
    except amqp.exceptions.NotAllowed as error:
        said = f"the user {parts.username} may not use" if "refused" in str(error) else "there is no"
        findings.bad(f"{said} virtual host {vhost} at {where}", "Correct the end of AMQP_URI, or run the broker's setup.")
    except BROKER_ERRORS as error:
        reason = redact(str(error)) or type(error).__name__
        findings.bad(f"the broker at {where} is not reachable: {reason}", "Start it, or correct AMQP_URI.")
    else:
        findings.ok(f"reachable at {where}, as {parts.username} on virtual host {vhost}")
        return connection
    return None


def _vhost(settings: Settings) -> str:
    return unquote(urlsplit(_first(settings)).path[1:]) or "/"


def _first(settings: Settings) -> str:
    """The first address of those that may be named; nothing of the others is shown, who have passwords too."""
    return settings.amqp_uri.partition(";")[0]


def _check_version(findings: Findings, connection: Connection) -> None:
    text = str(connection.connection.server_properties.get("version"))
    numbers = tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_VERSION:
        findings.bad(f"RabbitMQ {text} is too old", f"Use {'.'.join(map(str, OLDEST_VERSION))} or later.")
    else:
        findings.ok(f"RabbitMQ {text}")


def _check_takes_messages(findings: Findings, connection: Connection) -> None:
    # A broker in alarm takes connections and declarations, and no messages.
    channel = connection.channel()
    try:
        queue = channel.queue_declare("", exclusive=True, auto_delete=True).queue
        channel.confirm_select()
        channel.basic_publish(amqp.Message(b"doctor"), "", queue, timeout=_CONFIRM_SECONDS)
        channel.wait([amqp.spec.Basic.Ack], timeout=_CONFIRM_SECONDS)
        findings.ok("takes a message and confirms it")
    except TimeoutError:
        findings.bad(
            "the broker confirms no message: it is out of memory or disk, or hangs", "Free some; see its log for `alarm`."
        )


def _find_api(findings: Findings, environment: Mapping[str, str]) -> Management | None:
    try:
        api = Management.find(environment)
        if api is not None:
            overview = api.get("overview")
            findings.ok(f"its management API answers ({overview.get('cluster_name', 'no name')})")
    except Unusable as error:
        findings.warn(f"{error}".rstrip("."), f"Correct {ADDRESS} and its user and password.")
        return None
    return api


def _check_alarms(findings: Findings, api: Management | None) -> None:
    if api is None:
        return
    alarms = api.alarms()
    for alarm in alarms:
        findings.bad(f"alarm: {alarm}", "Free memory or disk, or start the node.")
    if not alarms:
        findings.ok("no alarms")


def _check_topology(findings: Findings, connection: Connection, wanted: Layout) -> None:
    missing = [f"exchange {name}" for name in wanted.exchanges if not _has_exchange(connection, name)]
    missing += [f"queue {name}" for name in wanted.queues if measure(connection, name) is None]
    if missing:
        findings.bad(f"missing: {', '.join(missing)}", DECLARE)
    else:
        findings.ok(f"all {len(wanted.exchanges)} exchanges and {len(wanted.queues)} queues and streams are there")
    for service in SERVICES:
        calls, events = measure(connection, rpc_queue(service)), measure(connection, event_queue(service))
        if calls is None or not calls.consumers:
            findings.bad(f"nobody takes the calls of {service}: it does not run", f"Start {service}.")
        elif events is not None and not events.consumers:
            findings.bad(f"{service} runs and takes no events", f"Look at the log of {service}; start it again.")


def _check_bindings(findings: Findings, api: Management | None, vhost: str, wanted: Layout) -> None:
    if api is None:
        findings.skip("bindings can't be listed without its management API", f"{ADDRESS} names it.")
        return
    found = {(each["source"], each["destination"], each["routing_key"]) for each in api.get("bindings", vhost)}
    missing = sorted(set(wanted.bindings) - found)
    if missing:
        said = ", ".join(f"{exchange} → {queue} ({key})" for exchange, queue, key in missing[:SHOWN])
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        findings.bad(f"bindings are missing, so events are lost: {said}{more}", DECLARE)
    else:
        findings.ok(f"all {len(wanted.bindings)} bindings are there")


def _check_event_log(findings: Findings, connection: Connection) -> None:
    if measure(connection, EVENT_LOG) is None or measure(connection, EPOCH_LOG) is None:
        return  # said before
    try:
        end = find_end(connection)
    except OpsError as error:
        findings.bad(f"{error}", DECLARE)
        return
    epoch = _read_epoch(connection)
    if epoch is None:
        findings.warn("the event log has no epoch yet", "The first gateway that starts makes one.")
    else:
        findings.ok(f"the event log ends at offset {end}, epoch {epoch}")


def _read_epoch(connection: Connection) -> str | None:
    depth = measure(connection, EPOCH_LOG)
    # Read only where there is one: who reads it first also makes it.
    if depth is None or not depth.messages:
        return None
    try:
        return read_epoch(connection.connection)
    except TimeoutError:
        return None


def _has_exchange(connection: Connection, name: str) -> bool:
    channel: Any = connection.channel()
    try:
        channel.exchange_declare(name, "topic", passive=True)
    except amqp.exceptions.NotFound:
        return False
    finally:
        if channel.is_open:
            channel.close()
    return True
