"""What messaging refuses, and how it says so."""

from services.common.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


def channel_not_found(channel_id: str) -> NotFound:
    """No channel of that id, or it was deleted."""
    return NotFound(f"There is no channel {channel_id}.", code="CHANNEL_NOT_FOUND")


def flow_not_found(version: int | None = None) -> NotFound:
    """The channel has no flow, or never had that version."""
    which = "no flow" if version is None else f"no flow of version {version}"
    return NotFound(f"The channel has {which}.", code="FLOW_NOT_FOUND")


def flow_changed(flow_version: int | None) -> Conflict:
    """Somebody else put another flow since the caller looked."""
    present = "has none now" if flow_version is None else f"is at version {flow_version} now"
    return Conflict(f"The channel's flow {present}.", code="FLOW_CHANGED", data={"flow_version": flow_version})


def conversation_not_found(conversation_id: str) -> NotFound:
    """No conversation of that id."""
    return NotFound(f"There is no conversation {conversation_id}.", code="CONVERSATION_NOT_FOUND")


def no_conversation_of(contact_id: str) -> NotFound:
    """The contact never began one."""
    return NotFound(f"The contact {contact_id} has no conversation.", code="CONVERSATION_NOT_FOUND")


def contact_unknown(contact_id: str) -> NotFound:
    """A visitor without a session."""
    return NotFound(f"There is no contact {contact_id}.", code="CONTACT_NOT_FOUND")


def contact_blocked() -> Forbidden:
    """A blocked visitor's posts are refused."""
    return Forbidden("This visitor has been blocked.", code="CONTACT_BLOCKED")


def token_of_nobody() -> Unauthenticated:
    """The contact is a website's user, and who calls was never verified as that user: the token is from before."""
    return Unauthenticated("This token is from before the visitor signed in: begin a session again.", code="TOKEN_INVALID")


def conversation_archived(conversation_id: str) -> Conflict:
    """What is archived takes no further messages."""
    return Conflict(f"The conversation {conversation_id} is archived; reopen it first.", code="CONVERSATION_ARCHIVED")


def open_elsewhere() -> Conflict:
    """A contact has at most one open conversation."""
    return Conflict("The contact has another open conversation.", code="CONVERSATION_OPEN_ELSEWHERE")


def channel_in_use(count: int) -> Conflict:
    """A channel with open conversations can't be deleted."""
    return Conflict(f"The channel has {count} open conversations; archive them first.", code="CHANNEL_IN_USE")


def client_message_id_reused() -> Invalid:
    """The same client_message_id with another text or author."""
    return Invalid(
        "This client_message_id was used for another message.",
        code="CLIENT_MESSAGE_ID_REUSED",
        errors={"client_message_id": ["Already used for another message of this conversation."]},
    )


def idempotency_key_reused() -> Invalid:
    """The same key with other arguments."""
    return Invalid("This Idempotency-Key was used with other values.", code="IDEMPOTENCY_KEY_REUSED")


def identity_not_verified(text: str) -> Forbidden:
    """Somebody says to be a website's signed-in user, and the website doesn't."""
    return Forbidden(text, code="IDENTITY_NOT_VERIFIED")


def no_assign_block(name: str) -> Invalid:
    """Only an assign block's wish can be shown."""
    return Invalid("Some values are not valid.", errors={"block": [f"The channel's flow has no assign block {name}."]})


def invalid_flow(problems: dict[str, list[str]]) -> Invalid:
    """Every problem of a flow with its place."""
    return Invalid("The flow has problems.", code="INVALID_FLOW", errors=problems)


def not_messenger() -> Invalid:
    """Only a channel of that kind has Messenger's settings."""
    return Invalid("Some values are not valid.", errors={"messenger": ["Only a channel of kind messenger has them."]})


def page_taken() -> Invalid:
    """A Facebook page belongs to one channel."""
    return Invalid("Some values are not valid.", errors={"messenger.page_id": ["Another channel has this page."]})
