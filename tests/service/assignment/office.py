"""An office for the tests: agents and conversations that messaging and presence would tell of, and what came of them."""

from typing import Any

from services.common.errors import DomainError
from services.common.ids import new_id
from services.common.rpc_client import RpcClient
from services.common.times import now, to_wire
from tests.support.events import Announcer, Collector
from tests.support.stack import Stack
from tests.support.waiting import wait_until

Document = dict[str, Any]
CHANNEL, CONTACT = "channel1", "contact1"
ALICE = {"kind": "agent", "id": "alice", "name": "Alice", "role": "admin"}
BOT = {"kind": "bot", "id": None, "name": None, "role": None}


class Office:
    """Speaks for messaging and presence; a conversation's and an agent's versions count up by themselves."""

    def __init__(self, stack: Stack, rpc: RpcClient, announcer: Announcer, collector: Collector) -> None:
        self.rpc = rpc
        self.database = stack.mongo("assignment")
        self._announcer = announcer
        self._collector = collector
        self.agents: dict[str, Document] = {}
        self._versions: dict[str, int] = {}
        self._reachable: dict[str, tuple[bool, int]] = {}

    def hire(self, *names: str, **state: Any) -> None:
        """Agents that presence tells of, connected and available unless `state` says otherwise, and known when this returns."""
        for name in names:
            self.tell_agent(name, **state)
        for name in names:
            self.wait_known(name)

    def tell_agent(self, name: str, *, version: int | None = None, reachable: bool | None = None, **state: Any) -> None:
        """Presence's next word on an agent, or one of another version; in grace when connected and not `reachable`."""
        known = self.agents.get(name) or {
            "id": name,
            "name": name.title(),
            "email": f"{name}@example.com",
            "role": "agent",
            "connected": True,
            "availability": "available",
            "capacity": 4,
            "active_conversations": 0,
            "active": True,
            "created_at": "2026-01-01T00:00:00.000Z",
            "version": 0,
        }
        told = known | state | {"version": known["version"] + 1 if version is None else version}
        if version is None:
            self.agents[name] = told
            self._tell_reachability(name, told["connected"] if reachable is None else reachable, told["version"])
        self._announcer.publish("presence", "agent_updated", told, entity=("agent", name, told["version"]))

    def _tell_reachability(self, name: str, reachable: bool, version: int) -> None:
        if self._reachable.get(name, (False, 0))[0] != reachable:
            self._reachable[name] = reachable, version
            data = {"agent_id": name, "reachable": reachable}
            self._announcer.publish("presence", "agent_reachability_changed", data, entity=("agent", name, version))

    def tell_team(self, name: str, *members: str) -> None:
        """Presence's next word on a team."""
        team = {"id": name, "name": name.title(), "agent_ids": list(members), "created_at": "2026-01-01T00:00:00.000Z"}
        entity = ("team", name, self._next_version(name))
        self._announcer.publish("presence", "team_updated", team | {"version": entity[2]}, entity=entity)

    def delete_team(self, name: str) -> None:
        """Presence's last word on a team."""
        self._announcer.publish("presence", "team_deleted", {"id": name}, entity=("team", name, self._next_version(name)))

    def wait_team(self, name: str) -> None:
        """Until the service acted upon the newest word on a team."""
        newest = {"_id": name, "version": self._versions[name]}
        wait_until(lambda: self.database.teams.find_one(newest), what=f"the news of {name}")

    def tell_channel(self, channel_id: str = CHANNEL, *, left: int | None, silent: int | None, kind: str = "web") -> None:
        """Messaging's next word on a channel, with the seconds of its patience, and known when this returns."""
        patience = {"disconnected_after_seconds": left, "unanswered_after_seconds": silent}
        channel = {"id": channel_id, "kind": kind, "name": "Web", "visitor_count": 0, "reassignment": patience}
        entity = ("channel", channel_id, self._next_version(channel_id))
        self._announcer.publish("messaging", "channel_updated", channel, entity=entity)
        newest = {"_id": channel_id, "version": entity[2]}
        wait_until(lambda: self.database.channels.find_one(newest), what=f"the news of {channel_id}")

    def wait_known(self, name: str) -> None:
        """Until the service acted upon the newest word on an agent."""
        newest = {"_id": name, "presence_version": self.agents[name]["version"]}
        if name in self._reachable:
            newest |= {"reachability_version": self._reachable[name][1]}
        wait_until(lambda: self.database.agents.find_one(newest), what=f"the news of {name}")

    def load(self, name: str) -> int:
        """How many conversations the service counts for an agent."""
        found = self.database.agents.find_one({"_id": name})
        return int(found["load"]) if found else 0

    def turns(self) -> int:
        """How many turns were taken so far."""
        found = self.database.ledger.find_one({})
        return int(found["turn"]) if found else 0

    def request(self, conversation_id: str, *, version: int | None = None, times: int = 1, at: Any = None, **wish: Any) -> str:
        """The bot reaches its assign block."""
        usual = {"strategy": None, "agents": None, "unavailable": "wait", "requested_by": BOT}
        data = self._ids(conversation_id) | usual | {"team_id": None, "priority": "normal"} | wish
        return self._tell("assignment_requested", conversation_id, data, version, times=times, at=at or now())

    def archive(self, conversation_id: str, *, version: int | None = None, times: int = 1) -> str:
        """Somebody archives the conversation."""
        data = {"id": conversation_id, "status": "archived", "channel": {"id": CHANNEL, "name": "Web", "kind": "web"}}
        data |= {"contact": {"id": CONTACT, "name": "Teal Otter"}}
        return self._tell("conversation_archived", conversation_id, data, version, times=times)

    def take(self, conversation_id: str, name: str, *, version: int | None = None) -> str:
        """An agent writes into a conversation that messaging believes unassigned."""
        data = self._ids(conversation_id) | {"agent": {"id": name, "name": name.title()}}
        return self._tell("conversation_taken", conversation_id, data, version)

    def ask_agent(self, conversation_id: str, *, since: Any = None, version: int | None = None) -> None:
        """The visitor writes to the agent, and the service has heard of it when this returns."""
        data = self._ids(conversation_id) | {"since": to_wire(since or now())}
        self._tell("answer_awaited", conversation_id, data, version)
        self._wait_awaiting(conversation_id)

    def answer(self, conversation_id: str, name: str, *, version: int | None = None) -> None:
        """The agent answers the visitor, and the service has heard of it when this returns."""
        data = self._ids(conversation_id) | {"agent": {"id": name, "name": name.title()}}
        self._tell("answer_given", conversation_id, data, version)
        self._wait_awaiting(conversation_id)

    def _wait_awaiting(self, conversation_id: str) -> None:
        newest = {"_id": conversation_id, "awaiting_version": {"$gte": self._versions[conversation_id]}}
        wait_until(lambda: self.database.assignments.find_one(newest), what=f"what was written in {conversation_id}")

    def hand_back(self, conversation_id: str, *, version: int | None = None) -> str:
        """An agent gives the conversation back to the bot."""
        return self._tell("conversation_returned", conversation_id, self._ids(conversation_id) | {"actor": ALICE}, version)

    def assign(self, conversation_id: str, name: str, **more: Any) -> Document:
        """By hand, as the gateway calls it; `more` may be an expectation and a remark."""
        agent = {key: value for key, value in self.agents[name].items() if key not in {"email", "created_at"}}
        return dict(
            self.rpc.call(
                "assignment",
                "assign_conversation",
                conversation_id=conversation_id,
                channel_id=CHANNEL,
                contact_id=CONTACT,
                agent=agent,
                actor=ALICE,
                **more,
            )
        )

    def unassign(self, conversation_id: str, **more: Any) -> Document:
        """By hand, as the gateway calls it."""
        return dict(self.rpc.call("assignment", "unassign_conversation", conversation_id=conversation_id, actor=ALICE, **more))

    def leave(self, conversation_id: str) -> Document:
        """The visitor stops waiting."""
        actor = {"kind": "visitor", "id": CONTACT, "name": "Teal Otter"}
        return dict(self.rpc.call("assignment", "leave_queue", conversation_id=conversation_id, actor=actor))

    def simulate(self, **wish: Any) -> Document:
        """Who would get a conversation."""
        return dict(self.rpc.call("assignment", "simulate_assignment", channel_id=CHANNEL, **wish))

    def remember_durations(self, *seconds: int) -> None:
        """As though the last conversations had taken so long."""
        self.database.ledger.update_one({}, {"$set": {"durations": list(seconds)}})

    def get(self, conversation_id: str) -> Document | None:
        """The assignment, None while there is none."""
        try:
            return dict(self.rpc.call("assignment", "get_assignment", conversation_id=conversation_id))
        except DomainError as error:
            if error.error_code != "CONVERSATION_NOT_FOUND":
                raise
            return None

    def wait_state(self, conversation_id: str, state: str, agent: str | None = None) -> Document:
        """The assignment once it is in a state (and with an agent)."""

        def reached() -> Document | None:
            found = self.get(conversation_id)
            if found is None or found["state"] != state:
                return None
            return found if agent is None or (found["assignee"] or {}).get("id") == agent else None

        return wait_until(reached, what=f"{conversation_id} {state} {agent or ''}") or {}

    def wait_heard(self, conversation_id: str, version: int) -> None:
        """Until the service acted upon (or noted) a version of the conversation."""
        query = {"_id": conversation_id, "conversation_version": {"$gte": version}}
        wait_until(lambda: self.database.assignments.find_one(query), what=f"version {version} of {conversation_id}")

    def wait_changed(self, conversation_id: str, outcome: str, *, count: int = 1) -> Document:
        """The `count`-th event that told this outcome of a conversation."""

        def tells(event: Document) -> bool:
            return bool(event["data"]["conversation_id"] == conversation_id and event["data"]["outcome"] == outcome)

        return self._collector.wait_for("assignment_changed", tells, count=count)

    def changes(self, conversation_id: str) -> list[Document]:
        """Every event about the conversation's assignment so far."""
        return self._collector.found("assignment_changed", lambda event: event["data"]["conversation_id"] == conversation_id)

    def history(self, conversation_id: str) -> list[Document]:
        """The decisions on a conversation, newest first."""
        return list(self.rpc.call("assignment", "list_assignments", conversation_id=conversation_id, limit=100)["items"])

    def line(self) -> list[str]:
        """Who waits, next first."""
        return [item["conversation_id"] for item in self.queue()]

    def queue(self) -> list[Document]:
        """What the queue shows of those who wait."""
        return list(self.rpc.call("assignment", "list_queue", limit=100)["items"])

    def _ids(self, conversation_id: str) -> Document:
        return {"conversation_id": conversation_id, "channel_id": CHANNEL, "contact_id": CONTACT}

    def _tell(self, kind: str, conversation_id: str, data: Document, version: int | None, **options: Any) -> str:
        entity = ("conversation", conversation_id, self._next_version(conversation_id) if version is None else version)
        return self._announcer.publish("messaging", kind, data, entity=entity, contact_id=CONTACT, **options)

    def _next_version(self, key: str) -> int:
        self._versions[key] = self._versions.get(key, 0) + 1
        return self._versions[key]


def conversations(count: int) -> list[str]:
    """Fresh ids, in order."""
    return [new_id() for _ in range(count)]
