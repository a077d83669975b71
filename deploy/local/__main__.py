"""`python -m deploy.local`: run the whole stack on this machine until Ctrl-C."""

import resource
import sys

from deploy.local.errors import RunnerError
from deploy.local.lock import DataLock
from deploy.local.output import Output
from deploy.local.runner import Runner
from deploy.local.settings import RunnerSettings

OPEN_FILES = 65_536  # a file per client's stream in the gateway, and one per stream consumer in the broker


def main() -> int:
    """Exit status 0 after a stop that was asked for, 1 when the stack can't run."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        settings = RunnerSettings.read()
        with DataLock(settings.data_dir):
            Runner(settings, Output(sys.stdout)).run()
    except RunnerError as error:
        print(f"\nFoyer can't run. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
