"""The contract as one JSON document: taken from the code, and kept beside this file for every version that was released."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from deploy.compatibility.events import describe_events
from deploy.compatibility.shapes import Shape, shape_of, shape_of_fields
from deploy.topology import SERVICES, declared_subscriptions, vars_of
from gateway.app import create_app
from gateway.errors import CODES
from gateway.settings import GatewaySettings
from services.common.rpc import Rpc
from services.common.topology import RETIRED
from services.common.version import VERSION

FOLDER = Path(__file__).parent
METHODS = ("get", "post", "put", "patch", "delete")

Snapshot = dict[str, Any]


def take() -> Snapshot:
    """The contract of the code as it stands."""
    document = _openapi()
    components = {name: shape_of(schema) for name, schema in document["components"]["schemas"].items()}
    return {
        "version": VERSION,
        "calls": _calls(),
        "events": describe_events(components),
        "subscriptions": {service: [".".join(pair) for pair in pairs] for service, pairs in declared_subscriptions().items()},
        "retired": sorted(".".join(retired) for retired in RETIRED),
        "operations": _operations(document),
        "components": components,
        "problems": {code: entry.status for code, entry in sorted(CODES.items())},
    }


def render(snapshot: Snapshot) -> bytes:
    """The file's content."""
    return orjson.dumps(snapshot, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def present_file() -> Path:
    """Where the present version's contract is kept: one file for each `major.minor`."""
    return FOLDER / f"{'.'.join(VERSION.split('.')[:2])}.json"


def last_release() -> tuple[str, Snapshot]:
    """The newest contract that is kept, with its file's name without the ending."""
    kept = {tuple(map(int, path.stem.split("."))): path for path in FOLDER.glob("*.json") if re.fullmatch(r"\d+\.\d+", path.stem)}
    path = kept[max(kept)]
    return path.stem, orjson.loads(path.read_bytes())


def _calls() -> dict[str, Shape]:
    return {
        f"{service.name}.{entrypoint.method_name or method.__name__}": shape_of_fields(entrypoint.arguments)
        for service in SERVICES
        for method in vars_of(service)
        for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
        if isinstance(entrypoint, Rpc)
    }


def _openapi() -> dict[str, Any]:
    app = create_app(GatewaySettings.read({"FOYER_SECRET_KEY": "x" * 40}))
    document: dict[str, Any] = orjson.loads(app.test_client().get("/v1/openapi.json").data)
    return document


def _operations(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": _operation(document, operation, item.get("parameters", []))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def _operation(document: Mapping[str, Any], operation: Mapping[str, Any], shared: list[Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {})
    answers = {status: _resolve(document, answer) for status, answer in operation["responses"].items()}
    return {
        "parameters": {
            f"{parameter['in']} {parameter['name']}": {
                "required": parameter.get("required", False),
                "shape": shape_of(parameter["schema"]),
            }
            for parameter in [*shared, *operation.get("parameters", [])]
        },
        "body": _content(body),
        "body_required": body.get("required", False),
        "answers": {status: _content(answer) for status, answer in answers.items() if status < "400"},
    }


def _content(described: Mapping[str, Any]) -> Shape | None:
    content = described.get("content", {})
    return shape_of(content["application/json"]["schema"]) if "application/json" in content else None


def _resolve(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        kind, name = str(node["$ref"]).split("/")[-2:]
        node = document["components"][kind][name]
    return node
