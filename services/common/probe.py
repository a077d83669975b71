"""`python -m services.common.probe`: asks the process beside it for its health, for a container's health check."""

import http.client
import os
import sys

SECONDS = 4.0  # for a database that doesn't answer, the process needs one to say so


def ask(port: str, path: str) -> int:
    """Print what 127.0.0.1 says on that port and path; 0 when it is 200, else 1."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=SECONDS)
        connection.request("GET", path)
        response = connection.getresponse()
        sys.stdout.write(response.read(10_000).decode(errors="replace") + "\n")
        return 0 if response.status == 200 else 1
    except (OSError, ValueError, http.client.HTTPException) as error:
        sys.stdout.write(f"no answer from 127.0.0.1:{port}{path}: {type(error).__name__}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(ask(os.environ.get("FOYER_METRICS_PORT", ""), "/healthz"))
