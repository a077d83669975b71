"""The arguments of the RPC methods about channels and their flows."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from services.common.validation import ActorSchema, Arguments, Id, PageArguments, UserId, trimmed
from services.messaging import hours
from services.messaging.flows.schemas import BLOCK_NAME, MAX_BLOCK_TEXT, check_plain
from services.messaging.flows.simulate import MAX_INPUTS
from services.messaging.messenger.settings import MessengerSettings

_ORIGIN = validate.Regexp(
    r"^https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?\Z", error="Not an origin such as https://shop.example."
)


def _origins(**options: Any) -> fields.List[Any]:
    return fields.List(fields.String(validate=_ORIGIN), validate=validate.Length(max=50), **options)


def _check_day(spans: object) -> None:
    try:
        hours.read_day(spans)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def _check_zone(name: str) -> None:
    if not hours.is_known_zone(name):
        raise ValidationError("Not a time zone of the IANA database, such as Europe/Berlin.")


class BusinessHours(Arguments):
    """A weekly schedule in a time zone."""

    time_zone = fields.String(required=True, validate=_check_zone)
    weekly = fields.Nested(
        Arguments.from_dict({day: fields.Raw(validate=_check_day) for day in hours.DAYS}, name="Weekly"), required=True
    )


def _business_hours(**options: Any) -> fields.Nested:
    return fields.Nested(BusinessHours, allow_none=True, **options)


def _seconds() -> fields.Integer:
    return fields.Integer(strict=True, allow_none=True, validate=validate.Range(10, 86_400))


class Reassignment(Arguments):
    """When a conversation leaves an agent who doesn't answer; None never."""

    disconnected_after_seconds = _seconds()
    unanswered_after_seconds = _seconds()


class CreateChannel(Arguments):
    """The arguments of create_channel."""

    kind = fields.String(required=True, validate=validate.OneOf(["web", "messenger"]))
    name = trimmed(maximum=100, required=True)
    allowed_origins = _origins(load_default=list)
    business_hours = _business_hours(load_default=None)
    reassignment = fields.Nested(Reassignment, load_default=dict)
    messenger = fields.Nested(MessengerSettings, load_default=None, allow_none=True)
    actor = fields.Nested(ActorSchema, required=True)
    idempotency_key = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 200))


class ChannelId(Arguments):
    """A channel."""

    channel_id = Id(required=True)


class ChannelChanges(Arguments):
    """What of a channel can be changed."""

    name = trimmed(maximum=100)
    allowed_origins = _origins()
    business_hours = _business_hours()
    reassignment = fields.Nested(Reassignment)
    messenger = fields.Nested(MessengerSettings)


class UpdateChannel(ChannelId):
    """The arguments of update_channel."""

    changes = fields.Nested(ChannelChanges, required=True)
    actor = fields.Nested(ActorSchema, required=True)


class DeleteChannel(ChannelId):
    """The arguments of delete_channel."""

    actor = fields.Nested(ActorSchema, required=True)


class KeepIdentitySecret(ChannelId):
    """The arguments of create_identity_secret and delete_identity_secret."""

    actor = fields.Nested(ActorSchema, required=True)


class VerifyIdentity(ChannelId):
    """The arguments of verify_identity."""

    user_id = UserId(required=True)
    hash = fields.String(required=True, validate=validate.Regexp(r"^[0-9A-Fa-f]{64}\Z", error="Not 64 hexadecimal digits."))


class PutFlow(ChannelId):
    """The arguments of put_flow; the flow itself is checked by messaging.flows."""

    flow = fields.Dict(required=True)
    actor = fields.Nested(ActorSchema, required=True)
    expected_version = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**31))


class GetFlow(ChannelId):
    """The arguments of get_flow."""

    version = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 2**31))


class ListFlowVersions(PageArguments, ChannelId):
    """The arguments of list_flow_versions."""


class DeleteFlow(ChannelId):
    """The arguments of delete_flow."""

    actor = fields.Nested(ActorSchema, required=True)


class CheckFlow(ChannelId):
    """The arguments of check_flow."""

    flow = fields.Dict(required=True)


class Input(Arguments):
    """What a simulated visitor does: writes, or presses a button."""

    text = trimmed()
    choice = trimmed(maximum=200)

    @validates_schema
    def check_content(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one of text and choice."""
        if ("text" in data) == ("choice" in data):
            raise ValidationError({"text": ["Give either text or choice."]})


def _check_value(value: object) -> None:
    """As a contact keeps it, blank ones too. Raises ValidationError."""
    if not isinstance(value, str):
        check_plain(value)
    elif len(value) > MAX_BLOCK_TEXT or "\x00" in value:
        raise ValidationError(f"Not a text of up to {MAX_BLOCK_TEXT} characters.")


class SimulatedContact(Arguments):
    """What is known of a simulated visitor."""

    known = fields.Dict(
        data_key="fields",
        attribute="fields",
        keys=fields.String(validate=validate.Length(1, 64)),
        values=fields.Raw(validate=_check_value),
        load_default=dict,
        validate=validate.Length(max=200),
    )
    country = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(r"^[A-Za-z]{2}\Z", error="Not a country code.")
    )
    first_url = trimmed(minimum=0, maximum=2_000, load_default=None, allow_none=True)
    last_url = trimmed(minimum=0, maximum=2_000, load_default=None, allow_none=True)


class SimulateFlow(ChannelId):
    """The arguments of simulate_flow."""

    flow = fields.Dict(load_default=None, allow_none=True)
    inputs = fields.List(fields.Nested(Input), required=True, validate=validate.Length(max=MAX_INPUTS))
    contact = fields.Nested(SimulatedContact, load_default=lambda: SimulatedContact().load({}))
    open = fields.Boolean(load_default=None, allow_none=True)
    available = fields.Boolean(load_default=None, allow_none=True)


class PreviewAssignment(ChannelId):
    """The arguments of preview_assignment."""

    block = fields.String(load_default=None, allow_none=True, validate=BLOCK_NAME)
