"""`python -m deploy.compatibility`: compares the code with the last release's contract; `--write` keeps the code's as the present version's."""

import sys
import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
warnings.filterwarnings("ignore", category=DeprecationWarning)

from deploy.compatibility.compare import compare  # noqa: E402
from deploy.compatibility.snapshot import last_release, present_file, render, take  # noqa: E402
from services.common import logs  # noqa: E402


def main(arguments: list[str]) -> int:
    """0 when nothing breaks (or it is written), 1 when something does, 2 for arguments that mean nothing."""
    if arguments not in ([], ["--write"]):
        print(__doc__)
        return 2
    logs.configure(level="WARNING", form="text", process="compatibility")
    present = take()
    if arguments:
        path = present_file()
        path.write_bytes(render(present))
        print(f"{path.name} is written.")
        return 0
    name, released = last_release()
    found = compare(released, present)
    for addition in found.additions:
        print(f"new since {name}: {addition}")
    for breakage in found.breaks:
        print(f"BREAKS {name}: {breakage}")
    if found.additions and not found.breaks:
        print("Nothing breaks. `python -m deploy.compatibility --write` keeps what is new, with the release that brings it.")
    return 1 if found.breaks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
