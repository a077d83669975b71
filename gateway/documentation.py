"""How routes say what they need and how they fail, so that the OpenAPI document says it too."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, TypeVar

import flask_smorest
from flask_smorest.utils import deepupdate, resolve_schema_instance

from gateway.errors import CODES, PROBLEM_TYPE
from gateway.parsing import Parser

Anything = TypeVar("Anything", bound=Callable[..., Any])

DOC = "_apidoc"  # where flask-smorest keeps what a view says of itself
PROBLEM = {"$ref": "#/components/schemas/Problem"}
SIGNED_IN = ("UNAUTHENTICATED", "TOKEN_EXPIRED", "TOKEN_INVALID")
ALWAYS = ("RATE_LIMITED", "SERVICE_UNAVAILABLE", "DATABASE_UNAVAILABLE", "OVERLOADED")
WITH_BODY = ("MALFORMED_REQUEST", "REQUEST_TOO_SLOW", "BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE")
# Statuses whose codes are the same everywhere: one component each.
SHARED = {
    401: ("Unauthenticated", SIGNED_IN),
    408: ("RequestTooSlow", ("REQUEST_TOO_SLOW",)),
    413: ("BodyTooLarge", ("BODY_TOO_LARGE",)),
    415: ("UnsupportedMediaType", ("UNSUPPORTED_MEDIA_TYPE",)),
    429: ("RateLimited", ("RATE_LIMITED",)),
    503: ("Unavailable", ALWAYS[1:]),
}


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc, unused-ignore]
    """A room of routes: flask-smorest's blueprint with our parser and our problems."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, *args: Any, implied: Iterable[str] = ALWAYS, **kwargs: Any) -> None:
        """`implied` are the codes that every view of it may answer."""
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(partial(_prepare_problems_doc, tuple(implied)))

    def arguments(self, schema: Any, **options: Any) -> Any:
        """flask-smorest's, where the schema says whether a body may be left out.

        One instance serves all requests: webargs would make one for each, at a tenth of a millisecond.
        """
        instance = resolve_schema_instance(schema)
        return super().arguments(instance, required=not getattr(instance, "optional_body", False), **options)


def problems(*codes: str) -> Callable[[Anything], Anything]:
    """Say which codes a view may answer beside those that its arguments and its security imply."""
    unknown = set(codes) - set(CODES)
    if unknown:
        raise ValueError(f"unknown codes: {unknown}")

    def decorate(view: Anything) -> Anything:
        doc = _doc_of(view)
        doc.setdefault("problems", []).extend(codes)
        return view

    return decorate


def any_query(view: Anything) -> Anything:
    """Let a view take query parameters that it doesn't name: those who call it add their own."""
    _doc_of(view)["any_query"] = True
    return view


def secured(view: Anything, scheme: str, *codes: str, roles: Iterable[str]) -> Anything:
    """Say which token a view needs, and of whom it may be."""
    doc = _doc_of(view)
    doc["roles"] = tuple(roles)
    doc.setdefault("manual_doc", {})["security"] = [{scheme: []}]
    doc.setdefault("problems", []).extend([*SIGNED_IN, "FORBIDDEN", *codes])
    return view


def roles_of(view: Any) -> frozenset[str] | None:
    """Who may use a view, of `visitor`, `agent`, `admin` and `bot`; None for one that asks for no token."""
    roles = getattr(view, DOC, {}).get("roles")
    return None if roles is None else frozenset(roles)


def query_names(view: Any) -> frozenset[str] | None:
    """The query parameters that a documented view takes; None for one that takes any, or has no description."""
    doc = getattr(view, DOC, None)
    if doc is None or doc.get("any_query"):
        return None
    names = {parameter["name"] for parameter in doc.get("manual_doc", {}).get("parameters", []) if parameter.get("in") == "query"}
    for parameter in doc.get("arguments", {}).get("parameters", []):
        if parameter["in"] == "query":
            schema = resolve_schema_instance(parameter["schema"])
            names |= {field.data_key or name for name, field in schema.fields.items()}
    return frozenset(names)


def describe_problems(codes: Iterable[str]) -> dict[str, Any]:
    """The OpenAPI responses for codes, by status."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(CODES[code].status, []).append(code)
    return {str(status): _describe(status, by_status[status]) for status in sorted(by_status)}


def shared_responses() -> dict[str, dict[str, Any]]:
    """The components that `describe_problems` refers to, by name."""
    return {name: _response(status, codes) for status, (name, codes) in SHARED.items()}


def _describe(status: int, codes: list[str]) -> dict[str, Any]:
    if status in SHARED and set(SHARED[status][1]) == set(codes):
        return {"$ref": f"#/components/responses/{SHARED[status][0]}"}
    return _response(status, codes)


def _response(status: int, codes: Iterable[str]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {CODES[code].meaning}" for code in codes),
        "content": {PROBLEM_TYPE: {"schema": PROBLEM}},
    }
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
    if status == 401:
        response["headers"] = {"WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}}}
    return response


def _prepare_problems_doc(implied: tuple[str, ...], doc: dict[str, Any], doc_info: dict[str, Any], **_: Any) -> dict[str, Any]:
    codes = [*doc_info.get("problems", []), *implied]
    if "requestBody" in doc:
        codes += WITH_BODY
    codes.append("VALIDATION_FAILED")
    if any(
        getattr(parameter.get("schema"), "takes_cursor", False)
        for parameter in doc.get("parameters", [])
        if isinstance(parameter, Mapping)
    ):
        codes.append("CURSOR_INVALID")
    responses = doc.setdefault("responses", {})
    # webargs' own entry for 422, which names another shape.
    responses.pop(422, None)
    return deepupdate(doc, {"responses": describe_problems(codes)})  # type: ignore[no-any-return, unused-ignore]


def _doc_of(view: Any) -> dict[str, Any]:
    # Decorators below share the dictionary with the function they wrap: never change it in place.
    doc: dict[str, Any] = deepcopy(getattr(view, DOC, {}))
    setattr(view, DOC, doc)
    return doc
