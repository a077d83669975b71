"""How long a visitor waits for the bot's next message, at a steady rate."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.load.arrivals import poisson
from tests.load.bare.measures import Found
from tests.load.bare.run import bare_of
from tests.load.cost import cost_plot, cost_table, costing
from tests.load.exchange import Exchange, Load, request
from tests.load.lab import PAGE, PREPARING, Lab, World
from tests.load.latency import latency_figures, latency_plot, latency_row, latency_table
from tests.load.report import Column, Section, Value
from tests.load.stored import check_stored
from tests.load.stream import Stream
from tests.load.wire import Wire
from tests.support.product import ADMIN_EMAIL, PASSWORD

NAME = "bot"
RATES = (5.0, 20.0)
COUNTS = (100, 400)
WARM_UP = (20.0, 60)  # a second, so many
VISITORS = 60  # at 20/s everybody answers every three seconds
CONNECTIONS = 64
SEED = 20261201
STREAM_SECONDS = 60.0
MESSAGE = b"message.created"
RATE_COLUMN = Column("rate", "answers/s")
COST_TITLE = "Processor milliseconds for each answer and the bot's next question"
TITLE = "From the visitor's answer to the bot's next message"

TEXT = (
    f"{VISITORS} visitors with open streams answer a bot's questions in turns; what they answer is a field of their profile. Arrivals are "
    "independent of each other. Measured from the moment at which the visitor's POST was due until the bot's next question is on the "
    "visitor's stream. The answer, the bot's new position and its question are one write; the profile's field follows by an event. "
    "Afterwards each answer must have got exactly one question, and all must be stored.\n\n"
    "The floor is one of each bare operation, one after the other, with nothing else going on: HTTP request, call, journaled insert, "
    "confirmed and consumed broker message."
)


@dataclass
class Rows:
    """What was found so far, by table."""

    spans: list[dict[str, Value]] = field(default_factory=list)
    cost: list[dict[str, Value]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Talker(Stream):
    """A visitor in a conversation with the bot."""

    def __init__(self, session: dict[str, Any]) -> None:
        super().__init__(request("GET", "/v1/widget/events", token=session["visitor_token"]))
        self.token: str = session["visitor_token"]
        self.conversation_id: str = session["conversation"]["id"]
        self.messages: list[tuple[float, bytes]] = []

    def take(self, moment: float, name: bytes, event_id: bytes, data: bytes) -> None:
        """Keep a message."""
        if name == MESSAGE:
            self.messages.append((moment, data))

    def questions(self) -> dict[int, float]:
        """When each of the bot's messages came, by its number in the conversation."""
        told = [(moment, orjson.loads(data)) for moment, data in self.messages]
        return {message["seq"]: moment for moment, message in told if message["author"]["kind"] == "bot"}


def measure(lab: Lab) -> Section:
    """At each rate, on one fresh product."""
    rows = Rows()
    lab.say(f"{NAME}: starting a product")
    with lab.product() as world:
        floor = bare_of(lab, world, 1).together
        talkers = _invite(world, _open_channel(world))
        wire = Wire(world.url, CONNECTIONS)
        wire.attach(talkers)
        sent = _measure_rate(world, wire, talkers, WARM_UP, floor, Rows())
        for rate, count in zip(RATES, COUNTS, strict=True):
            lab.say(f"{NAME}: {rate:g} answers/s")
            sent += _measure_rate(world, wire, talkers, (rate, 20 if lab.quick else count), floor, rows)
        ids = [talker.conversation_id for talker in talkers]
        rows.faults += wire.detach() + check_stored(world.product.mongo("messaging"), ids, sent)
        wire.close()
    tables = [
        latency_table("Until the bot's message is on the visitor's stream", RATE_COLUMN, rows.spans),
        cost_table(COST_TITLE, RATE_COLUMN, rows.cost, "Idle work included, which weighs the more the lower the rate is."),
    ]
    plots = [
        latency_plot("bot-latency", TITLE, RATE_COLUMN, rows.spans),
        cost_plot("bot-cost", COST_TITLE, RATE_COLUMN, rows.cost),
    ]
    return Section(NAME, TITLE, TEXT, tables, rows.faults, plots, latency_figures("answer → the bot's next message", rows.spans))


def _open_channel(world: World) -> str:
    """A channel whose bot asks two questions in turns, for ever."""
    send = world.caller.send
    signed_in: Any = send("POST", "/v1/auth/token", {"email": ADMIN_EMAIL, "password": PASSWORD})
    admin = signed_in["access_token"]
    channel: Any = send("POST", "/v1/channels", {"kind": "web", "name": "Bot"}, admin)
    ask = {"type": "question", "kind": "text"}
    topic = ask | {"text": "What is it about?", "field": "topic", "next": "wish"}
    wish = ask | {"text": "And how can we help?", "field": "wish", "next": "topic"}
    send("PUT", f"/v1/channels/{channel['id']}/flow", {"start": "topic", "blocks": {"topic": topic, "wish": wish}}, admin)
    return str(channel["id"])


def _invite(world: World, channel_id: str) -> list[Talker]:
    path = f"/v1/widget/{channel_id}/session"
    with ThreadPoolExecutor(PREPARING) as pool:
        sessions: list[Any] = list(pool.map(lambda _: world.caller.send("POST", path, PAGE), range(VISITORS)))
    return [Talker(session) for session in sessions]


def _measure_rate(
    world: World, wire: Wire, talkers: Sequence[Talker], stage: tuple[float, int], floor: Found, rows: Rows
) -> list[Exchange]:
    rate, count = stage
    turns = [talkers[number % len(talkers)] for number in range(count)]
    requests = [
        request("POST", "/v1/widget/messages", token=talker.token, body=_answer(rate, count, number))
        for number, talker in enumerate(turns)
    ]
    for talker in talkers:
        talker.messages.clear()
    with costing(world) as cost:
        load = wire.open(list(zip(poisson(rate, count, seed=SEED), requests, strict=True)))
        # The visitor's own message comes, too.
        wire.wait_until(lambda: sum(len(each.messages) for each in talkers) >= 2 * len(load.confirmed), STREAM_SECONDS)
    spans, faults = _spans(load, turns)
    rows.spans.append(latency_row(rate, load, spans, floor))
    rows.cost.append({RATE_COLUMN.key: rate, **cost.of_each(count)})
    rows.faults += [f"at {rate:g}/s: {fault}" for fault in [*load.faults, *faults]]
    return load.confirmed


def _answer(rate: float, count: int, number: int) -> dict[str, str]:
    return {"text": f"It is about order {number}.", "client_message_id": f"answer-{rate:g}-{count}-{number}"}


def _spans(load: Load, turns: Sequence[Talker]) -> tuple[list[float], list[str]]:
    """Seconds until the bot's message behind each answer, which is written with it and so has the next number; and faults."""
    talkers = {talker.conversation_id: talker for talker in turns}
    questions = {key: talker.questions() for key, talker in talkers.items()}
    found = []
    for exchange in load.confirmed:
        moment = questions[turns[exchange.number].conversation_id].get(orjson.loads(exchange.body)["seq"] + 1)
        if moment is not None:
            found.append(moment - exchange.due)
    told = sum(len(talker.messages) for talker in talkers.values())
    faults = []
    if missing := len(load.confirmed) - len(found):
        faults.append(f"{missing} of {len(load.confirmed)} answers got no message of the bot")
    if told != 2 * len(load.confirmed):
        faults.append(f"{told} messages came on the streams, not two for each of {len(load.confirmed)} answers")
    return found, faults
