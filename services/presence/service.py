"""The presence service, put together from its entrypoints."""

from typing import ClassVar, cast

from services.common.service import Service
from services.common.storage import Storage
from services.presence.dependencies import FirstAdmin, LeaseKeeping, Passwords
from services.presence.entrypoints.agents import AgentMethods
from services.presence.entrypoints.connections import ConnectionMethods
from services.presence.entrypoints.operating import OperatorMethods
from services.presence.entrypoints.sessions import SessionMethods
from services.presence.entrypoints.teams import TeamMethods
from services.presence.entrypoints.tokens import TokenMethods
from services.presence.store import PresenceStore


class PresenceService(SessionMethods, AgentMethods, TeamMethods, ConnectionMethods, TokenMethods, OperatorMethods, Service):
    """Agents, teams, credentials, connections, availability; README.md beside this file is its contract."""

    name: ClassVar[str] = "presence"
    store = cast("PresenceStore", Storage(PresenceStore))  # the store is what the provider injects
    passwords = Passwords()
    keeping = LeaseKeeping()
    first_admin = FirstAdmin()
