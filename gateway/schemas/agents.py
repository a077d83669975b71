"""Agents, their sign-in and their sessions."""

from marshmallow import fields, validate

from gateway.schemas import base

MIN_PASSWORD = 10
MAX_PASSWORD = 200


def password_field(**options: object) -> fields.String:
    """A password to be set."""
    return fields.String(
        validate=validate.Length(MIN_PASSWORD, MAX_PASSWORD),
        metadata={"description": "At least 10 characters.", "format": "password"},
        **options,  # type: ignore[arg-type]
    )


class AgentSchema(base.Resource):
    """A user with an account."""

    id = base.said("The agent's id.", base.EXAMPLE_ID)
    name = base.said("The name that visitors see.", "Ada Lovelace")
    email = base.said("The address to sign in with.", "ada@example.com")
    role = base.one_of("What the agent may do.", "admin", "agent")
    connected = base.truth("Whether at least one event stream of the agent is open.")
    availability = base.one_of("The agent's own choice.", "available", "busy")
    capacity = base.count("How many conversations the agent can have at once.", 4)
    active_conversations = base.count("How many the agent has now.", 2)
    active = base.truth("False for an account that was closed.")
    created_at = base.moment("When the account was made.")
    version = base.version()


AgentPageSchema = base.page_of(AgentSchema, "Agent")


class NewAgentSchema(base.Request):
    """An agent to be created."""

    name = base.text("The name that visitors see.", "Ada Lovelace", maximum=100, required=True)
    email = base.email("The address to sign in with.", required=True)
    password = password_field(required=True)
    role = base.choice("What the agent may do.", "admin", "agent", load_default="agent")
    capacity = base.Number(
        0, 1000, load_default=4, metadata={"description": "How many conversations the agent can have at once."}
    )


class OwnChangesSchema(base.Request):
    """What agents change of themselves."""

    name = base.text("The name that visitors see.", "Ada Lovelace", maximum=100)
    password = password_field()
    availability = base.choice("Whether conversations may be assigned automatically.", "available", "busy")


class AgentChangesSchema(OwnChangesSchema):
    """What administrators change of any agent."""

    email = base.email("The address to sign in with.")
    role = base.choice("What the agent may do.", "admin", "agent")
    capacity = base.Number(0, 1000, metadata={"description": "How many conversations the agent can have at once."})
    active = base.Flag(metadata={"description": "False closes the account and ends its sessions."})


class CredentialsSchema(base.Request):
    """What an agent signs in with."""

    email = fields.String(
        required=True, validate=validate.Length(1, 254), metadata={"description": "The address.", "examples": ["ada@example.com"]}
    )
    password = fields.String(
        required=True, validate=validate.Length(1, MAX_PASSWORD), metadata={"description": "The password.", "format": "password"}
    )


class RefreshSchema(base.Request):
    """What a session goes on with."""

    refresh_token = fields.String(
        required=True,
        validate=validate.Length(1, 200),
        metadata={"description": "The latest one of this session; each is good once, and using an old one ends the session."},
    )


class SessionSchema(base.Resource):
    """A signed-in session."""

    access_token = base.said("For `Authorization: Bearer …`.")
    token_type = base.one_of("How to send it.", "Bearer")
    expires_in = base.count("Seconds for which the access token is good.", 900, minimum=1)
    refresh_token = base.said("For `POST /v1/auth/refresh`, once.")
    agent = fields.Nested(AgentSchema, required=True, metadata={"description": "Who signed in."})


class StreamTicketSchema(base.Resource):
    """A stand-in for the token in a stream's address."""

    ticket = base.said("For `?ticket=` of an event stream, once.")
    expires_in = base.count("Seconds for which the ticket is good.", 30)
