"""Teams: named groups of agents."""

from typing import Any

from marshmallow import fields, validate

from gateway.schemas import base

MAX_MEMBERS = 1_000


def _members(**options: Any) -> fields.List[Any]:
    return fields.List(
        fields.String(validate=base.Pattern(base.ID_PATTERN, "Not an identifier.")),
        validate=validate.Length(max=MAX_MEMBERS),
        metadata={
            "description": "The agents, each of whom must exist; their order is kept.",
            "examples": [[base.EXAMPLE_ID]],
        },
        **options,
    )


class TeamSchema(base.Resource):
    """A named group of agents, for assign blocks and requests that are not for everybody."""

    id = base.said("The team's id.", base.EXAMPLE_ID)
    name = base.said("The team's name.", "Sales")
    agent_ids = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Its agents, in the order given; closed accounts stay in.", "examples": [[base.EXAMPLE_ID]]},
    )
    created_at = base.moment("When it was made.")
    version = base.version()


TeamPageSchema = base.page_of(TeamSchema, "Team")


class NewTeamSchema(base.Request):
    """A team to be created."""

    name = base.text("The team's name, unlike any other's regardless of case.", "Sales", maximum=100, required=True)
    agent_ids = _members(load_default=list)


class TeamChangesSchema(base.Request):
    """What of a team can change."""

    name = base.text("The team's name, unlike any other's regardless of case.", "Sales", maximum=100)
    agent_ids = _members()
