"""Agents over RPC, and the event that tells how much they have to do."""

from typing import Any

from marshmallow import EXCLUDE

from services.common.envelope import Event
from services.common.errors import DocumentExists
from services.common.events import subscribe
from services.common.ids import derived_id, fingerprint, new_id
from services.common.paging import page
from services.common.rpc import rpc
from services.common.store import Document, retry_stale
from services.common.times import now
from services.common.validation import load
from services.presence import domain, errors, schemas
from services.presence.entrypoints.means import Means
from services.presence.views import agent_view

Wire = dict[str, Any]


class AgentMethods(Means):
    """Make, read, list and change agents."""

    @rpc(schemas.CreateAgent)
    def create_agent(
        self, *, name: str, email: str, password: str, role: str, capacity: int, actor: Wire, idempotency_key: str | None
    ) -> Wire:
        """A new agent, by an admin. FORBIDDEN, EMAIL_TAKEN; with a key, a repeat answers the agent as it stands now.

        What a repeat must equal (else IDEMPOTENCY_KEY_REUSED) is all but the password, of which nothing fast is stored.
        """
        domain.check_is_admin(actor, "create agents")
        mark = fingerprint({"name": name, "email": email, "role": role, "capacity": capacity})
        agent_id = derived_id("presence", "create_agent", actor["id"], idempotency_key) if idempotency_key else new_id()
        if idempotency_key and (earlier := self.store.find_agent(agent_id)):
            return _repeat(earlier, mark)
        agent = domain.new_agent(
            agent_id,
            name=name,
            email=email,
            role=role,
            capacity=capacity,
            password_hash=self.passwords.hash(password),
            now=now(),
            mark=mark,
        )
        try:
            return agent_view(self.store.insert_agent(agent))
        except (DocumentExists, errors.EmailTaken):
            if earlier := self.store.find_agent(agent_id):
                return _repeat(earlier, mark)
            raise

    @rpc(schemas.AgentId)
    def get_agent(self, *, agent_id: str) -> Wire:
        """The agent. AGENT_NOT_FOUND."""
        return agent_view(self.store.get_agent(agent_id))

    @rpc(schemas.ListAgents)
    def list_agents(self, *, cursor: str | None, limit: int) -> Wire:
        """A page of all agents, also deactivated ones, in the order of their creation. CURSOR_INVALID."""
        found = self.store.list_agents(cursor, limit)
        return page(found, limit, agent_view, lambda agent: (agent["created_at"], agent["_id"]))

    @rpc(schemas.UpdateAgent)
    def update_agent(self, *, agent_id: str, changes: Wire, actor: Wire) -> Wire:
        """The agent with the changes. FORBIDDEN, AGENT_NOT_FOUND, EMAIL_TAKEN, LAST_ADMIN.

        A new password, another role or a deactivation ends the agent's sessions in the same commit. Nothing to change: no event.
        """
        domain.check_may_change(agent_id, changes, actor)
        wanted = dict(changes)
        if "password" in wanted:
            self.store.get_agent(agent_id)
            wanted["password_hash"] = self.passwords.hash(wanted.pop("password"))

        def attempt() -> Document:
            agent = self.store.get_agent(agent_id)
            moment = now()
            change = domain.decide_change(agent, wanted, actor, moment)
            return self.store.change_agent(agent, change, moment) if change.fields else agent

        return agent_view(retry_stale(attempt))

    @subscribe("assignment", "agent_load_changed")
    def apply_agent_load(self, event: Event) -> None:
        """Show how many conversations an agent has; an older report than the last applied is ignored."""
        report = load(schemas.AgentLoadChanged(unknown=EXCLUDE), event.data)

        def attempt() -> None:
            agent = self.store.find_agent(report["agent_id"])
            if agent and (fields := domain.decide_load(agent, report["active_conversations"], report["version"])):
                self.store.set_fields(agent, fields)

        retry_stale(attempt)


def _repeat(agent: Document, mark: str) -> Wire:
    if agent["fingerprint"] != mark:
        raise errors.KeyReused
    return agent_view(agent)
