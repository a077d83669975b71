"""`webhooks replay`: sends a webhook's deliveries again, as POST /v1/webhooks/{id}/replay does."""

import argparse
from typing import Any

from deploy.ops.context import Context
from deploy.ops.errors import FINE
from deploy.ops.tables import count_of

# messaging lets admins alone, and no part of the system, send again.
ADMIN = {"kind": "agent", "id": None, "name": "Operator", "role": "admin"}


def add_parsers(commands: Any) -> None:
    """Add `webhooks`."""
    parser = commands.add_parser("webhooks", help="send a webhook's deliveries again")
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    replay = actions.add_parser("replay", help="those that failed, or the named ones")
    replay.add_argument("webhook", metavar="ID", help="the webhook")
    replay.add_argument(
        "--delivery", action="append", dest="deliveries", metavar="ID", help="this delivery; may be given several times"
    )
    replay.add_argument("--state", choices=("failed", "delivered"), default="failed", help="all that stand so (failed)")
    replay.add_argument("--since", metavar="TIME", help="only those noted since then: 2026-11-24T07:31:47Z")
    replay.set_defaults(run=replay_deliveries)


def replay_deliveries(options: argparse.Namespace) -> int:
    """Exit status 1 when messaging refuses."""
    with Context() as context:
        answer = context.call(
            "messaging",
            "replay_deliveries",
            webhook_id=options.webhook,
            delivery_ids=options.deliveries,
            state=options.state,
            since=options.since,
            actor=ADMIN,
        )
    print(f"{count_of(answer['replayed'], 'delivery', 'deliveries')} sent again.")
    return FINE
