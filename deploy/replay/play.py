"""One dialogue, played: the visitor's session and the agents' answers, each turn after the other side's last one was seen."""

import time

from deploy.replay.agent import Agent
from deploy.replay.client import Gateway
from deploy.replay.dialogues import Dialogue, Side
from deploy.replay.errors import OutOfTime, ReplayError, Stopped
from deploy.replay.inbox import Inbox, is_event, is_message
from deploy.replay.ledger import Posted, Record
from deploy.replay.persona import invent_persona
from deploy.replay.stage import Stage
from deploy.replay.visitor import Visitor

VISITOR = "the visitor"


class Play:
    """Plays one dialogue on a stage and keeps its record."""

    def __init__(self, stage: Stage, dialogue: Dialogue, number: int) -> None:
        self.record = Record(dialogue)
        self.visitor = Visitor(stage.gateway, stage.channel_id, invent_persona(number, dialogue.id))
        self._stage = stage
        self._gateway: Gateway = stage.gateway

    def run(self) -> None:
        """Play it to the end, or note in the record why that was not possible."""
        record = self.record
        try:
            self._talk()
            self._end()
            record.finished = True
        except Stopped:
            pass
        except ReplayError as error:
            record.error = str(error)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            record.error = f"an answer is not as described: {error!r}"
        if record.error:
            self._clear_up()
            record.finished = True
        self.visitor.stream.close()

    def collect(self) -> None:
        """Take what the streams have shown into the record: at the end of the run, so that late repeats count too."""
        if not self.record.conversation_id:
            return
        for reader, inbox in self._inboxes().items():
            self.record.seen[reader] = inbox.arrivals(self.record.conversation_id)

    def _talk(self) -> None:
        record, visitor, desk = self.record, self.visitor, self._stage.desk
        visitor.arrive()
        record.conversation_id = visitor.conversation_id
        record.fetched[VISITOR] = visitor.fetched_seq
        record.answers = visitor.pass_flow()
        visitor.await_agent()
        agent = desk.holder(record.conversation_id, self._gateway.timeout)
        last: Posted | None = None
        for turn in record.dialogue.turns:
            # The conversation may have gone to another agent meanwhile.
            agent = desk.holder(record.conversation_id, self._gateway.timeout)
            self._await_other_side(turn.side, last, agent)
            if turn.side == "visitor":
                last = visitor.say(turn.text, reader=agent.name)
            else:
                last = agent.say(record.conversation_id, turn.text, reader=VISITOR)
            record.turns.append(last)
        self._await_other_side("agent" if last and last.turn.side == "visitor" else "visitor", last, agent)
        agent.archive(record.conversation_id)

    def _await_other_side(self, side: Side, last: Posted | None, agent: Agent) -> None:
        if last is None or last.turn.side == side:
            return
        inbox = self.visitor.inbox if side == "visitor" else agent.inbox
        what = f"the {last.turn.side}'s message {last.seq}"
        inbox.wait_for(self.record.conversation_id, is_message(last.seq), what, self._gateway.timeout)

    def _end(self) -> None:
        """Wait until every stream has shown everything; what is missing in the end is for the verdict to say."""
        record = self.record
        deadline = time.monotonic() + self._gateway.timeout

        def wait(inbox: Inbox, *numbers: int) -> None:
            for seq in numbers:
                left = deadline - time.monotonic()
                inbox.wait_for(record.conversation_id, is_message(seq), f"message {seq}", left)

        inboxes = self._inboxes()
        try:
            for inbox in inboxes.values():
                archived = is_event("conversation.archived")
                inbox.wait_for(record.conversation_id, archived, "the archiving", deadline - time.monotonic())
        except OutOfTime:
            pass
        record.stored = self._stage.desk.holder(record.conversation_id, 0).read_transcript(record.conversation_id)
        try:
            for reader, inbox in inboxes.items():
                fetched = record.fetched.get(reader, 0)
                wait(inbox, *(message["seq"] for message in record.stored if message["seq"] > fetched))
        except OutOfTime:
            pass

    def _clear_up(self) -> None:
        """After a failure: free the agent for the other dialogues, and read what is stored, for the verdict."""
        if not self.record.conversation_id:
            return
        agent = self._stage.agents[0]
        try:
            self.record.stored = agent.read_transcript(self.record.conversation_id)
            agent.archive(self.record.conversation_id)
        except (ReplayError, KeyError, TypeError):
            # The dialogue has failed with a better reason already.
            pass

    def _inboxes(self) -> dict[str, Inbox]:
        return {VISITOR: self.visitor.inbox, **{agent.name: agent.inbox for agent in self._stage.agents}}
