"""What the monitoring component copies: the alert rules as a PrometheusRule, and Grafana's dashboards."""

from pathlib import Path

import yaml

DEPLOY = Path(__file__).parent.parent
COMPONENT = Path(__file__).with_name("components") / "monitoring"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARDS = DEPLOY / "grafana" / "dashboards"
HEAD = "# Made from deploy/prometheus/alerts.yml by `python -m deploy.k8s monitoring`.\n"


def copies() -> dict[Path, str]:
    """The files that the component should hold, with their text."""
    files = {COMPONENT / "alerts.yaml": _rule()}
    for dashboard in sorted(DASHBOARDS.glob("*.json")):
        files[COMPONENT / dashboard.name] = dashboard.read_text(encoding="utf-8")
    return files


def _rule() -> str:
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "foyer"},
        "spec": {"groups": rules["groups"]},
    }
    return HEAD + yaml.safe_dump(resource, sort_keys=False, width=140, allow_unicode=True)
