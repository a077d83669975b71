"""`@timer(interval=…)`: nameko's entrypoint by the monotonic clock. By the wall's, as nameko has it, it rests for as long as that was set back.

Rounds that were missed, while one took long or the process was stopped, are not made up for.
"""

import time

from nameko.timer import Timer as WallTimer


class Timer(WallTimer):
    """A method called every `interval` seconds, or as soon as the last call has ended if that took longer; `eager` also at the start."""

    def _run(self) -> None:
        due = time.monotonic() + (0.0 if self.eager else self.interval)
        while not self.should_stop.wait(timeout=max(due - time.monotonic(), 0.0)):
            self.handle_timer_tick()
            self.worker_complete.wait()
            self.worker_complete.reset()
            due = max(due + self.interval, time.monotonic())


timer = Timer.decorator
