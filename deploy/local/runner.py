"""One run of the local stack: start, make the demo, keep running, stop."""

import os
import signal
import time
from types import FrameType

from deploy.local.api import Api, ApiError, NoAnswer, readiness
from deploy.local.banner import banner
from deploy.local.demo import Demo, load_variables, save_variables
from deploy.local.errors import ProcessFailed
from deploy.local.external import require_reachable
from deploy.local.output import LogFollower, Output
from deploy.local.parts import GATEWAY, SERVICES, make_embedded, make_environment, make_programs
from deploy.local.ports import require_free
from deploy.local.private import kept_secret_key
from deploy.local.process import REPOSITORY
from deploy.local.seed import SignInRefused, seed
from deploy.local.settings import RunnerSettings
from deploy.local.supervisor import Supervisor

NAME = "foyer"
READY_SECONDS = 90.0
LOOK_SECONDS = 0.2
# A program that ends this often before everything is up will not come up.
HOPELESS = 4


class StopRequested(BaseException):
    """SIGINT, SIGTERM or SIGHUP came; like KeyboardInterrupt, no `except Exception` takes it for an error."""


class Runner:
    """Starts the stack for one data folder, which its caller has locked."""

    def __init__(self, settings: RunnerSettings, output: Output) -> None:
        self.settings = settings
        self.output = output
        self.supervisor = Supervisor(self.say)
        self.demo_file = settings.data_dir / "demo.env"
        self.seeded = settings.data_dir / "seeded"
        self._began = time.monotonic()
        self._stopping = False
        self._follower = LogFollower(output, {name: settings.log_dir / f"{name}.log" for name in (*SERVICES, GATEWAY)})

    def say(self, text: str) -> None:
        """A line of the runner's own."""
        self.output.line(NAME, text)

    def run(self) -> None:
        """Run until a signal asks to stop. Raises RunnerError when the stack can't be started; it is stopped either way."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            self._start()
            while not self.output.has_hung_up():
                time.sleep(LOOK_SECONDS)
                self.supervisor.check()
        except StopRequested:
            self.say("stopping everything that this run started; once more to kill it")
        finally:
            self._stopping = True
            self.supervisor.stop()
            self._follower.stop()
            self.say("stopped")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self._stopping:
            self.supervisor.hurry()
        else:
            self._stopping = True
            raise StopRequested

    def _start(self) -> None:
        settings = self.settings
        require_reachable(settings)
        first_run = not self.seeded.exists()
        kept = load_variables(self.demo_file)
        demo = Demo.recall(kept, admin_email=settings.admin_email, admin_password=settings.admin_password)
        if first_run:
            demo = demo.with_passwords()
        self._keep(demo)
        embedded = make_embedded(settings)
        environment = make_environment(
            settings,
            os.environ,
            embedded=embedded,
            secret_key=settings.secret_key or kept_secret_key(settings.data_dir),
            admin_password=demo.admin.password,
        )
        services, gateway = make_programs(settings, environment)
        require_free(settings.port, purpose="the gateway", variable="FOYER_PORT", host=settings.host)
        for part in embedded:
            part.require_port()
        for part in embedded:
            self.say(f"starting the {part.name} on 127.0.0.1:{part.server.port}")
            self.supervisor.start([part])
        for part in embedded:
            part.wait_ready()
            self.say(f"the {part.name} is ready")
        self.say(f"starting {', '.join(SERVICES)} and the gateway on {settings.url}")
        self._follower.start()
        self.supervisor.start(services)
        self.supervisor.start([gateway])
        self._wait_ready()
        demo, made = self._make_demo(demo) if first_run else (demo, False)
        self.output.block(
            banner(
                url=settings.url,
                demo=demo,
                demo_file=self.demo_file,
                repository=REPOSITORY,
                log_dir=settings.log_dir,
                first_run=made,
                seconds=time.monotonic() - self._began,
            )
        )
        if made:  # only now: whoever missed the passwords because of a crash sees them next time
            self.seeded.touch(0o600)

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        ready, why = readiness(self.settings.url)
        while not ready:
            self.supervisor.check()
            for member in self.supervisor.members:
                if member.failures >= HOPELESS:
                    raise ProcessFailed(
                        f"{member.process.name} does not stay up: it ended {member.failures} times.",
                        f"Its log: {self.settings.log_dir}/",
                    )
            if time.monotonic() >= deadline:
                raise ProcessFailed(f"After {READY_SECONDS:.0f} s, {why}.", f"Logs: {self.settings.log_dir}/")
            time.sleep(LOOK_SECONDS)
            ready, why = readiness(self.settings.url)

    def _make_demo(self, demo: Demo) -> tuple[Demo, bool]:
        self.say("first run: making a demo channel and two agents")
        try:
            demo = seed(Api(self.settings.url), demo)
        except SignInRefused as error:
            self.say(str(error))
            return demo, False
        except (ApiError, NoAnswer) as error:
            self.say(f"the demo could not be made, the next run tries again: {error}")
            return demo, False
        self._keep(demo)
        return demo, True

    def _keep(self, demo: Demo) -> None:
        save_variables(self.demo_file, demo.variables(self.settings.url, keep_admin=self.settings.admin_password is None))
