"""What presence refuses, and how it says so."""

from collections.abc import Sequence

from services.common.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class AgentNotFound(NotFound):
    """No agent has this id."""

    code = "AGENT_NOT_FOUND"

    def __init__(self, agent_id: str) -> None:
        super().__init__(f"There is no agent {agent_id}.")


class TeamNotFound(NotFound):
    """No team has this id, or no longer."""

    code = "TEAM_NOT_FOUND"

    def __init__(self, team_id: str) -> None:
        super().__init__(f"There is no team {team_id}.")


class TokenNotFound(NotFound):
    """No API token has this id."""

    code = "TOKEN_NOT_FOUND"

    def __init__(self, token_id: str) -> None:
        super().__init__(f"There is no API token {token_id}.")


class InvalidCredentials(Unauthenticated):
    """E-mail and password don't open an account; which of them is wrong stays unsaid."""

    code = "INVALID_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("This e-mail and password don't match an active account.")


class TokenInvalid(Unauthenticated):
    """A refresh token, stream ticket or API token that is unknown, spent, revoked or past its time."""

    code = "TOKEN_INVALID"

    def __init__(self, thing: str) -> None:
        super().__init__(f"This {thing} is not valid, or no longer.")


class EmailTaken(Conflict):
    """Another agent has this e-mail, in whatever case of letters."""

    code = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__("Another agent has this e-mail address.")


class TeamNameTaken(Conflict):
    """Another team has this name, in whatever case of letters."""

    code = "TEAM_NAME_TAKEN"

    def __init__(self) -> None:
        super().__init__("Another team has this name.")


class LastAdmin(Conflict):
    """The change would leave nobody to administer."""

    code = "LAST_ADMIN"

    def __init__(self) -> None:
        super().__init__("This is the last active admin; make another agent an admin first.")


class TooMany(Conflict):
    """A bounded number is reached."""

    def __init__(self, things: str, limit: int, remedy: str = "close or revoke one first") -> None:
        super().__init__(f"There are {limit} {things} already; {remedy}.", data={"limit": limit})


class UnknownAgents(Invalid):
    """A list names agents that don't exist."""

    def __init__(self, agent_ids: Sequence[str]) -> None:
        super().__init__("Some agents don't exist.", errors={"agent_ids": [f"There is no agent {each}." for each in agent_ids]})


class KeyReused(Invalid):
    """The Idempotency-Key was used for another creation."""

    code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with other arguments.")


class AccountInactive(Forbidden):
    """The agent's account was deactivated."""

    def __init__(self) -> None:
        super().__init__("This agent's account is not active.")
