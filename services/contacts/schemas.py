"""The arguments of the contacts service's methods, and what it reads of others' events."""

from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate, validates_schema

from services.common.validation import ActorSchema, Arguments, Id, PageArguments, UserId, trimmed
from services.contacts.records import MAX_SUBJECT

STATUSES = ("open", "pending", "solved")
MAX_FIELDS_AT_ONCE = 100
MAX_TOLD = 500


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

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Length(1, 255), **(options or {"load_default": None, "allow_none": True}))


class UserSchema(Arguments):
    """The website's signed-in user, whose id was verified; of the other texts what means nothing is not taken."""

    id = UserId(required=True)
    name = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=MAX_TOLD))
    email = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=MAX_TOLD))
    phone = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=MAX_TOLD))


class OpenSession(Arguments):
    """A visitor is there."""

    contact_id = Id(required=True)
    channel_id = Id(required=True)
    ip = fields.String(load_default=None, allow_none=True)
    page = fields.Nested(PageSchema, load_default=None, allow_none=True)
    locale = fields.String(load_default=None, allow_none=True)
    time_zone = fields.String(load_default=None, allow_none=True)
    user_agent = fields.String(load_default=None, allow_none=True)
    name = fields.String(load_default=None, allow_none=True)
    user = fields.Nested(UserSchema, load_default=None, allow_none=True)


class RecordPage(Arguments):
    """A visitor went on to another page."""

    contact_id = Id(required=True)
    user = fields.Boolean(load_default=False)
    page = fields.Nested(PageSchema, required=True)


class GetContact(Arguments):
    """One contact."""

    contact_id = Id(required=True)


class ListContacts(PageArguments):
    """Contacts of a channel, found by a query, or all."""

    channel_id = Id(load_default=None, allow_none=True)
    q = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))


class ListHistory(PageArguments):
    """What became of a contact's values."""

    contact_id = Id(required=True)


class EraseContact(Arguments):
    """The end of all that is personal."""

    contact_id = Id(required=True)
    actor = fields.Nested(ActorSchema, required=True)


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


class AssigneeSchema(Schema):
    """An agent by id and name, as presence has it."""

    id = Id(required=True)
    name = fields.String(required=True, validate=validate.Length(1, 200))


class CreateTicket(Arguments):
    """A request."""

    contact_id = Id(required=True)
    subject = trimmed(required=True, maximum=MAX_SUBJECT)
    description = trimmed(minimum=0, load_default="")
    conversation_id = Id(load_default=None, allow_none=True)
    assignee = fields.Nested(AssigneeSchema, load_default=None, allow_none=True)
    actor = fields.Nested(ActorSchema, required=True)
    idempotency_key = IdempotencyKey()


class FindRepeatedTicket(CreateTicket):
    """The creation of a request, its agent by the id alone."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE
        exclude = ("assignee",)

    assignee_id = Id(required=True)
    idempotency_key = IdempotencyKey(required=True)


class GetTicket(Arguments):
    """One request."""

    ticket_id = Id(required=True)


class ListTickets(PageArguments):
    """Requests, all or of a contact, status, agent ("none" for nobody) and channel."""

    contact_id = Id(load_default=None, allow_none=True)
    status = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(STATUSES))
    assignee_id = Id(load_default=None, allow_none=True)
    channel_id = Id(load_default=None, allow_none=True)


class TicketChanges(Arguments):
    """What may change of a request."""

    subject = trimmed(maximum=MAX_SUBJECT)
    description = trimmed(minimum=0)
    status = fields.String(validate=validate.OneOf(STATUSES))
    assignee = fields.Nested(AssigneeSchema, allow_none=True)


class UpdateTicket(Arguments):
    """A request's changes."""

    ticket_id = Id(required=True)
    changes = fields.Nested(TicketChanges, required=True)
    actor = fields.Nested(ActorSchema, required=True)


class CreateComment(Arguments):
    """Something to be said about a request."""

    ticket_id = Id(required=True)
    text = trimmed(required=True)
    actor = fields.Nested(ActorSchema, required=True)
    idempotency_key = IdempotencyKey()


class ListComments(PageArguments):
    """What was said about a request."""

    ticket_id = Id(required=True)


class News(Schema):
    """The base of what is read of others' events; they may come to say more."""

    class Meta:
        """Marshmallow's options."""

        unknown = EXCLUDE


class AgentNews(News):
    """The agent resource of presence."""

    id = Id(required=True)
    name = fields.String(required=True)


class TicketWanted(News):
    """What messaging's `ticket_wanted` says; its texts come of templates and may be anything."""

    contact_id = Id(required=True)
    conversation_id = Id(required=True)
    subject = fields.String(required=True)
    description = fields.String(load_default=None, allow_none=True)


class VisitorMet(News):
    """What messaging's `visitor_met` says; what can't be a locale or a time zone is passed over."""

    contact_id = Id(required=True)
    channel_id = Id(required=True)
    name = fields.String(load_default=None, allow_none=True)
    locale = fields.String(load_default=None, allow_none=True)
    time_zone = fields.Raw(load_default=None, allow_none=True)
    at = fields.AwareDateTime(load_default=None, allow_none=True, format="iso")


class FieldCollected(News):
    """What messaging's `field_collected` says; a null clears."""

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
