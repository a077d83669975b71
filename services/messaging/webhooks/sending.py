"""One attempt to deliver: signed, sent, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.common.outgoing import Guard, NotReached, post
from services.messaging.webhooks import domain, signing
from services.messaging.webhooks.domain import Outcome


def send(webhook: Mapping[str, Any], delivery: Mapping[str, Any], moment: datetime, guard: Guard, deadline: float) -> Outcome:
    """Send a delivery to its webhook and say what came of it, within `deadline` seconds."""
    body = delivery["body"].encode()
    headers = signing.make_headers(signing.secrets_in_use(webhook, moment), delivery["_id"], moment, body)
    try:
        answer = post(webhook["url"], body, headers, deadline_seconds=deadline, guard=guard)
    except NotReached as error:
        return Outcome(error=error.reason, untried=error.untried)
    if 200 <= answer.status <= 299:
        return Outcome(answer.status)
    return Outcome(answer.status, domain.describe(answer.status, answer.body), answer.headers.get("retry-after"))
