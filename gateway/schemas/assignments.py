"""Who has a conversation, who had it and why, who waits, and how an agent is looked for."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from gateway.schemas import base

STRATEGIES = ("least_busy", "round_robin", "random")
PRIORITIES = ("high", "normal", "low")
NOBODY = "none"
MAX_REMARK = 500
MAX_NAMED_AGENTS = 200
REASON = "Ada Lovelace has the fewest conversations."
ACTIONS = "`assigned`, `queued`, `requeued` (back in line), `unassigned`, `returned` (to the bot), `left` (the line) or `closed`."
RULES = (
    "Automatic: `least_busy`, `round_robin`, `random`. By somebody: `manual`, `take`, `return`, `archive`. Back in line: "
    "`agent_disconnected`, `agent_silent`. Out of it: `visitor_left`, `visitor_absent`."
)
OBSTACLES = (
    "Why not, the first that holds: `not_asked` (others are named), `not_in_team`, `inactive`, `disconnected`, `reconnecting` "
    "(a moment without any stream), `busy`, `at_capacity`, `let_it_pass` (had this one and did not answer); null when eligible."
)


class AssigneeSchema(base.Request):
    """Who shall have the conversation."""

    agent_id = base.identifier("The agent: the caller or another one, also one who is busy, away or at capacity.", required=True)
    expected_assignee_id = base.identifier(
        "Who has it as far as you know, null for nobody: refused with `ALREADY_ASSIGNED` when that is no longer so. "
        "Without it, what holds when the request arrives is expected.",
        allow_none=True,
    )
    remark = base.text(
        "Why, for whoever gets it; kept with the decision.", "Knows the customer.", maximum=MAX_REMARK, allow_none=True
    )


class UnassignQuery(base.Request):
    """Whom it is taken from, and why."""

    expected_assignee_id = base.QueryText(
        validate=base.Pattern("^[A-Za-z0-9_-]{0,64}$", "Not an identifier."),
        metadata={
            "description": "Who has it as far as you know, `none` for nobody: refused with `ALREADY_ASSIGNED` when that is no "
            "longer so. Without it, what holds when the request arrives is expected.",
            "examples": [base.EXAMPLE_ID],
        },
    )
    remark = base.QueryText(
        validate=base.Pattern(r"^[^\u0000]{0,500}$", f"At most {MAX_REMARK} characters, without NUL."),
        metadata={"description": "Why; kept with the decision.", "examples": ["Went home."]},
    )


class WishesSchema(base.Request):
    """How to look for an agent."""

    strategy = base.choice(
        "How to choose among those who are eligible: who has the fewest conversations, who has had none for the longest time, "
        "or by chance.",
        *STRATEGIES,
        allow_none=True,
    )
    agents = fields.List(
        fields.String(validate=base.Pattern(base.ID_PATTERN, "Not an identifier.")),
        allow_none=True,
        validate=validate.Length(1, MAX_NAMED_AGENTS),
        metadata={"description": "Among whom to choose: these agents. Excludes `team`.", "examples": [[base.EXAMPLE_ID]]},
    )
    team = base.identifier("Among whom to choose: the agents of this team. Excludes `agents`.", allow_none=True)
    priority = base.choice(
        "Who waits with a higher one is served first; within one, whoever asked first. What an agent could not go on with "
        "comes before all of them.",
        *PRIORITIES,
    )

    @validates_schema
    def check_among_whom(self, data: dict[str, Any], **_: Any) -> None:
        """Named agents or a team."""
        if data.get("agents") is not None and data.get("team") is not None:
            raise ValidationError("Give either agents or a team.", "team")


class AssignmentRequestSchema(WishesSchema):
    """How to look for an agent: by default the least busy of all, with normal priority."""

    optional_body = True


class SimulationRequestSchema(WishesSchema):
    """For which channel to ask, and what to ask instead of what its flow would."""

    channel_id = base.identifier("The channel.", required=True)
    block = fields.String(
        allow_none=True,
        validate=base.Pattern(base.ID_PATTERN, "A block's name has 1 to 64 letters, digits, _ or -."),
        metadata={
            "description": "The assign block of its flow whose wishes hold; the first one on the way from the start unless given.",
            "examples": ["handover"],
        },
    )


def _queue_position() -> fields.Integer:
    return base.count("The place in line, 1 being next; null when it doesn't wait.", 3, minimum=1, allow_none=True)


def _estimated_wait() -> fields.Integer:
    return base.count(
        "How long it will probably take from now on; null when it doesn't wait or too little is known.", 240, allow_none=True
    )


class AssignmentSchema(base.Resource):
    """Who has a conversation now."""

    conversation_id = base.said("The conversation.", base.EXAMPLE_ID)
    state = base.one_of("How it stands.", "unassigned", "queued", "assigned", "closed")
    assignee = fields.Nested(base.PersonSchema, required=True, allow_none=True)
    queue_position = _queue_position()
    estimated_wait_seconds = _estimated_wait()
    requested_at = base.moment("Since when it waits; null when it doesn't.", allow_none=True)
    priority = base.one_of("With which priority it waits; null when it doesn't.", *PRIORITIES, allow_none=True)
    returned = base.truth("Whether it waits at the head of the line because its agent could not go on with it.")
    changed_at = base.moment("Since when it stands so.")
    version = base.version(minimum=0)  # 0: nobody was ever asked for


class CandidateSchema(base.Resource):
    """An agent who was considered, as they stood then."""

    agent_id = base.said("The agent.", base.EXAMPLE_ID)
    name = base.said("The agent's name.", "Ada Lovelace")
    eligible = base.truth("Whether the agent could get it.")
    reason = base.said(OBSTACLES, "busy", allow_none=True)
    load_ = base.count("How many conversations the agent had.", 2, data_key="load")
    capacity = base.count("How many the agent can have.", 4)
    rank = base.count("The place in the ordering; 1 is the first.", 1, minimum=1, allow_none=True)
    last_assigned_at = base.moment("When the agent last got one.", allow_none=True)


def _candidates() -> fields.List[Any]:
    return fields.List(
        fields.Nested(CandidateSchema),
        required=True,
        metadata={"description": "Of automatic choices: the agents who were considered, the eligible ones first, at most 100."},
    )


def _ordering() -> fields.List[Any]:
    return fields.List(
        fields.String(),
        required=True,
        metadata={
            "description": "By what the eligible ones were ordered.",
            "examples": [["load", "last_assigned_at", "agent_id"]],
        },
    )


def _seed() -> fields.Integer:
    return base.count("What the chance of `random` came from; repeats the draw.", 7, allow_none=True)


class DecisionSchema(base.Resource):
    """One recorded decision about who has a conversation."""

    id = base.said("The decision's id.", base.EXAMPLE_ID)
    conversation_id = base.said("The conversation.", base.EXAMPLE_ID)
    seq = base.count("Its number within the conversation.", 1, minimum=1)
    at = base.moment("When it was made.")
    action = base.said(ACTIONS, "assigned")
    actor = fields.Nested(
        base.AuthorSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Who did it or asked for it; null when a rule alone did."},
    )
    rule = base.said(RULES, "least_busy")
    reason = base.said("Why, in a sentence for people.", REASON, allow_none=True)
    remark = base.said("What whoever did it by hand remarked.", "Knows the customer.", allow_none=True)
    assignee = fields.Nested(
        base.PersonSchema, required=True, allow_none=True, metadata={"description": "Who has it from then on."}
    )
    waited_seconds = base.count("On leaving the line: how long it had waited.", 212, allow_none=True)
    estimated_wait_seconds = base.count(
        "The estimate that was told on joining the line; on leaving it that same one, beside the wait that came true.",
        240,
        allow_none=True,
    )
    candidates = _candidates()
    ordering = _ordering()
    seed = _seed()


DecisionPageSchema = base.page_of(DecisionSchema, "Decision")


class SimulationSchema(base.Resource):
    """Who would get a conversation of the channel at this moment, and why. Nothing was assigned."""

    channel_id = base.said("The channel.", base.EXAMPLE_ID)
    block = base.said("The assign block whose wishes were taken; null without any.", "handover", allow_none=True)
    open = base.truth("Whether the channel's business hours are on.")
    opens_at = base.moment("When they begin next; null while they are on, or when they never do.", allow_none=True)
    outcome = base.one_of(
        "`assigned` to `assignee`, `queued` at `queue_position`, or `unavailable`: the flow would go its other way.",
        "assigned",
        "queued",
        "unavailable",
    )
    assignee = fields.Nested(base.PersonSchema, required=True, allow_none=True, metadata={"description": "Who would get it."})
    rule = base.said("The strategy, or `business_hours` when the channel is closed and the flow goes another way.", "least_busy")
    reason = base.said("Why, in a sentence for people.", REASON, allow_none=True)
    candidates = _candidates()
    ordering = _ordering()
    seed = _seed()
    queue_position = _queue_position()
    estimated_wait_seconds = _estimated_wait()
    at = base.moment("As of when.")


class QueueItemSchema(base.Resource):
    """A conversation that waits for an agent."""

    conversation_id = base.said("The conversation.", base.EXAMPLE_ID)
    channel_id = base.said("Its channel.", base.EXAMPLE_ID)
    contact_id = base.said("Who waits.", base.EXAMPLE_ID)
    position = base.count("1 is next.", 1, minimum=1)
    requested_at = base.moment("Since when it waits.")
    priority = base.one_of("With which priority.", *PRIORITIES)
    returned = base.truth("Whether it is back at the head of the line because its agent could not go on with it.")
    reason = base.said("Why it waits, in a sentence for people.", "All who could be asked are at capacity.", allow_none=True)
    estimated_wait_seconds = base.count("How long it will probably take from now on.", 240, allow_none=True)
    agents = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "The agents whom it waits for, if some are named."},
    )
    team_id = base.said("The team that it waits for, if one is named.", base.EXAMPLE_ID, allow_none=True)


QueuePageSchema = base.page_of(QueueItemSchema, "Queue")
