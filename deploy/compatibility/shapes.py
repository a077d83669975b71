"""Shapes: what is left of a JSON schema when only what a program may rely on is kept, and marshmallow's schemas as such."""

import re
from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

Shape = dict[str, Any]

BY_NAME = ("properties", "patternProperties")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
NESTED = ("items", "additionalProperties", "propertyNames", "not")
PLAIN = (
    "type", "required", "enum", "const", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
)  # fmt: skip
_SIZES = {"object": ("minProperties", "maxProperties"), "array": ("minItems", "maxItems")}


def shape_of(schema: Mapping[str, Any]) -> Shape:
    """A JSON schema without its words; of a `$ref` the component's name."""
    if "$ref" in schema:
        return {"$ref": str(schema["$ref"]).rpartition("/")[2]}
    shape: Shape = {key: sorted(schema[key]) if key == "required" else schema[key] for key in PLAIN if key in schema}
    shape |= {key: {name: shape_of(part) for name, part in schema[key].items()} for key in BY_NAME if key in schema}
    shape |= {key: [shape_of(part) for part in schema[key]] for key in LISTS if key in schema}
    for key in NESTED:
        if key in schema:
            shape[key] = shape_of(schema[key]) if isinstance(schema[key], Mapping) else schema[key]
    return _with_sizes(shape)


def shape_of_fields(schema: Schema) -> Shape:
    """What a marshmallow schema loads. It says `additionalProperties: false` where unknown names are refused."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda _: "")  # without a name, nested ones are written out
    APISpec("Foyer", "1", "3.1.0", plugins=[plugin])
    converter = plugin.converter
    if converter is None:
        raise RuntimeError("apispec gave its plugin no converter")
    described: Mapping[str, Any] = converter.schema2jsonschema(schema)  # type: ignore[no-untyped-call]
    return shape_of(described)


def _with_sizes(shape: Shape) -> Shape:
    """To apispec every Length is one of texts."""
    for kind, (least, most) in _SIZES.items():
        if kind in _kinds(shape):
            for said, meant in (("minLength", least), ("maxLength", most)):
                if said in shape:
                    shape[meant] = shape.pop(said)
    if isinstance(shape.get("pattern"), re.Pattern):
        shape["pattern"] = shape["pattern"].pattern
    return shape


def _kinds(shape: Shape) -> list[str]:
    kinds = shape.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)
