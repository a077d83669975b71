"""The routes of the API, by noun."""

from flask_smorest import Api

from gateway.routes import (
    agents,
    assignments,
    auth,
    bot,
    channels,
    contacts,
    conversations,
    flows,
    messages,
    messenger,
    notes,
    operations,
    teams,
    tickets,
    tokens,
    webhooks,
    widget,
)

# In the order in which the documentation shows them.
NOUNS = (
    auth,
    agents,
    teams,
    channels,
    flows,
    conversations,
    messages,
    assignments,
    contacts,
    notes,
    tickets,
    widget,
    bot,
    tokens,
    webhooks,
    messenger,
    operations,
)


def register(api: Api) -> None:
    """Add them all."""
    for noun in NOUNS:
        api.register_blueprint(noun.blueprint)
