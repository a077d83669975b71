"""Contacts and notes."""

from marshmallow import INCLUDE, Schema, fields, validate

from gateway.schemas import base

HISTORY_FIELDS = (
    "`name`, `email`, `phone`, `blocked`, `ip`, `country`, `locale`, `time_zone`, `browser`, `platform`, `external_id`, or a "
    "custom field as `fields.<name>`."
)


class CampaignSchema(base.Resource):
    """The UTM parts of an address."""

    source = base.said("`utm_source`.", "newsletter", allow_none=True)
    medium = base.said("`utm_medium`.", "email", allow_none=True)
    name = base.said("`utm_campaign`.", "spring", allow_none=True)
    term = base.said("`utm_term`.", allow_none=True)
    content = base.said("`utm_content`.", allow_none=True)


class PageVisitSchema(base.Resource):
    """A page that the visitor looked at."""

    url = base.said("Its address.", "https://shop.example/shoes?utm_source=newsletter", allow_none=True)
    title = base.said("Its title.", "Shoes", allow_none=True)
    referrer = base.said("Where the visitor came from.", allow_none=True)
    campaign = fields.Nested(CampaignSchema, required=True, allow_none=True)
    at = base.moment("When.")


class PagesSummarySchema(base.Resource):
    """Between which pages the visitor went, as lists and events tell it."""

    first = fields.Nested(PageVisitSchema, required=True)
    last = fields.Nested(PageVisitSchema, required=True)
    page_count = base.count("How many pages the contact itself shows.", 3, minimum=1)


class PagesSchema(PagesSummarySchema):
    """The pages that the visitor looked at."""

    pages = fields.List(
        fields.Nested(PageVisitSchema),
        required=True,
        metadata={
            "description": "Newest last, at most 50 and 64 kB: then the oldest behind `first` are left out. Only a single contact has "
            "them, neither lists nor events do."
        },
    )


class CountrySchema(base.Resource):
    """A country."""

    code = base.said("ISO 3166-1 alpha-2.", "PT")
    name = base.said("Its English name.", "Portugal")


class NoteSchema(base.Resource):
    """A remark on a contact, between agents."""

    id = base.said("The note's id.", base.EXAMPLE_ID)
    contact_id = base.said("The contact.", base.EXAMPLE_ID)
    text = base.said("The remark.", "Prefers to be called.")
    highlighted = base.truth("Whether it also appears on the profile.")
    author = fields.Nested(base.AuthorSchema, required=True)
    created_at = base.moment("When it was written.")
    updated_at = base.moment("When it was last changed.")
    version = base.version()


NotePageSchema = base.page_of(NoteSchema, "Note")


class NewNoteSchema(base.Request):
    """A note to be written."""

    text = base.text("The remark.", "Prefers to be called.", required=True)
    highlighted = base.Flag(load_default=False, metadata={"description": "Whether it also appears on the profile."})


class NoteChangesSchema(base.Request):
    """What of a note can change."""

    text = base.text("The remark.", "Prefers to be called.")
    highlighted = base.Flag(metadata={"description": "Whether it also appears on the profile."})


class ContactItemSchema(base.Resource):
    """A visitor's profile as lists and events tell it: without the pages in between."""

    id = base.said("The contact's id.", base.EXAMPLE_ID)
    channel_id = base.said("The channel they came through.", base.EXAMPLE_ID)
    external_id = base.said("The website's own id of its signed-in user; null for anybody else.", "4711", allow_none=True)
    name = base.said("Their name, or one made up for them.", "Teal Otter")
    name_source = base.one_of(
        "Who gave the name; `channel` is the website for its signed-in users.", "generated", "channel", "bot", "agent"
    )
    email = base.said("Their e-mail address.", "ada@example.com", allow_none=True)
    phone = base.said("Their phone number (E.164).", "+351211234567", allow_none=True)
    fields_ = fields.Dict(
        keys=fields.String(),
        required=True,
        data_key="fields",
        metadata={"description": "What the bot learned: custom fields.", "examples": [{"topic": "quote"}]},
    )
    since = base.moment("Their first visit.")
    last_seen_at = base.moment("Their latest visit.")
    ip = base.said("The address of their latest visit.", "203.0.113.7", allow_none=True)
    url = fields.Nested(PagesSummarySchema, required=True, allow_none=True)
    country = fields.Nested(CountrySchema, required=True, allow_none=True)
    locale = base.said("The language of their browser.", "pt-PT", allow_none=True)
    time_zone = base.said("The time zone of their browser (IANA).", "Europe/Lisbon", allow_none=True)
    browser = base.said("Their browser.", "Firefox 132", allow_none=True)
    platform = base.said("Their device's system.", "Windows 10", allow_none=True)
    blocked = base.truth("Whether their messages are refused.")
    highlighted_notes = fields.List(fields.Nested(NoteSchema), required=True, metadata={"description": "At most 20."})
    version = base.version()


class ContactSchema(ContactItemSchema):
    """A visitor's profile."""

    url = fields.Nested(PagesSchema, required=True, allow_none=True)


ContactPageSchema = base.page_of(ContactItemSchema, "Contact")


class ContactQuery(base.PageQuery):
    """Which contacts."""

    channel_id = base.identifier("Only of this channel.")
    q = base.QueryText(
        validate=base.Pattern(r"^[^\u0000]{0,200}$", "At most 200 characters, without NUL."),
        metadata={"description": "The beginning of a name, an e-mail address, a phone number or an external id."},
    )


class ContactChangesSchema(Schema):
    """What agents change of a contact; every other field is refused with `FIELD_READ_ONLY`."""

    class Meta:
        """Marshmallow's options: the service that owns the rule refuses the others."""

        unknown = INCLUDE

    name = base.text("Wins over the bot's and the generated one.", "Ada Lovelace", maximum=200)
    email = fields.String(
        allow_none=True,
        validate=validate.Length(3, 254),
        metadata={"description": "Null clears it.", "examples": ["ada@example.com"]},
    )
    phone = fields.String(
        allow_none=True,
        validate=validate.Length(3, 50),
        metadata={
            "description": "International, or as dialled in the contact's country; null clears it.",
            "examples": ["+351 21 123 4567"],
        },
    )
    blocked = base.Flag(metadata={"description": "Whether to refuse their messages."})


class ContactFieldsSchema(base.Request):
    """What a bot learned."""

    fields_ = fields.Dict(
        keys=fields.String(
            validate=base.Pattern("^[A-Za-z][A-Za-z0-9_]{0,63}$", "A letter, then up to 63 letters, digits and underscores.")
        ),
        values=fields.Raw(allow_none=True, metadata={"type": ["string", "number", "boolean"], "maxLength": 2000}),
        required=True,
        data_key="fields",
        attribute="fields",
        validate=validate.Length(1, 100),
        metadata={
            "description": "Values by name: `name`, `email`, `phone`, or else custom fields. Others stay as they are; null clears.",
            "minProperties": 1,
            "maxProperties": 100,
            "examples": [{"email": "ada@example.com", "topic": "quote"}],
        },
    )


class SetterSchema(base.Resource):
    """Who set a value."""

    kind = base.one_of(
        "An agent, the bot or an integration, the channel (Messenger's profile, the website of its signed-in users), or the system that read it off a visit.",
        "agent",
        "bot",
        "channel",
        "visitor",
        "system",
    )
    id = base.said("Their id, where they have one.", base.EXAMPLE_ID, allow_none=True)
    name = base.said("Their name, where they have one.", "Ada Lovelace", allow_none=True)


class HistoryEntrySchema(base.Resource):
    """One change of one value of a profile."""

    id = base.said("The change's id.", base.EXAMPLE_ID)
    field = base.said(f"Which value: {HISTORY_FIELDS}", "email")
    value = fields.Raw(
        required=True,
        allow_none=True,
        metadata={"description": "What it became; null for cleared. Long texts are cut.", "examples": ["ada@example.com"]},
    )
    previous = fields.Raw(
        required=True, allow_none=True, metadata={"description": "What it was; null for nothing.", "examples": [None]}
    )
    by = fields.Nested(SetterSchema, required=True, metadata={"description": "Who set it."})
    at = base.moment("When.")
    conversation_id = base.said("The conversation in which the bot learned it.", base.EXAMPLE_ID, allow_none=True)


HistoryPageSchema = base.page_of(HistoryEntrySchema, "History")


class ErasedContactSchema(base.Resource):
    """A contact whose personal data is gone."""

    id = base.said("The contact's id, which stays.", base.EXAMPLE_ID)
    erased_at = base.moment("When it was erased.")
