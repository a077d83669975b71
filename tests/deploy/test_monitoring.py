"""Alerts and dashboard ask only for metrics that exist, with labels that they have; every alert is explained and tried."""

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
PROMETHEUS = REPOSITORY / "deploy/prometheus"
DASHBOARD = REPOSITORY / "deploy/grafana/dashboards/foyer.json"
KINDS = {"Counter": ("_total",), "Gauge": ("",), "Histogram": ("_bucket", "_sum", "_count")}
TARGET = {"job", "instance"}
# As RabbitMQ 4.0's /metrics and /metrics/detailed have them and HAProxy's, and prometheus_client's and Prometheus' own.
OTHERS = {
    "haproxy_backend_active_servers",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_alarms_free_disk_space_watermark",
    "rabbitmq_channels",
    "rabbitmq_connections",
    "rabbitmq_consumers",
    "rabbitmq_detailed_queue_messages_ready",
    "rabbitmq_disk_space_available_bytes",
    "rabbitmq_disk_space_available_limit_bytes",
    "rabbitmq_global_messages_confirmed_total",
    "rabbitmq_global_messages_received_total",
    "rabbitmq_global_messages_unroutable_returned_total",
    "rabbitmq_process_resident_memory_bytes",
    "rabbitmq_resident_memory_limit_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_resident_memory_bytes",
    "up",
}


@cache
def declared() -> dict[str, set[str]]:
    """Every series that the code can show, with its labels."""
    found: dict[str, set[str]] = {}
    for folder in ("services", "gateway"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                    continue
                kind = ast.unparse(node.func).removeprefix("prometheus_client.")
                if kind in KINDS:
                    labels = set(ast.literal_eval(node.args[2])) if len(node.args) > 2 else set()
                    name = str(node.args[0].value).removesuffix("_total")
                    found |= {name + suffix: labels | ({"le"} if suffix == "_bucket" else set()) for suffix in KINDS[kind]}
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[tuple[str, str]]:
    """The title and expression of every target of the dashboard."""
    dashboard = json.loads(DASHBOARD.read_text())
    return [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]


def selectors(node: Any) -> Iterator[tuple[str, set[str]]]:
    """The metric and the labels asked for, of every selector within."""
    if isinstance(node, promql_parser.MatrixSelector):
        node = node.vector_selector
    if isinstance(node, promql_parser.VectorSelector):
        yield str(node.name), {matcher.name for matcher in node.matchers.matchers}
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from selectors(node.lhs)
        yield from selectors(node.rhs)
    elif isinstance(node, promql_parser.Call):
        for argument in node.args:
            yield from selectors(argument)
    elif isinstance(node, promql_parser.AggregateExpr):
        grouping = set(node.modifier.labels) if node.modifier is not None else set()
        for name, labels in selectors(node.expr):
            yield name, labels | grouping
    elif isinstance(node, promql_parser.ParenExpr | promql_parser.UnaryExpr | promql_parser.SubqueryExpr):
        yield from selectors(node.expr)


def asked() -> list[tuple[str, str]]:
    alerts = [(rule["alert"], rule["expr"]) for rule in rules()]
    return alerts + [(f"panel {title}", expression.replace("$__rate_interval", "5m")) for title, expression in panels()]


@pytest.mark.parametrize(("where", "expression"), asked(), ids=lambda value: value if len(value) < 40 else "")
def test_expression_asks_for_what_exists(where: str, expression: str) -> None:
    found = list(selectors(promql_parser.parse(expression)))
    assert found
    for name, labels in found:
        assert name in declared() or name in OTHERS, f"{where} asks for {name}"
        if name in declared():
            assert labels <= declared()[name] | TARGET, f"{where}: {name} has no {labels - declared()[name]}"


def test_no_metric_is_missing_on_the_dashboard() -> None:
    shown = {name for _, expression in asked() for name, _ in selectors(promql_parser.parse(expression))}
    hidden = {name for name in declared() if name not in shown and not name.endswith(("_sum", "_count", "_bucket"))}
    assert hidden == set()


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_alert_says_what_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"
    assert re.fullmatch(r"\d+m", rule["for"])


def test_runbook_has_a_section_for_each_alert_and_no_other() -> None:
    text = (REPOSITORY / "docs/runbook.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == {rule["alert"] for rule in rules()}
    for name, section in sections.items():
        for part in ("**Means.**", "**Look.**", "**Do.**"):
            assert part in section, f"{name} lacks {part}"


def test_every_alert_is_tried_firing_and_quiet() -> None:
    tests = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text())["tests"]
    tried = {(each["alertname"], bool(each["exp_alerts"])) for test in tests for each in test["alert_rule_test"]}
    assert tried == {(rule["alert"], fires) for rule in rules() for fires in (True, False)}


@pytest.mark.parametrize("command", [["check", "config", "prometheus.yml"], ["test", "rules", "alerts.test.yml"]], ids=" ".join)
def test_promtool_agrees(command: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: the package prometheus)")
    ended = subprocess.run([promtool, *command], cwd=PROMETHEUS, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        ("foyer_http_requests_total", "route"),
        ("foyer_http_request_seconds_bucket", "route"),
        ("foyer_rpc_seconds_count", "method"),
        ("foyer_rpc_seconds_bucket", "method"),
    ],
)
def test_alerts_on_a_share_leave_out_what_only_asks_for_health(metric: str, label: str) -> None:
    found = [labels for rule in rules() for name, labels in selectors(promql_parser.parse(rule["expr"])) if name == metric]
    assert found
    assert all(label in labels for labels in found)


def test_every_job_is_a_container_of_the_stack() -> None:
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    assert {job["job_name"] for job in jobs} == {
        "balancer", "gateway", "messaging", "presence", "assignment", "contacts", "broker", "broker-queues",
    }  # fmt: skip
    assert all(job["dns_sd_configs"][0]["type"] == "A" for job in jobs)


def test_dashboards_panels_lie_beside_each_other() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    places: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & places, panel["title"]
        assert max(x for x, _ in cells) < 24
        places |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
