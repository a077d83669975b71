"""`python -m gateway.probe`: asks the gateway beside it whether requests can be served, for a container's health check."""

import os
import sys

from services.common.probe import ask

if __name__ == "__main__":
    sys.exit(ask(os.environ.get("FOYER_PORT", "8000"), "/readyz"))
