"""What those who run the product read."""

from marshmallow import fields

from gateway.schemas import base


class HealthSchema(base.Resource):
    """Whether the process wants requests."""

    status = base.one_of(
        "`draining` while it prepares to end, `disconnected` without a link to the broker.", "ok", "draining", "disconnected"
    )


class ServiceHealthSchema(base.Resource):
    """How one service stands."""

    service = fields.String(metadata={"description": "Its name."})
    instance = fields.String(metadata={"description": "Which of its replicas answered: host name and process id."})
    status = base.one_of("Whether it can do its work.", "ok", "degraded", "unavailable")
    database = fields.Boolean(metadata={"description": "Whether it reaches its database."})
    broker = fields.Boolean(metadata={"description": "Whether it reaches the broker."})
    events = fields.Boolean(metadata={"description": "Whether other services' events reach it."})
    outbox = fields.Boolean(
        metadata={"description": "Whether it gets its own events sent; false when that has stood still for 30 s."}
    )
    workers = fields.Boolean(metadata={"description": "Whether its workers get on; false when most of them hang."})
    version = fields.String(metadata={"description": "What runs."})
    detail = fields.String(metadata={"description": "Why it is unavailable."})


class ReadinessSchema(base.Resource):
    """How everything behind the gateway stands."""

    status = base.one_of("`ok` when requests can be served.", "ok", "unavailable")
    broker = base.truth("Whether the gateway reaches the message broker.")
    services = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(ServiceHealthSchema),
        required=True,
        metadata={"description": "Each service by name."},
    )
