"""Tickets and their comments."""

from marshmallow import fields

from gateway.schemas import base

MAX_SUBJECT = 200
STATUSES = ("open", "pending", "solved")
NOBODY = "none"


class TicketSchema(base.Resource):
    """A tracked request of a contact."""

    id = base.said("The ticket's id.", base.EXAMPLE_ID)
    contact_id = base.said("The contact.", base.EXAMPLE_ID)
    channel_id = base.said("The contact's channel; null for tickets from before it was kept.", base.EXAMPLE_ID, allow_none=True)
    conversation_id = base.said("The conversation it came from.", base.EXAMPLE_ID, allow_none=True)
    subject = base.said("What it is about.", "Invoice 4711")
    description = base.said("The details.", "Paid twice.")
    status = base.one_of("How it stands.", *STATUSES)
    assignee = fields.Nested(
        base.PersonSchema, required=True, allow_none=True, metadata={"description": "The agent who sees to it, if anybody."}
    )
    comment_count = base.count("How many comments there are.", 2)
    author = fields.Nested(base.AuthorSchema, required=True)
    created_at = base.moment("When it was opened.")
    updated_at = base.moment("When it was last changed.")
    version = base.version()


TicketPageSchema = base.page_of(TicketSchema, "Ticket")


class ContactTicketQuery(base.PageQuery):
    """Which tickets of a contact."""

    status = base.choice("Only of this status.", *STATUSES)


class TicketQuery(ContactTicketQuery):
    """Which tickets."""

    contact_id = base.identifier("Only of this contact.")
    channel_id = base.identifier("Only of contacts of this channel.")
    assignee_id = base.identifier(f"Only of this agent; `{NOBODY}` for those that nobody sees to.")


class NewTicketSchema(base.Request):
    """A ticket to be opened."""

    subject = base.text("What it is about.", "Invoice 4711", maximum=MAX_SUBJECT, required=True)
    description = base.free_text("The details.", "Paid twice.", load_default="")
    conversation_id = base.identifier("The conversation it comes from.", allow_none=True)
    assignee_id = base.identifier("The agent who sees to it.", allow_none=True)


class TicketChangesSchema(base.Request):
    """What of a ticket can change."""

    subject = base.text("What it is about.", "Invoice 4711", maximum=MAX_SUBJECT)
    description = base.free_text("The details.", "Paid twice.")
    status = base.choice("How it stands.", *STATUSES)
    assignee_id = base.identifier("The agent who sees to it; null for nobody.", allow_none=True)


class CommentSchema(base.Resource):
    """What was said about a ticket, between agents and integrations."""

    id = base.said("The comment's id.", base.EXAMPLE_ID)
    ticket_id = base.said("The ticket.", base.EXAMPLE_ID)
    text = base.said("What was said.", "Refunded the second payment.")
    author = fields.Nested(base.AuthorSchema, required=True)
    created_at = base.moment("When it was written.")


CommentPageSchema = base.page_of(CommentSchema, "Comment")


class NewCommentSchema(base.Request):
    """A comment to be written."""

    text = base.text("What to say.", "Refunded the second payment.", required=True)
