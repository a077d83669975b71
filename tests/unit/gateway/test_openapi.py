import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.errors import CODES, PROBLEM_TYPE
from tests.unit.gateway.kit import World

WORDLESS = {"/healthz", "/healthz/serving", "/readyz", "/metrics"}
FACEBOOKS = "/v1/webhooks/messenger/{channel_id}"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    response = World().send("GET", "/v1/openapi.json")
    assert response.status_code == 200
    parsed: dict[str, Any] = response.get_json()
    return parsed


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    ]


def resolve(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        _, *steps = node["$ref"].split("/")
        node = document
        for step in steps:
            node = node[step]
    return node


def test_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_document_describes_every_route_of_the_api(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for method, path, _ in operations(document)}
    for rule in World().app.url_map.iter_rules():
        if rule.rule.startswith("/v1/") and rule.rule != "/v1/openapi.json":
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            for method in (rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}:
                assert (method, path) in described


def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"].endswith("."), where
        expected = set() if path in WORDLESS else {"422", "429", "503"}
        if "security" in operation:
            expected |= {"401", "403"}
        if "requestBody" in operation:
            # Facebook's media type is not looked at.
            expected |= {"400", "413"} if path == FACEBOOKS else {"400", "413", "415"}
        if "{" in path:
            expected.add("404")
        assert expected <= set(operation["responses"]), where
        for status, response in operation["responses"].items():
            described = resolve(document, response)
            if status >= "400" and path not in WORDLESS:
                assert list(described["content"]) == [PROBLEM_TYPE], where
                codes = re.findall(r"`([A-Z_]{5,})`", described["description"])
                assert codes, where
                assert {CODES[code].status for code in codes if code in CODES} == {int(status)}, where
            elif status not in ("101", "204"):
                assert described["content"], where


def test_every_route_but_a_few_needs_a_token(document: dict[str, Any]) -> None:
    schemes = {"agent", "visitor", "apiToken"}
    assert set(document["components"]["securitySchemes"]) == schemes
    open_to_all = {path for _, path, operation in operations(document) if "security" not in operation}
    assert open_to_all == WORDLESS | {"/v1/auth/token", "/v1/auth/refresh", "/v1/widget/{channel_id}/session", FACEBOOKS}


def test_strings_that_clients_send_are_bounded(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            if schema.get("type") == "string":
                assert {"maxLength", "pattern", "enum", "format"} & set(schema), f"{path} {parameter['name']}"
        body = operation.get("requestBody")
        if body is not None:
            schema = resolve(document, body["content"]["application/json"]["schema"])
            for name, field in schema["properties"].items():
                types = field.get("type")
                if types == "string" or (isinstance(types, list) and "string" in types):
                    assert {"maxLength", "pattern", "enum"} & set(field), f"{path} {name}"


def test_flows_are_described_down_to_their_blocks_and_tests(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    described = str(schemas["Flow"]["properties"]["blocks"]["additionalProperties"])
    assert "#/components/schemas/FlowBlock" in described
    assert "#/components/schemas/FlowTest" in str(schemas["FlowBlock"])
    assert {block["properties"]["type"]["const"] for block in schemas["FlowBlock"]["oneOf"]} == {
        "message",
        "question",
        "buttons",
        "condition",
        "set",
        "ticket",
        "delay",
        "assign",
        "goto",
        "close",
    }
    subjects = {test["properties"].get("on", {}).get("const") for test in schemas["FlowTest"]["oneOf"]}
    assert subjects == {"field", "country", "url", "business_hours", "agents", None}


def test_secrets_are_described_as_written_alone(document: dict[str, Any]) -> None:
    written = document["components"]["schemas"]["MessengerSettings"]["properties"]
    for secret in ("page_access_token", "app_secret", "verify_token"):
        assert written[secret]["writeOnly"] is True
        assert secret not in document["components"]["schemas"]["ChannelMessenger"]["properties"]


def test_patterns_are_ecma_262(document: dict[str, Any]) -> None:
    for pattern in re.findall(r"'pattern': '([^']*)'", str(document)):
        assert "\\Z" not in pattern
        assert "(?P" not in pattern


def test_documentation_page_asks_no_other_host() -> None:
    world = World()
    page = world.send("GET", "/docs")
    assert page.status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(rb"https?://", page.data)
    assets = re.findall(r'(?:src|href)="(/docs/[^"]+)"', page.text)
    assert len(assets) == 4
    for asset in assets:
        with world.send("GET", asset) as response:
            assert response.status_code == 200
    world.problem(404, "NOT_FOUND", world.send("GET", "/docs/..%2f..%2fapp.py"))
    world.problem(404, "NOT_FOUND", world.send("GET", "/docs/index.html"))
