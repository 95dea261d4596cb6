"""Samples: made-up data that fits a JSON Schema, for looking at what a workflow would say."""

from __future__ import annotations

from typing import Any, cast

DEEPEST = 8
"""Below this a schema that contains itself is cut off."""

_TEXTS = {
    "date-time": "2026-01-31T09:00:00Z", "date": "2026-01-31", "time": "09:00:00Z", "duration": "PT1H",
    "email": "ada@example.com", "uuid": "00000000-0000-4000-8000-000000000000", "uri": "https://example.com/",
}  # fmt: skip

Schema = dict[str, Any]


def sample(schema: Schema, name: str = "", root: Schema | None = None, depth: int = 0) -> Any:
    """A value for ``schema``: its default or first example, else the simplest of its kind; texts say their ``name``.

    ``root`` is where its references lead, itself if not given; ``depth`` how deep it stands there. A schema may ask
    for what cannot be made up, a ``pattern`` for one: then the sample does not fit it.
    """
    root = schema if root is None else root
    schema = _resolved(schema, root)
    if (key := next((key for key in ("default", "const") if key in schema), None)) is not None:
        return schema[key]
    if key := next((key for key in ("examples", "enum") if schema.get(key)), None):
        return schema[key][0]
    if key := next((key for key in ("anyOf", "oneOf", "allOf") if schema.get(key)), None):
        members = cast("list[Schema]", schema[key])
        chosen = next((one for one in members if one.get("type") != "null"), members[0])
        return sample(chosen, name, root, depth + 1)
    return None if depth > DEEPEST else _of_type(schema, name, root, depth)


def _of_type(schema: Schema, name: str, root: Schema, depth: int) -> Any:
    value: Any = None
    match schema.get("type"):
        case "object":
            wanted = schema.get("properties", {})
            value = {key: sample(one, key, root, depth + 1) for key, one in wanted.items()}
        case "array":
            count = max(schema.get("minItems", 1), 1)
            value = [sample(schema.get("items", {}), name, root, depth + 1) for _ in range(count)]
        case "integer" | "number":
            value = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            value = True
        case "string":
            text = _TEXTS.get(schema.get("format", ""), name or "text")
            value = text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
        case _:
            pass
    return value


def _resolved(schema: Schema, root: Schema) -> Schema:
    """``schema``, or the one in ``root`` that its ``$ref`` names."""
    for _ in range(DEEPEST):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            break
        found: Any = root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part, {})
        schema = found
    return schema
