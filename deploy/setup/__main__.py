"""`python -m deploy.setup keys|broker|database`: exit status 0 when all is made, 1 when something refused, 2 for unusable settings."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping

if __name__ == "__main__":  # a container's first process ignores what it has no handler for, and the imports take a while
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))

from deploy.setup.broker import set_up_broker
from deploy.setup.database import set_up_database
from deploy.setup.errors import SetupFailed
from deploy.setup.keys import fill, render_secrets
from services.common import logs
from services.common.settings import InvalidSetting, read_choice


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Do what the arguments say and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.setup", description=__doc__)
    parser.add_argument("what", choices=("keys", "broker", "database"))
    parser.add_argument("--kubernetes", action="store_true", help="with keys: print Secret manifests and write nothing")
    chosen = parser.parse_args(arguments)
    if chosen.kubernetes and chosen.what != "keys":
        parser.error("--kubernetes goes with keys only")
    steps: dict[str, Callable[[Mapping[str, str]], None]] = {
        "keys": fill,
        "broker": set_up_broker,
        "database": set_up_database,
    }
    try:
        if chosen.kubernetes:
            print(render_secrets(environment), end="")
            return 0
        logs.configure(
            level=read_choice(environment, "FOYER_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
            form=read_choice(environment, "FOYER_LOG_FORMAT", "json", ("json", "console")),
            process=f"{chosen.what}-setup",
        )
        steps[chosen.what](environment)
    except InvalidSetting as error:
        print(error, file=sys.stderr)
        return 2
    except SetupFailed as error:
        print(f"The {chosen.what} setup failed: {error}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
