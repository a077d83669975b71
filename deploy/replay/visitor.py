"""A visitor as the website's widget plays one: a session, its own event stream, the bot's questions, then the talk."""

from uuid import uuid4

from deploy.replay.client import Clock, Gateway
from deploy.replay.dialogues import Turn
from deploy.replay.flow import EMAIL_QUESTION, NAME_QUESTION
from deploy.replay.inbox import Arrival, Inbox
from deploy.replay.ledger import Posted
from deploy.replay.persona import Persona
from deploy.replay.stream import Stream


class Visitor:
    """One visitor of one channel; `conversation_id` is known once `arrive` has returned."""

    def __init__(self, gateway: Gateway, channel_id: str, persona: Persona) -> None:
        self.persona = persona
        self.inbox = Inbox("the visitor", gateway.stop)
        self.conversation_id = ""
        # The messages up to this number were fetched; the stream must show every later one.
        self.fetched_seq = 0
        self._gateway = gateway
        self._channel_id = channel_id
        self._fetched: list[str] = []
        self._token = ""
        self._headers = {"X-Forwarded-For": persona.address, "User-Agent": persona.user_agent}
        self.stream = Stream(gateway, "/v1/widget/events", self.inbox, token=lambda: self._token, headers=self._headers)

    def arrive(self) -> None:
        """Open the session and the stream, then fetch what was said before the stream began."""
        page = {"url": self.persona.url, "title": self.persona.title, "referrer": self.persona.referrer}
        session = self._gateway.call(
            "POST",
            f"/v1/widget/{self._channel_id}/session",
            {**page, "locale": self.persona.locale},
            headers={**self._headers, "Idempotency-Key": uuid4().hex},
        )
        self._token = session["visitor_token"]
        self.conversation_id = session["conversation"]["id"]
        self.stream.open(self._gateway.timeout)
        page_of = self._gateway.call("GET", "/v1/widget/messages", token=self._token, headers=self._headers)
        self.fetched_seq = max((message["seq"] for message in page_of["items"]), default=0)
        self._fetched = [message["text"] for message in page_of["items"]]

    def pass_flow(self) -> list[Posted]:
        """Answer the bot's questions, each after it was asked."""
        answers = []
        for question, answer in ((NAME_QUESTION, self.persona.name), (EMAIL_QUESTION, self.persona.email)):
            self._await_question(question)
            answers.append(self.say(answer, reader="the bot"))
        return answers

    def await_agent(self) -> None:
        """Return when the stream has shown that an agent has the conversation."""
        self.inbox.wait_for(
            self.conversation_id,
            lambda arrival: arrival.name.startswith("conversation.") and arrival.data.get("handler") == "agent",
            "that an agent was assigned",
            self._gateway.timeout,
        )

    def say(self, text: str, reader: str) -> Posted:
        """Post one turn that `reader` is to see; returns when the gateway has accepted it."""
        client_message_id = uuid4().hex
        clock = Clock()
        message = self._gateway.call(
            "POST",
            "/v1/widget/messages",
            {"text": text, "client_message_id": client_message_id},
            token=self._token,
            headers=self._headers,
            clock=clock,
        )
        return Posted(Turn("visitor", text), message["id"], message["seq"], client_message_id, reader, clock.at)

    def _await_question(self, text: str) -> None:
        def asks(arrival: Arrival) -> bool:
            return arrival.name == "message.created" and arrival.data.get("text") == text

        if text not in self._fetched:
            self.inbox.wait_for(self.conversation_id, asks, f'the bot\'s question "{text}"', self._gateway.timeout)
