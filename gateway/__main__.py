"""The gateway's process: checks the settings, then becomes gunicorn."""

import os
import signal
import sys

from gateway.settings import GatewaySettings
from services.common.settings import InvalidSetting

HELD_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Serve on FOYER_HOST:FOYER_PORT until a signal; exit status 2 for bad settings, with a line that says which."""
    # A container's first process ignores what it has no handler for. A signal that is held waits, also for the next program,
    # whose hook `when_ready` lets it in.
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD_SIGNALS)
    try:
        settings = GatewaySettings.read()
    except InvalidSetting as error:
        print(f"gateway: {error}", file=sys.stderr)
        sys.exit(2)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    command = ["gunicorn", "-c", "python:gateway.server", "--bind", f"{host}:{settings.port}", "gateway.wsgi:application"]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 - the same interpreter, another program


if __name__ == "__main__":
    main()
