"""What the cluster files take over from elsewhere: whom Prometheus asks, alerts, dashboards, and a living cluster's keys."""

import base64
import json
from pathlib import Path

import pytest
import yaml

from tests.support.manifests import ROOT, Resource, find, matches, of_kind, pods


def monitored(resource: Resource) -> dict[str, list[str]]:
    """Per kind of pod the jobs that its numbers get."""
    selector, endpoints = resource["spec"]["selector"], resource["spec"]["podMetricsEndpoints"]
    jobs: dict[str, list[str]] = {}
    for name, pod in pods("prod").items():
        if matches(selector, pod["labels"]):
            assert {endpoint["port"] for endpoint in endpoints} <= set(pod["ports"]), name
            own = pod["labels"][resource["spec"]["jobLabel"]]
            jobs[name] = [next(iter(find(endpoint, "replacement")), own) for endpoint in endpoints]
    return jobs


def test_the_same_is_monitored_as_by_the_compose_files_prometheus() -> None:
    found: dict[str, list[str]] = {}
    for resource in of_kind("prod", "PodMonitor").values():
        found |= monitored(resource)
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    jobs = {config["job_name"] for config in scraped} - {"balancer", "prometheus"}
    assert {job for listed in found.values() for job in listed} == jobs


def test_alerts_and_dashboards_are_the_ones_of_the_compose_stack() -> None:
    from deploy.k8s.monitoring import DASHBOARDS, copies

    for path, text in copies().items():
        assert path.is_file(), "run: python -m deploy.k8s monitoring"
        assert path.read_text() == text, "run: python -m deploy.k8s monitoring"
    built = of_kind("prod", "PrometheusRule")["foyer"]["spec"]["groups"]
    assert built == yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    boards = {path.name: json.loads(path.read_text()) for path in DASHBOARDS.glob("*.json")}
    shown = {
        name: json.loads(text)
        for config in of_kind("prod", "ConfigMap").values()
        for name, text in config["data"].items()
        if name.endswith(".json")
    }
    assert shown == boards


def test_keys_kept_from_a_cluster_are_printed_again_as_they_are(tmp_path: Path) -> None:
    from deploy.k8s.keeping import keep
    from deploy.setup.keys import render_secrets

    first = render_secrets({"FOYER_KEYS_FOLDER": str(tmp_path / "none"), "FOYER_SECRETS_FOLDER": str(tmp_path / "none")})
    items = []
    for secret in yaml.safe_load_all(first):
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in secret["stringData"].items()}
        items.append({"metadata": secret["metadata"], "data": encoded})
    keep(json.dumps({"items": items}), tmp_path / "keys")
    kept = {"FOYER_KEYS_FOLDER": str(tmp_path / "keys"), "FOYER_SECRETS_FOLDER": str(tmp_path / "none")}
    assert render_secrets(kept) == first
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "keys").rglob("*") if path.is_file())
    changed = render_secrets({**kept, "FOYER_DATABASE_CONTACTS_PASSWORD": "another-password"})
    before, after = ({doc["metadata"]["name"]: doc for doc in yaml.safe_load_all(text)} for text in (first, changed))
    assert {name for name in before if before[name] != after[name]} == {
        "foyer-contacts",
        "foyer-operator",
        "foyer-database-contacts",
    }


def test_keys_are_not_kept_from_half_a_cluster(tmp_path: Path) -> None:
    from deploy.k8s.keeping import keep

    with pytest.raises(ValueError, match="secret_key"):
        keep(json.dumps({"items": []}), tmp_path)
