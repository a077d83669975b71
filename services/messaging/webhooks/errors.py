"""What is refused about webhooks, and how it is said."""

from services.common.errors import Conflict, Forbidden, Invalid, NotFound


def webhook_not_found(webhook_id: str) -> NotFound:
    """No webhook of that id, or it was deleted."""
    return NotFound(f"There is no webhook {webhook_id}.", code="WEBHOOK_NOT_FOUND")


def delivery_not_found(delivery_id: str) -> NotFound:
    """The webhook's log has no such delivery, or not any more."""
    return NotFound(f"The webhook has no delivery {delivery_id}.", code="DELIVERY_NOT_FOUND")


def not_an_admin() -> Forbidden:
    """Only admins say who is told."""
    return Forbidden("Webhooks are managed by admins.")


def too_many(maximum: int) -> Conflict:
    """Each webhook costs a write for each event."""
    return Conflict(f"There are {maximum} webhooks already; delete one first.")


def disabled() -> Conflict:
    """Nothing is sent to a disabled one."""
    return Conflict("The webhook is disabled; enable it first.")


def refused_url(reason: str) -> Invalid:
    """A target that requests may not be sent to."""
    return Invalid("Some values are not valid.", errors={"url": [reason]})


def unknown_channels(channel_ids: list[str]) -> Invalid:
    """Channels that aren't there."""
    return Invalid("Some values are not valid.", errors={"channel_ids": [f"There is no channel {each}." for each in channel_ids]})
