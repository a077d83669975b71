"""The gateway's process: checks the settings, then becomes gunicorn."""

import os
import sys

from gateway.settings import GatewaySettings
from services.common.settings import InvalidSetting


def main() -> None:
    """Serve on FOYER_HOST:FOYER_PORT until a signal; exit status 2 for bad settings, with a line that says which."""
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
