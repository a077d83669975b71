"""A channel's Messenger settings: what is kept, what is shown of it, and how a change of them is taken over; pure."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from services.common.validation import Arguments
from services.messaging.messenger.answers import Refusal

Document = dict[str, Any]

SECRETS = ("page_access_token", "app_secret", "verify_token")
NONE: Document = {"page_id": None, **dict.fromkeys(SECRETS), "human_agent_tag": False, "fault": None}
# What fails until somebody changes the settings.
NOT_CONFIGURED = Refusal("token", "NOT_CONFIGURED", "The channel has no page access token.")

_SECRET = validate.Regexp(r"^[\x21-\x7e]{1,1000}\Z", error="1 to 1,000 printable ASCII characters without blanks.")


class MessengerSettings(Arguments):
    """What can be set; a secret is never shown again. None takes a value away."""

    page_id = fields.String(
        allow_none=True, validate=validate.Regexp(r"^[0-9]{1,32}\Z", error="Not the id of a page: digits alone.")
    )
    page_access_token = fields.String(allow_none=True, validate=_SECRET)
    app_secret = fields.String(allow_none=True, validate=_SECRET)
    verify_token = fields.String(allow_none=True, validate=_SECRET)
    human_agent_tag = fields.Boolean()


def of_new_channel(kind: str, wanted: Mapping[str, Any] | None) -> Document | None:
    """What a new channel keeps; None for one of another kind."""
    return change({}, wanted or {}) if kind == "messenger" else None


def change(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> Document:
    """The settings with what is wanted. Another token or secret is another chance: what failed with the last one is forgotten."""
    changed = NONE | dict(kept) | dict(wanted)
    if renews_access(kept, changed):
        changed["fault"] = None
    return changed


def renews_access(kept: Mapping[str, Any], changed: Mapping[str, Any]) -> bool:
    """Whether a change gives the channel's calls to Facebook another chance."""
    return any(changed.get(name) != kept.get(name) for name in ("page_access_token", "app_secret", "page_id"))


def of_channel(channel: Mapping[str, Any]) -> Document:
    """A channel's settings, each at its default where nobody set it."""
    return NONE | (channel.get("messenger") or {})


def without_secrets(channel: Mapping[str, Any]) -> Document | None:
    """What remains with a channel that is deleted; None for one of another kind."""
    return of_channel(channel) | dict.fromkeys(SECRETS) | {"fault": None} if channel["kind"] == "messenger" else None


def view(channel: Mapping[str, Any]) -> Document | None:
    """What everybody may see."""
    if channel["kind"] != "messenger":
        return None
    kept = of_channel(channel)
    shown = {f"has_{name}": kept[name] is not None for name in SECRETS}
    return {"page_id": kept["page_id"], **shown, "human_agent_tag": kept["human_agent_tag"], "fault": kept["fault"]}
