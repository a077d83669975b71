"""The arguments that presence's calls and events take."""

from typing import Any

import orjson
from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate, validates_schema

from services.common.times import from_wire
from services.common.validation import ActorSchema, Arguments, Id, PageArguments, trimmed
from services.presence.domain import DEFAULT_CAPACITY, MAX_CAPACITY, MAX_PASSWORD, MIN_PASSWORD

MAX_EMAIL = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
MAX_RENEWALS = 5_000  # per call; 1,000 take 0.5 s on a busy machine, so send no more where there are many
MAX_SUBJECT_BYTES = 4_000


def email(*, required: bool) -> fields.Email:
    """An e-mail address."""
    return fields.Email(required=required, validate=validate.Length(max=MAX_EMAIL))


def password(*, required: bool) -> fields.String:
    """A password to be set."""
    return fields.String(required=required, validate=validate.Length(MIN_PASSWORD, MAX_PASSWORD))


def role(*, required: bool) -> fields.String:
    """What an agent may do."""
    return fields.String(required=required, validate=validate.OneOf(["admin", "agent"]))


def capacity(default: Any = missing) -> fields.Integer:
    """How many conversations an agent can have at once."""
    return fields.Integer(strict=True, validate=validate.Range(0, MAX_CAPACITY), load_default=default)


def flag() -> fields.Boolean:
    """A JSON boolean and nothing that resembles one."""
    return fields.Boolean(truthy={True}, falsy={False})


def secret() -> fields.String:
    """A token as it was handed out."""
    return fields.String(required=True, validate=validate.Length(1, 200))


def connection_kind() -> fields.String:
    """How a stream is held open."""
    return fields.String(required=True, validate=validate.OneOf(["sse", "ws"]))


class Authenticate(Arguments):
    """A sign-in."""

    email = fields.String(required=True, validate=validate.Length(max=MAX_EMAIL))
    password = fields.String(required=True, validate=validate.Length(max=MAX_PASSWORD))
    user_agent = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=2_000))
    ip = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=64))


class RefreshSession(Arguments):
    """A refresh."""

    refresh_token = secret()


class RevokeSession(Arguments):
    """A sign-out."""

    session_id = Id(required=True)
    actor = fields.Nested(ActorSchema, required=True)


class ListRevokedSessions(Arguments):
    """Since when."""

    since = fields.String(required=True, validate=validate.Length(max=40))

    @validates_schema
    def check_since(self, data: dict[str, str], **_: object) -> None:
        """An RFC 3339 time."""
        try:
            from_wire(data["since"])
        except ValueError:
            raise ValidationError("Not an RFC 3339 time with an offset.", "since") from None


class CreateAgent(Arguments):
    """A new agent."""

    name = trimmed(maximum=100, required=True)
    email = email(required=True)
    password = password(required=True)
    role = role(required=True)
    capacity = capacity(DEFAULT_CAPACITY)
    actor = fields.Nested(ActorSchema, required=True)
    idempotency_key = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 255))


class AgentId(Arguments):
    """Which agent."""

    agent_id = Id(required=True)


class ListAgents(PageArguments):
    """Which page."""


class AgentChanges(Schema):
    """What of an agent can change."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    name = trimmed(maximum=100)
    email = email(required=False)
    password = password(required=False)
    role = role(required=False)
    capacity = capacity()
    availability = fields.String(validate=validate.OneOf(["available", "busy"]))
    active = flag()


class UpdateAgent(AgentId):
    """What to change."""

    changes = fields.Nested(AgentChanges, required=True)
    actor = fields.Nested(ActorSchema, required=True)


class OpenConnection(AgentId):
    """A stream that began."""

    connection_id = Id(required=True)
    gateway_id = Id(required=True)
    kind = connection_kind()


class Connection(Schema):
    """A stream that goes on."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    agent_id = Id(required=True)
    connection_id = Id(required=True)
    kind = connection_kind()


class RenewConnections(Arguments):
    """The streams of a gateway that go on."""

    gateway_id = Id(required=True)
    connections = fields.List(fields.Nested(Connection), required=True, validate=validate.Length(max=MAX_RENEWALS))


class CloseConnection(AgentId):
    """A stream that ended."""

    connection_id = Id(required=True)


class CreateStreamTicket(Arguments):
    """Whom the ticket stands for; the caller's business, given back as it is."""

    subject = fields.Dict(keys=fields.String(), required=True)

    @validates_schema
    def check_subject(self, data: dict[str, object], **_: object) -> None:
        """Bounded."""
        if len(orjson.dumps(data["subject"])) > MAX_SUBJECT_BYTES:
            raise ValidationError(f"Longer than {MAX_SUBJECT_BYTES} bytes.", "subject")


class RedeemStreamTicket(Arguments):
    """A ticket presented."""

    ticket = secret()


class CreateApiToken(Arguments):
    """A new API token."""

    name = trimmed(maximum=100, required=True)
    scopes = fields.List(fields.String(validate=validate.OneOf(["bot"])), required=True, validate=validate.Length(1, 10))
    actor = fields.Nested(ActorSchema, required=True)


class RevokeApiToken(Arguments):
    """Which API token."""

    token_id = Id(required=True)
    actor = fields.Nested(ActorSchema, required=True)


class VerifyApiToken(Arguments):
    """An API token presented."""

    token = secret()


class AgentLoadChanged(Schema):
    """assignment's `agent_load_changed`; what else it may carry is not ours to know."""

    agent_id = Id(required=True)
    active_conversations = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))
    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
