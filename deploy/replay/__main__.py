"""`python -m deploy.replay`: gives the command its green threads and its signals."""

# Every dialogue needs two threads: patched before anything is imported that opens a socket, they are cheap.
from gevent import monkey

monkey.patch_all()

import signal  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402

import gevent  # noqa: E402

from deploy.replay.command import run_command  # noqa: E402


def main() -> int:
    """Run the command so that Ctrl-C and SIGTERM end it with the table so far."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, stop.set)
    return run_command(sys.argv[1:], stop)


if __name__ == "__main__":
    sys.exit(main())
