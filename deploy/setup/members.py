"""Who belongs to a replica set that is there already: one after the other is added until all are members; nobody is removed."""

from contextlib import closing
from functools import partial
from typing import Any

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from deploy.setup.errors import SetupFailed
from deploy.setup.waiting import Deadline, NotYet
from services.common.logs import get_logger

log = get_logger(__name__)

Client = pymongo.MongoClient[dict[str, Any]]
SERVING = ("PRIMARY", "SECONDARY")
# NodeNotFound, ConfigurationInProgress, CurrentConfigNotCommittedYet, PrimarySteppedDown, NotWritablePrimary, InterruptedDueToReplStateChange
PASSING = {74, 109, 308, 189, 10107, 11602}


def complete(client: Client, wanted: list[str], deadline: Deadline) -> None:
    """Add the wanted members that are missing, over a connection to the primary, each once the one before has all data.

    Raises SetupFailed when there are others, or one could not be added in time.
    """
    present = [member["host"] for member in _configuration(client)["members"]]
    if others := [host for host in present if host not in wanted]:
        raise SetupFailed(
            f"the replica set has {', '.join(others)} as well, which FOYER_DATABASE_MEMBERS does not name; the setup removes "
            "nobody: name them, or remove them with rs.remove()"
        )
    for host in [host for host in wanted if host not in present]:
        deadline.wait_for(f"{host} as a member of the replica set", partial(_add, client, host))
        log.info("member_added", member=host)
        deadline.wait_for(f"{host} to have all data", partial(_require_serving, client, host))
        log.info("member_serves", member=host)


def _configuration(client: Client) -> dict[str, Any]:
    return dict(client.admin.command("replSetGetConfig")["config"])


def _add(client: Client, host: str) -> None:
    # Read anew for each attempt: the set itself makes another when a member that was added has all data, and counts.
    configuration = _configuration(client)
    members = configuration["members"]
    if any(member["host"] == host for member in members):
        return
    _require_answer(host)
    members.append({"_id": max(member["_id"] for member in members) + 1, "host": host, "priority": 1})
    configuration["version"] += 1
    try:
        client.admin.command("replSetReconfig", configuration)
    except OperationFailure as error:
        said = str((error.details or {}).get("errmsg", error.code))
        if error.code in PASSING:
            raise NotYet(said) from None
        raise SetupFailed(f"the replica set does not take {host}: {said}") from None


def _require_answer(host: str) -> None:
    # The set would take one that isn't there, too.
    try:
        member: Client = pymongo.MongoClient(host, directConnection=True, timeoutMS=5000, serverSelectionTimeoutMS=2000)
        with closing(member):
            member.admin.command("hello")
    except PyMongoError:
        raise NotYet("it does not answer") from None


def _require_serving(client: Client, host: str) -> None:
    status = client.admin.command("replSetGetStatus")
    state = next((member["stateStr"] for member in status["members"] if member["name"] == host), "no member")
    if state not in SERVING:
        raise NotYet(f"it is {state}")
