"""The errors of the contacts service."""

from services.common.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class ContactNotFound(NotFound):
    """No contact of this id, or not any more: erased."""

    code = "CONTACT_NOT_FOUND"


class NoteNotFound(NotFound):
    """No note of this id, or not any more."""

    code = "NOTE_NOT_FOUND"


class TicketNotFound(NotFound):
    """No ticket of this id, or not any more."""

    code = "TICKET_NOT_FOUND"


class FieldReadOnly(Forbidden):
    """The field exists, but not for this kind of writer to write; `data.fields` names it."""

    code = "FIELD_READ_ONLY"


class ContactBlocked(Forbidden):
    """The visitor is turned away; nothing of the profile changes."""

    code = "CONTACT_BLOCKED"


class TokenOfNobody(Unauthenticated):
    """The contact is a website's user, and who calls was never verified as that user: the token is from before."""

    code = "TOKEN_INVALID"


class OtherChannel(Conflict):
    """The contact belongs to another channel; its identity means nothing here."""


class KeyReused(Invalid):
    """The idempotency key came before, with other arguments."""

    code = "IDEMPOTENCY_KEY_REUSED"
