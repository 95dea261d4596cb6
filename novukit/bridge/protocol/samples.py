"""Samples: a value that fits a JSON Schema, for previews."""

from __future__ import annotations

from typing import Any

from ...engine.remote.answer import list_in, object_in

_DEEPEST = 8
_FORMATS = {
    "date-time": "2026-01-31T09:00:00Z",
    "date": "2026-01-31",
    "time": "09:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.org/",
}


def sample(schema: dict[str, Any], name: str = "text") -> Any:
    """A value for ``schema``: its example or default where it has one, else the plainest of its type.

    It is not promised to fit every rule (a pattern, a condition). ``name`` stands in for a text.
    """
    return _sample(schema, schema.get("$defs") or schema.get("definitions") or {}, name, 0)


def _sample(schema: Any, known: dict[str, Any], name: str, depth: int) -> Any:
    rules = object_in(schema)
    if rules is None or depth > _DEEPEST:
        return None
    for given in ("const", "default"):
        if given in rules:
            return rules[given]
    for given in ("examples", "enum"):
        if rules.get(given):
            return rules[given][0]
    if "$ref" in rules:
        return _sample(known.get(str(rules["$ref"]).rpartition("/")[2]), known, name, depth + 1)
    for given in ("anyOf", "oneOf", "allOf"):
        if rules.get(given):
            return _sample(rules[given][0], known, name, depth + 1)
    return _of_type(rules, known, name, depth)


def _of_type(rules: dict[str, Any], known: dict[str, Any], name: str, depth: int) -> Any:
    kinds = list_in(rules.get("type"))
    match kinds[0] if kinds else rules.get("type"):
        case "string":
            text = str(_FORMATS.get(str(rules.get("format")), name))
            return text.ljust(int(rules.get("minLength", 0)), ".")
        case "integer" | "number":
            return rules.get("minimum", rules.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
        case "array":
            item = _sample(rules.get("items"), known, name, depth + 1)
            return [] if item is None else [item] * max(1, int(rules.get("minItems", 1)))
        case "null":
            return None
        case _:
            fields: dict[str, Any] = rules.get("properties") or {}
            return {field: _sample(inner, known, field, depth + 1) for field, inner in fields.items()}
