"""Everything that is kept about a contact, as one document."""

from marshmallow import fields

from gateway.schemas import base
from gateway.schemas.assignments import DecisionSchema
from gateway.schemas.contacts import ContactSchema, HistoryEntrySchema, NoteSchema, SetterSchema
from gateway.schemas.conversations import ConversationSchema, MessageSchema
from gateway.schemas.tickets import CommentSchema, TicketSchema


class ExportedTicketSchema(TicketSchema):
    """A ticket with what was said about it."""

    comments = fields.List(fields.Nested(CommentSchema), required=True, metadata={"description": "Oldest first."})


class ExportedDecisionSchema(DecisionSchema):
    """A decision about who has a conversation, without the agents who were considered: that is about them."""

    class Meta:
        """Marshmallow's options."""

        unknown = base.Resource.Meta.unknown
        exclude = ("candidates",)


class ExportedConversationSchema(ConversationSchema):
    """A conversation with all that was said, and who had it."""

    messages = fields.List(fields.Nested(MessageSchema), required=True, metadata={"description": "Oldest first."})
    assignments = fields.List(fields.Nested(ExportedDecisionSchema), required=True, metadata={"description": "Newest first."})


class IgnoredValueSchema(base.Resource):
    """A value that the profile did not take."""

    field = base.said("Which value.", "name")
    value = fields.Raw(
        required=True, allow_none=True, metadata={"description": "What it would have become.", "examples": ["Mia"]}
    )
    reason = base.said("Why it was not taken.", "The name was given by the agent.")
    by = fields.Nested(SetterSchema, required=True, metadata={"description": "Who wrote it."})
    at = base.moment("When.")
    conversation_id = base.said("The conversation in which the bot learned it.", base.EXAMPLE_ID, allow_none=True)


class ExportCountsSchema(base.Resource):
    """How much is in the export."""

    history = base.count("Changes of the profile.", 12)
    ignored = base.count("Values that were not taken.", 1)
    notes = base.count("Notes.", 1)
    tickets = base.count("Tickets.", 1)
    comments = base.count("Comments on them.", 2)
    conversations = base.count("Conversations.", 3)
    messages = base.count("Messages; each conversation's `last_seq` says how many it has.", 40)
    assignments = base.count("Decisions about who has a conversation.", 3)


class ContactExportSchema(base.Resource):
    """Everything that is kept about a contact."""

    exported_at = base.moment("When this was so.")
    contact = fields.Nested(ContactSchema, required=True)
    history = fields.List(fields.Nested(HistoryEntrySchema), required=True, metadata={"description": "Newest first."})
    ignored = fields.List(
        fields.Nested(IgnoredValueSchema),
        required=True,
        metadata={"description": "The newest values that were written and not taken, newest first."},
    )
    notes = fields.List(fields.Nested(NoteSchema), required=True, metadata={"description": "Newest first."})
    tickets = fields.List(fields.Nested(ExportedTicketSchema), required=True, metadata={"description": "Newest first."})
    conversations = fields.List(
        fields.Nested(ExportedConversationSchema),
        required=True,
        metadata={"description": "The open one, then the archived ones, last active first."},
    )
    counts = fields.Nested(ExportCountsSchema, required=True)
    truncated = base.truth("Whether there is more than an export holds: 10,000 messages, 10,000 other records, 16 MB.")
