"""The arguments of the contacts service's methods, and the event that it takes."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from services.common.validation import ActorSchema, Arguments, Cursor, Id, Limit, PageArguments, trimmed

STATUSES = ("open", "pending", "solved")
MAX_SUBJECT = 200
MAX_FIELDS_AT_ONCE = 100


class PageSchema(Schema):
    """A page as a browser tells it; its texts may be anything and are cut, not refused."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    url = fields.String(load_default=None, allow_none=True)
    title = fields.String(load_default=None, allow_none=True)
    referrer = fields.String(load_default=None, allow_none=True)


class StrictBoolean(fields.Boolean):
    """true or false, and nothing that some people take for one of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return bool(super()._deserialize(value, attr, data, **options))


class IdempotencyKey(fields.String):
    """The caller's name for one creation."""

    def __init__(self) -> None:
        super().__init__(load_default=None, allow_none=True, validate=validate.Length(1, 255))


class OpenSession(Arguments):
    """A visitor is there."""

    contact_id = Id(required=True)
    channel_id = Id(required=True)
    ip = fields.String(load_default=None, allow_none=True)
    page = fields.Nested(PageSchema, load_default=None, allow_none=True)
    locale = fields.String(load_default=None, allow_none=True)
    user_agent = fields.String(load_default=None, allow_none=True)
    name = fields.String(load_default=None, allow_none=True)


class GetContact(Arguments):
    """One contact."""

    contact_id = Id(required=True)


class ListContacts(PageArguments):
    """Contacts of a channel, found by a query, or all."""

    channel_id = Id(load_default=None, allow_none=True)
    q = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


class UpdateContact(Arguments):
    """Changes of name, email, phone, blocked; the domain checks each."""

    contact_id = Id(required=True)
    changes = fields.Dict(keys=fields.String(), required=True, validate=validate.Length(max=MAX_FIELDS_AT_ONCE))
    actor = fields.Nested(ActorSchema, required=True)


class SetFields(Arguments):
    """Personal and custom fields; the domain checks each."""

    contact_id = Id(required=True)
    fields_ = fields.Dict(
        keys=fields.String(),
        required=True,
        data_key="fields",
        attribute="fields",
        validate=validate.Length(max=MAX_FIELDS_AT_ONCE),
    )
    actor = fields.Nested(ActorSchema, required=True)


class CreateNote(Arguments):
    """A remark."""

    contact_id = Id(required=True)
    text = trimmed(required=True)
    highlighted = StrictBoolean(load_default=False)
    actor = fields.Nested(ActorSchema, required=True)
    idempotency_key = IdempotencyKey()


class ListNotes(PageArguments):
    """A contact's remarks."""

    contact_id = Id(required=True)


class NoteChanges(Arguments):
    """What may change of a remark."""

    text = trimmed()
    highlighted = StrictBoolean()


class UpdateNote(Arguments):
    """A remark's changes."""

    note_id = Id(required=True)
    changes = fields.Nested(NoteChanges, required=True)
    actor = fields.Nested(ActorSchema, required=True)


class DeleteNote(Arguments):
    """A remark's end."""

    note_id = Id(required=True)
    actor = fields.Nested(ActorSchema, required=True)


class CreateTicket(Arguments):
    """A request."""

    contact_id = Id(required=True)
    subject = trimmed(required=True, maximum=MAX_SUBJECT)
    description = trimmed(minimum=0, load_default="")
    conversation_id = Id(load_default=None, allow_none=True)
    actor = fields.Nested(ActorSchema, required=True)
    idempotency_key = IdempotencyKey()


class ListTickets(Arguments):
    """A contact's requests, of one status or all."""

    contact_id = Id(required=True)
    status = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATUSES))
    cursor = Cursor()
    limit = Limit()


class TicketChanges(Arguments):
    """What may change of a request."""

    subject = trimmed(maximum=MAX_SUBJECT)
    description = trimmed(minimum=0)
    status = fields.String(validate=validate.OneOf(STATUSES))


class UpdateTicket(Arguments):
    """A request's changes."""

    ticket_id = Id(required=True)
    changes = fields.Nested(TicketChanges, required=True)
    actor = fields.Nested(ActorSchema, required=True)


class FieldCollected(Schema):
    """What messaging's `field_collected` says; it may come to say more."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE

    contact_id = Id(required=True)
    conversation_id = Id(required=True)
    field = fields.String(required=True, validate=validate.Length(1, 64))
    value = fields.Raw(required=True, allow_none=True)
    version_hint = fields.Integer(load_default=None, allow_none=True, strict=True)

    @validates_schema
    def check_scalar(self, data: dict[str, object], **_: object) -> None:
        """A structure is a mistake of the sender, not of the visitor."""
        if isinstance(data["value"], list | dict):
            raise ValidationError("Not a single value.", "value")
