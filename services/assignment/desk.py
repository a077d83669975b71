"""The desk: where every change of an assignment is decided, one turn at a time, on what was loaded for it. Pure.

A turn is one command (a request, an archived conversation, a hand, news of an agent) and then `drain`, which serves the line
from its head. A request is a command that joins the line, so nobody overtakes: it gets an agent in the same turn exactly when
nobody ahead of it wants one of the agents that are free.

Two things are heard of a conversation, each with a guard of its own, since events arrive in any order: its commands (`heard`),
and whether its visitor awaits an answer (`awaiting_version`).
"""

from dataclasses import replace
from datetime import datetime

from services.assignment.agents import Agent, Assignee
from services.assignment.domain import NO_WISH, UNCHECKED, WAIT, Actor, Assignment, Wish
from services.assignment.errors import already_assigned
from services.assignment.reassignment import Terms, find_overdue
from services.assignment.serving import Serving


class Desk(Serving):
    """Every command."""

    def request(self, conversation_id: str, version: int, wish: Wish) -> None:
        """Join the line; one who is in it keeps the place, one who has an agent keeps the agent unless it is to be released."""
        current = self._hear(conversation_id, version, wish.channel_id, wish.contact_id, awaiting=wish.requested_at)
        if current is None:
            return
        if current.state == "assigned":
            if not wish.release:
                self._tell_again(current)
                return
            self._free(current, self._clock())
            current = replace(current, agent=None, assigned_at=None)
        wanted = replace(
            current,
            state="queued",
            requested_by=wish.requested_by,
            strategy=wish.strategy,
            allowed=wish.allowed,
            team_id=wish.team_id,
            unavailable=wish.unavailable,
        )
        if current.state == "queued":
            self._put(replace(wanted, visitor_seen_at=wish.requested_at))
            if wish.unavailable == WAIT:
                self._tell_again(current)
                return
        else:
            self._join(replace(wanted, requested_at=wish.requested_at, priority=wish.priority))
        self._asking.add(conversation_id)

    def close(self, conversation_id: str, version: int, channel_id: str, contact_id: str, actor: Actor | None = None) -> None:
        """The conversation was archived: its agent is free of it."""
        unknown = conversation_id not in self.assignments
        current = self._hear(conversation_id, version, channel_id, contact_id)
        if current is None or current.state == "closed":
            return
        if unknown:  # remembered, so that an older request that comes late finds it closed
            self._put(replace(current, state="closed"))
            return
        by = f" by {actor.label}" if actor else ""
        self._leave(current, "closed", actor, "archive", f"The conversation was archived{by}.")

    def take(self, conversation_id: str, version: int, channel_id: str, contact_id: str, taker: Assignee) -> None:
        """An agent wrote into a conversation that nobody had; if somebody has it by now, they keep it."""
        current = self._hear(conversation_id, version, channel_id, contact_id)
        if current is None:
            return
        if current.agent is None:
            self._give_writer(current, taker, f"{taker.name} wrote into the conversation.")
        elif current.agent.id != taker.id:
            self._tell_again(current)

    def give_back(self, conversation_id: str, version: int, channel_id: str, contact_id: str, actor: Actor) -> None:
        """The conversation is the bot's again."""
        current = self._hear(conversation_id, version, channel_id, contact_id)
        if current is not None and current.state in {"queued", "assigned"}:
            self._leave(current, "returned", actor, "return", f"Handed back to the bot by {actor.label}.")

    def assign(
        self,
        conversation_id: str,
        channel_id: str,
        contact_id: str,
        agent_id: str,
        actor: Actor,
        *,
        expected: str | None = UNCHECKED,
        remark: str | None = None,
    ) -> None:
        """By hand, to anyone, whatever their load; also reopens a closed assignment. What was wished before is over.

        Raises ALREADY_ASSIGNED when another has it than `expected`.
        """
        current = self.assignments.get(conversation_id) or Assignment(conversation_id, channel_id, contact_id)
        agent = self.agents[agent_id]
        if current.agent is not None and current.agent.id == agent_id:
            return
        _check_expected(current, expected)
        if current.agent is not None:
            reason = f"Moved from {current.agent.name} to {agent.name} by {actor.label}."
        else:
            reason = f"Assigned to {agent.name} by {actor.label}."
        self._give(replace(current, **NO_WISH), agent_id, actor, "manual", reason, remark=remark)

    def unassign(
        self, conversation_id: str, actor: Actor, *, expected: str | None = UNCHECKED, remark: str | None = None
    ) -> None:
        """By hand: nobody has it, and it does not wait either. Raises ALREADY_ASSIGNED when another has it than `expected`."""
        current = self.assignments[conversation_id]
        if current.state in {"queued", "assigned"}:
            _check_expected(current, expected)
            self._leave(current, "unassigned", actor, "manual", f"Unassigned by {actor.label}.", remark=remark)

    def leave(self, conversation_id: str, actor: Actor) -> None:
        """The visitor waits no longer; one who does not stand in line changes nothing."""
        current = self.assignments[conversation_id]
        if current.state == "queued":
            self._leave_line(current, actor, "visitor_left", "The visitor stopped waiting.")

    def leave_absent(self, conversation_id: str, seen_until: datetime) -> None:
        """The visitor was last seen at that moment or before, and is taken out of the line."""
        current = self.assignments.get(conversation_id)
        if current is None or current.state != "queued" or current.visitor_seen_at is None:
            return
        if current.visitor_seen_at <= seen_until:
            self._leave_line(current, None, "visitor_absent", "The visitor is not there any more.")

    def hear_awaited(self, conversation_id: str, version: int, channel_id: str, contact_id: str, since: datetime) -> None:
        """The visitor wrote and awaits an answer."""
        current = self._find(conversation_id, channel_id, contact_id)
        if version > current.awaiting_version:
            self._put(replace(current, awaiting_version=version, awaiting_since=since))

    def hear_answer(self, conversation_id: str, version: int, channel_id: str, contact_id: str, writer: Assignee) -> None:
        """An agent answered the visitor. What was returned to the line meanwhile is that agent's again."""
        current = self._find(conversation_id, channel_id, contact_id)
        if version <= current.awaiting_version:
            return
        current = replace(current, awaiting_version=version, awaiting_since=None)
        self._put(current)
        if current.state == "queued" and current.returned:
            self._give_writer(current, writer, f"{writer.name} answered before anybody else had it.")

    def requeue(self, conversation_id: str, terms: Terms, moment: datetime) -> None:
        """Return the conversation to the head of the line if its agent has let the visitor wait too long at that moment.

        Who did not answer lets it pass until their next shift.
        """
        current = self.assignments.get(conversation_id)
        holder = self.agents.get(current.agent.id) if current is not None and current.agent is not None else None
        if current is None or holder is None or (overdue := find_overdue(current, holder, terms, moment)) is None:
            return
        marks = {agent.mark for agent in self.agents.values()}
        passed = [mark for mark in current.passed if mark in marks]  # the others' shifts are over
        if overdue.rule == "agent_silent":
            passed.append(holder.mark)
        now = self._clock()
        self._free(current, now)
        self._join(
            replace(
                current,
                state="queued",
                agent=None,
                assigned_at=None,
                requested_at=now,
                returned=True,
                unavailable=WAIT,
                passed=tuple(passed),
            )
        )
        self._tell(current, "requeued", None, overdue.rule, overdue.reason, moment=now)

    def _find(self, conversation_id: str, channel_id: str, contact_id: str) -> Assignment:
        return self.assignments.get(conversation_id) or Assignment(conversation_id, channel_id, contact_id)

    def _hear(
        self, conversation_id: str, version: int, channel_id: str, contact_id: str, awaiting: datetime | None = None
    ) -> Assignment | None:
        """The assignment as it stands, having noted the conversation's version; None when that one is no news."""
        current = self._find(conversation_id, channel_id, contact_id)
        if version <= current.heard:
            return None
        current = replace(current, heard=version)
        if version > current.awaiting_version:
            current = replace(current, awaiting_version=version, awaiting_since=awaiting)
        self._put(current)
        return current

    def _join(self, assignment: Assignment) -> None:
        self._put(replace(assignment, visitor_seen_at=assignment.requested_at))
        self.joined.add(assignment.conversation_id)

    def _leave_line(self, current: Assignment, actor: Actor | None, rule: str, reason: str) -> None:
        self._leave(current, "left", actor, rule, reason)

    def _give_writer(self, current: Assignment, writer: Assignee, reason: str) -> None:
        agent = self.agents.setdefault(writer.id, Agent(writer.id, writer.name))
        self._give(current, agent.id, Actor("agent", writer.id, writer.name), "take", reason)


def _check_expected(current: Assignment, expected: str | None) -> None:
    has = current.agent.id if current.agent is not None else None
    if expected not in {UNCHECKED, has}:
        raise already_assigned(current.agent)
