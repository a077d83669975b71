"""How a turn ends: the line is served from its head, and everybody concerned is told. Pure.

The line is read a page at a time. A page that serves somebody ends the turn, or a long line would make one long turn; what
more can be served is left to the turn that follows at once and begins at the head again. A page that serves nobody is
passed over in the same turn. So no turn is without progress, and nobody is looked at before those ahead were.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.assignment.agents import Agent, Assignee, Team
from services.assignment.choice import ORDERING, Choice, choose
from services.assignment.domain import NO_WISH, OUTCOMES, WAIT, Action, Actor, Assignment, Decision, State, Told
from services.assignment.staff import Staff


@dataclass(frozen=True)
class Page:
    """Some of those in line whom an eligible agent may have, in order; `whole` when none stands behind them."""

    heads: Sequence[Assignment] = ()
    whole: bool = True


# Reads the page behind a place, the first for None. It may hold some whom nobody may have, but leaves out nobody who could be served.
Reader = Callable[[str | None], Page]


class Serving(Staff):
    """What is at hand in one turn, and how conversations are given, left and told of."""

    def __init__(
        self,
        agents: Iterable[Agent],
        assignments: Iterable[Assignment],
        *,
        teams: Iterable[Team] = (),
        clock: Callable[[], datetime],
        draw: Callable[[], int],
    ) -> None:
        """`clock` gives a later moment at each call, so that "longest since" is one order over all turns; `draw` a seed."""
        super().__init__(agents, teams, clock)
        self.assignments = {assignment.conversation_id: assignment for assignment in assignments}
        self.told: dict[str, Told] = {}
        self.joined: set[str] = set()  # the line, in this turn
        self.handled: list[int] = []  # seconds that agents had the conversations which they are free of now
        self._draw = draw
        self._asking: set[str] = set()

    def drain(self, read: Reader) -> bool:
        """Serve those in line and whoever joined in this turn; then say what becomes of those who asked.

        True when more could be served: take another turn at once.
        """
        after: str | None = None
        more = False
        while self.eligible():
            page = read(after)
            end = None if page.whole else page.heads[-1].place
            served = self._serve(page.heads, after, end)
            if page.whole:
                break
            if served and not self._is_asked_behind(end):
                more = bool(self.eligible())
                break
            after = end
        for conversation_id in sorted(self._asking):
            self._answer(self.assignments[conversation_id])
        self._asking.clear()
        return more

    def _serve(self, heads: Iterable[Assignment], after: str | None, end: str | None) -> bool:
        for head in heads:
            self.assignments.setdefault(head.conversation_id, head)
        waiting = sorted(
            (place, key)
            for key, known in self.assignments.items()
            if (place := known.place) is not None and (after is None or place > after) and (end is None or place <= end)
        )
        served = False
        for _, conversation_id in waiting:
            eligible = self.eligible()
            current = self.assignments[conversation_id]
            circle = self.circle(current)
            if not any(circle.holds(agent) for agent in eligible):
                continue
            choice = choose(self.agents.values(), current.strategy, circle, self._draw)
            if choice.winner is not None:
                self._give(current, choice.winner.id, current.requested_by, choice.strategy, choice.reason, choice=choice)
                served = True
        return served

    def _is_asked_behind(self, end: str | None) -> bool:
        """Whether somebody who would not wait stands further back: they are answered in this turn, so it has to get there."""
        waiting = (self.assignments[key] for key in self._asking)
        return any(end is not None and found.place and found.place > end and found.unavailable != WAIT for found in waiting)

    def _answer(self, current: Assignment) -> None:
        if current.state != "queued":
            return
        choice = choose(self.agents.values(), current.strategy, self.circle(current), self._draw)
        reason = choice.reason if choice.winner is None else "Others are ahead who ask for the same agents."
        if current.unavailable == WAIT:
            self._tell(current, "queued", current.requested_by, choice.strategy, reason, choice=choice)
            return
        self._put(replace(current, state="unassigned", requested_at=None, returned=False, awaiting_since=None, **NO_WISH))
        self._tell(current, "unassigned", current.requested_by, choice.strategy, reason, choice=choice)
        self.told[current.conversation_id] = replace(self.told[current.conversation_id], outcome="unavailable")

    def _give(
        self,
        current: Assignment,
        agent_id: str,
        actor: Actor | None,
        rule: str,
        reason: str,
        *,
        choice: Choice | None = None,
        remark: str | None = None,
    ) -> None:
        moment = self._clock()
        self._free(current, moment)
        agent = self._take_on(agent_id, moment)
        self._put(
            replace(
                current,
                state="assigned",
                agent=agent.assignee,
                assigned_at=moment,
                requested_at=None,
                returned=False,
                promised=None,
                # Who has it after all did not let it pass.
                passed=tuple(mark for mark in current.passed if not mark.startswith(f"{agent_id}/")),
            )
        )
        self._tell(current, "assigned", actor, rule, reason, choice=choice, assignee=agent.assignee, moment=moment, remark=remark)

    def _leave(
        self, current: Assignment, action: Action, actor: Actor | None, rule: str, reason: str, *, remark: str | None = None
    ) -> None:
        moment = self._clock()
        self._free(current, moment)
        state: State = "closed" if action == "closed" else "unassigned"
        left = replace(
            current,
            state=state,
            agent=None,
            assigned_at=None,
            requested_at=None,
            returned=False,
            promised=None,
            awaiting_since=None,
            **NO_WISH,
        )
        self._put(left)
        self._tell(current, action, actor, rule, reason, moment=moment, remark=remark)

    def _free(self, current: Assignment, moment: datetime) -> None:
        if current.agent is None:
            return
        self._let_go(current.agent.id)
        if current.assigned_at is not None:
            self.handled.append(_seconds(current.assigned_at, moment))

    def _put(self, assignment: Assignment) -> None:
        self.assignments[assignment.conversation_id] = assignment

    def _tell(
        self,
        current: Assignment,
        action: Action,
        actor: Actor | None,
        rule: str,
        reason: str,
        *,
        choice: Choice | None = None,
        assignee: Assignee | None = None,
        moment: datetime | None = None,
        remark: str | None = None,
    ) -> None:
        """Record a decision on an assignment that was `current` before it."""
        at = moment or self._clock()
        stood = current.requested_at if current.state == "queued" and current.conversation_id not in self.joined else None
        decision = Decision(
            action=action,
            at=at,
            rule=rule,
            reason=reason,
            actor=actor,
            assignee=assignee,
            candidates=choice.candidates if choice else (),
            ordering=ORDERING[choice.strategy] if choice else (),
            seed=choice.seed if choice else None,
            remark=remark,
            waited_seconds=None if stood is None else _seconds(stood, at),
            estimated_wait_seconds=None if stood is None else current.promised,
        )
        before = self.told.get(current.conversation_id)
        self.told[current.conversation_id] = Told(OUTCOMES[action], decision, before.decisions if before else ())

    def _tell_again(self, current: Assignment) -> None:
        self.told[current.conversation_id] = Told(current.state)


def _seconds(since: datetime, until: datetime) -> int:
    return max(0, int((until - since).total_seconds()))
