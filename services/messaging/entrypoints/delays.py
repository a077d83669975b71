"""Flows that go on by themselves: a bot that is silent for a time, as its delay block says."""

import random

from services.common.errors import Unavailable
from services.common.logs import get_logger
from services.common.outages import is_outage
from services.common.store import retry_stale
from services.common.timers import timer
from services.common.times import now
from services.messaging import handovers
from services.messaging.entrypoints.finders import Finders

log = get_logger(__name__)

LOOK_SECONDS = 0.5
AT_ONCE = 100
# More than this in one round is left to the next, and to the other replicas.
ROUNDS = 4


class Delays(Finders):
    """Every replica looks; a conversation is resumed by the one whose turn is written over its version, so exactly once."""

    @timer(interval=LOOK_SECONDS)
    def resume_flows(self) -> None:
        """Let the flows go on whose time of silence is over."""
        try:
            for _ in range(ROUNDS):
                due = self.store.find_due(now(), AT_ONCE)
                random.shuffle(due)  # replicas that find the same begin with different ones
                for conversation_id in due:
                    self._resume(conversation_id)
                if len(due) < AT_ONCE:
                    return
        except Exception as error:
            if not _passes(error):
                raise
            log.warning("flows_not_resumed", reason=type(error).__name__)

    def _resume(self, conversation_id: str) -> None:
        def resume() -> None:
            conversation = self._find_conversation(conversation_id)
            flow = self.store.find_flow(conversation["flow"]["id"])
            self.store.commit(handovers.resume(conversation, flow, facts=self._facts_of(conversation)))

        try:
            retry_stale(resume)
        except Exception as error:
            if _passes(error):
                raise
            # It must not hold up the others, whatever it is.
            log.exception("flow_not_resumed", conversation_id=conversation_id)
            self.store.postpone(conversation_id)


def _passes(error: Exception) -> bool:
    return is_outage(error) or isinstance(error, Unavailable)
