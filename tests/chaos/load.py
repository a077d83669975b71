"""The people who use the product all the time, at a steady rate, whatever is done to it."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from services.common.ids import new_id
from tests.chaos.agents import Agent
from tests.chaos.clients import Caller, Refused, Token, Unanswered
from tests.chaos.numbering import Numbering
from tests.chaos.scripts import SCRIPTS
from tests.chaos.visitors import Visitor
from tests.support.product import ADMIN_EMAIL, PASSWORD

AGENTS = 4
CAPACITY = 3
VISITORS = 14  # more than the agents may have, so that there is a line at times
RATE = 30.0  # things done in a second
LEAVING = 0.25  # of the visitors, between two rounds
RESTING = 0.1


@dataclass
class Person:
    """Somebody of the crowd, and whether they are at something."""

    name: str
    act: Callable[[], None]
    busy: bool = False


class Crowd:
    """`begin`, then `resume` and `quiesce` in turns; `end` at last."""

    def __init__(self, caller: Caller, numbers: Numbering, *, rate: float = RATE, visitors: int = VISITORS) -> None:
        self._caller = caller
        self._numbers = numbers
        self._rate = rate
        self._size = visitors
        self._channels: list[str] = []
        self._visitors: dict[str, Visitor] = {}
        self._people: dict[str, Person] = {}
        self._lock = threading.Lock()
        self._running = threading.Event()
        self._pool = ThreadPoolExecutor(AGENTS + visitors, thread_name_prefix="person")
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)
        self.agents: list[Agent] = []
        self.broken: list[str] = []
        self.admin = Token(self._sign_in)

    def begin(self) -> None:
        """Make the channels, hire the agents, invite the visitors."""
        for script in SCRIPTS:
            body = {"kind": "web", "name": script.name}
            channel = self._caller.ask("prepare", "POST", "/v1/channels", body, token=self.admin.value, key=new_id())
            self._caller.ask("prepare", "PUT", f"/v1/channels/{channel['id']}/flow", script.flow, token=self.admin.value)
            self._channels.append(channel["id"])
        for number in range(AGENTS):
            agent = Agent(self._caller, self._numbers, self.admin, f"Agent {number + 1}", capacity=CAPACITY)
            agent.watch(first=number)
            self.agents.append(agent)
        for agent in self.agents:
            colleagues = [each for each in self.agents if each is not agent]
            self._people[agent.name] = Person(agent.name, lambda agent=agent, others=colleagues: agent.act(others))  # type: ignore[misc]
        self.refresh()
        self._thread.start()

    @property
    def channels(self) -> list[str]:
        """The ids of the channels that the visitors come to."""
        return list(self._channels)

    def refresh(self) -> None:
        """Some visitors leave, and others come in their place. While all is quiet."""
        for name, visitor in list(self._visitors.items()):
            if random.random() < LEAVING:
                visitor.leave()
                del self._visitors[name], self._people[name]
        while len(self._visitors) < self._size:
            number = self._numbers.next()
            kind = number % len(SCRIPTS)
            visitor = Visitor(self._caller, self._numbers, self._channels[kind], SCRIPTS[kind], f"Visitor {number}")
            self._visitors[visitor.name] = visitor
            self._people[visitor.name] = Person(visitor.name, visitor.act)

    def resume(self) -> None:
        """Let everybody go on."""
        self._running.set()

    def quiesce(self, timeout: float) -> list[str]:
        """Let everybody finish what they are at, and nothing more. Who has not finished in time is named."""
        with self._lock:  # whoever was chosen before counts as busy by then
            self._running.clear()
        deadline = self._caller.history.clock() + timeout
        while (
            busy := [person.name for person in self._people.values() if person.busy]
        ) and self._caller.history.clock() < deadline:
            self._caller.ending.wait(0.02)
        return busy

    def end(self) -> None:
        """Everybody goes."""
        self._caller.ending.set()
        self._running.set()
        self._thread.join(5)
        for agent in self.agents:
            agent.leave()
        for visitor in self._visitors.values():
            visitor.leave()
        self._pool.shutdown(cancel_futures=True)

    def _run(self) -> None:
        while not self._caller.ending.is_set():
            if not self._running.wait(0.2):
                continue
            self._caller.ending.wait(random.expovariate(self._rate))
            with self._lock:
                idle = [person for person in list(self._people.values()) if not person.busy]
                if not idle or not self._running.is_set():
                    self._caller.ending.wait(RESTING if not idle else 0.0)
                    continue
                person = random.choice(idle)
                person.busy = True
            try:
                self._pool.submit(self._do, person)
            except RuntimeError:  # the pool was shut down
                return

    def _do(self, person: Person) -> None:
        try:
            person.act()
        except (Refused, Unanswered, TimeoutError) as error:
            if not self._caller.ending.is_set():
                self.broken.append(f"{person.name} gave up: {error}")
        except Exception as error:  # a defect of the load itself must not look like silence
            self.broken.append(f"{person.name} failed: {type(error).__name__}: {error}")
        finally:
            person.busy = False

    def _sign_in(self) -> str:
        credentials = {"email": ADMIN_EMAIL, "password": PASSWORD}
        return str(self._caller.ask("sign in", "POST", "/v1/auth/token", credentials)["access_token"])
