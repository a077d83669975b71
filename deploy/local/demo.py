"""The demo's accounts and channel, kept in the data folder as a file that a shell can source."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from deploy.local.private import generate_password, write_private

AGENTS = (("Ada Park", "ada@acme.localhost"), ("Ben Okoye", "ben@acme.localhost"))


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in; the password is None when the runner does not know it."""

    name: str
    email: str
    password: str | None

    def with_password(self) -> Self:
        """The account with the password that it has, or else a generated one."""
        return self if self.password else replace(self, password=generate_password())


@dataclass(frozen=True)
class Demo:
    """What the first run makes. Its passwords are kept before anything is created, so that a repeat uses the same ones."""

    admin: Account
    agents: tuple[Account, ...]
    channel_id: str | None = None

    @classmethod
    def recall(cls, kept: Mapping[str, str], *, admin_email: str, admin_password: str | None) -> Self:
        """The demo as `kept` describes it. A password from the environment is the operator's own and wins."""
        same_admin = kept.get("FOYER_ADMIN_EMAIL") == admin_email
        password = admin_password or (kept.get("FOYER_ADMIN_PASSWORD") if same_admin else None)
        agents = [
            Account(name, email, kept.get(f"FOYER_AGENT_{number}_PASSWORD")) for number, (name, email) in enumerate(AGENTS, 1)
        ]
        return cls(Account("Admin", admin_email, password), tuple(agents), kept.get("FOYER_CHANNEL") or None)

    def with_passwords(self) -> Self:
        """The demo with a password generated for whoever has none."""
        return replace(self, admin=self.admin.with_password(), agents=tuple(agent.with_password() for agent in self.agents))

    def without_password(self, email: str) -> Self:
        """The demo with an account whose password turned out to be another's choice."""
        agents = tuple(replace(agent, password=None) if agent.email == email else agent for agent in self.agents)
        return replace(self, agents=agents)

    def variables(self, url: str, *, keep_admin: bool) -> dict[str, str]:
        """What the file holds."""
        values = {"FOYER_URL": url, "FOYER_CHANNEL": self.channel_id or "", "FOYER_ADMIN_EMAIL": self.admin.email}
        if keep_admin and self.admin.password:
            values["FOYER_ADMIN_PASSWORD"] = self.admin.password
        for number, agent in enumerate(self.agents, 1):
            values[f"FOYER_AGENT_{number}_EMAIL"] = agent.email
            if agent.password:
                values[f"FOYER_AGENT_{number}_PASSWORD"] = agent.password
        return values


def load_variables(path: Path) -> dict[str, str]:
    """The assignments in the file; none when there is no file."""
    if not path.exists():
        return {}
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


def save_variables(path: Path, values: Mapping[str, str]) -> None:
    """Write what `load_variables` reads and `.` in a shell sets; readable by its owner only."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    write_private(path, "\n".join(["# The demo of `make run`; deleting the data folder deletes all of it.", *lines]) + "\n")
