"""Why an agent counts as connected, or not."""

from marshmallow import fields

from gateway.schemas import base

CAUSES = ("stream_opened", "stream_renewed", "stream_closed", "lease_expired", "deactivated")


class ConnectionSchema(base.Resource):
    """One event stream of the agent: a lease that its gateway renews."""

    id = base.said("The lease's id.", base.EXAMPLE_ID)
    kind = base.one_of("Server-Sent Events, or a WebSocket.", "sse", "ws")
    gateway_id = base.said("The gateway process that holds the stream.", base.EXAMPLE_ID)
    state = base.one_of(
        "`open`; `grace`: closed a moment ago, as by a reload; `overdue`: should have been renewed by now, and runs out soon.",
        "open",
        "grace",
        "overdue",
    )
    opened_at = base.moment("When the stream began.")
    renewed_at = base.moment("The last sign of its gateway.")
    expires_at = base.moment("When it runs out unless renewed.")
    age_seconds = base.count("How long ago it began.", 312)


class ConnectionChangeSchema(base.Resource):
    """One turn of an agent's `connected`."""

    at = base.moment("When.")
    connected = base.truth("What it became.")
    cause = base.one_of(
        "`stream_opened`; `stream_renewed`: by the renewal of a stream that was not known; `stream_closed`: the last one was closed, "
        "and no other came within the grace; `lease_expired`: its gateway gave no more sign; `deactivated`: the account was closed.",
        *CAUSES,
    )
    connection_id = base.said("The stream that caused it, where one did.", base.EXAMPLE_ID, allow_none=True)


class PresenceSchema(base.Resource):
    """How an agent stands, and by which evidence."""

    agent_id = base.said("The agent.", base.EXAMPLE_ID)
    connected = base.truth("Whether at least one stream is open, or was a moment ago.")
    reachable = base.truth("Whether one is open now. Who is connected and not reachable is reloading, and is assigned nothing.")
    explanation = base.said("All this in a sentence for people.", "Connected: 2 open streams, last renewed 4 s ago.")
    availability = base.one_of("The agent's own choice, which outlives connections.", "available", "busy")
    availability_since = base.moment("Since when.")
    availability_set_by = fields.Nested(
        base.AuthorSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Who chose it: the agent, or an administrator; null when nobody ever did."},
    )
    connections = fields.List(fields.Nested(ConnectionSchema), required=True, metadata={"description": "Newest first."})
    last_change = fields.Nested(
        ConnectionChangeSchema,
        required=True,
        allow_none=True,
        metadata={"description": "When and why `connected` last turned; null when it never did."},
    )
    recent_changes = fields.List(
        fields.Nested(ConnectionChangeSchema), required=True, metadata={"description": "The last ones, newest first, at most 20."}
    )
    as_of = base.moment("When this was so.")
