"""`python -m deploy.k8s monitoring` writes the component's copies anew; `… kept FOLDER` saves a cluster's keys for the keys command.

kubectl -n foyer get secrets -l app.kubernetes.io/part-of=foyer -o json | python -m deploy.k8s kept keys
"""

import argparse
import sys
from pathlib import Path

from deploy.k8s.keeping import keep
from deploy.k8s.monitoring import copies


def main(arguments: list[str]) -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.k8s", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("monitoring", help="copy alerts and dashboards into components/monitoring")
    kept = steps.add_parser("kept", help="read Secrets from standard input and write the folder that FOYER_KEYS_FOLDER names")
    kept.add_argument("folder", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.step == "monitoring":
        for path, text in copies().items():
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    else:
        print(f"kept {keep(sys.stdin.read(), chosen.folder)} secrets in {chosen.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
