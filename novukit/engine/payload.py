"""Payload: held to the JSON Schema that was synced, so that a server needs no author's code to refuse a bad one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, cast

import jsonschema_rs

from ..errors import Issue, PayloadInvalid, did_you_mean
from ..model import StoredWorkflow

SAID = 50
"""How many problems are named at once."""
SHOWN = 64
"""How much of a value is repeated, in characters."""

_TYPES = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
    "object": "an object", "null": "null",
}  # fmt: skip
_FORMATS = {
    "date-time": "a date and time, such as 2026-01-31T09:00:00Z",
    "date": "a date, such as 2026-01-31",
    "time": "a time, such as 09:00:00Z",
    "duration": "a span of time, such as PT1H30M",
    "email": "an e-mail address",
    "uuid": "a UUID",
    "uri": "a URL, such as https://example.org/",
}
_LIMITS: dict[str, tuple[str, str]] = {
    "minimum": ("out_of_range", "must be at least {limit}, not {value}"),
    "maximum": ("out_of_range", "must be at most {limit}, not {value}"),
    "exclusiveMinimum": ("out_of_range", "must be more than {limit}, not {value}"),
    "exclusiveMaximum": ("out_of_range", "must be less than {limit}, not {value}"),
    "multipleOf": ("out_of_range", "must be a multiple of {limit}, not {value}"),
    "minLength": ("too_short", "must have at least {limit} characters, not {length}"),
    "maxLength": ("too_long", "must have at most {limit} characters, not {length}"),
    "minItems": ("too_short", "must have at least {limit} items, not {length}"),
    "maxItems": ("too_long", "must have at most {limit} items, not {length}"),
    "minProperties": ("too_short", "must have at least {limit} fields, not {length}"),
    "maxProperties": ("too_long", "must have at most {limit} fields, not {length}"),
    "uniqueItems": ("repeated", "must not hold the same item twice"),
}


@dataclass(frozen=True)
class Misfit(Issue):
    """A field that does not fit. ``schema_path`` is the JSON pointer of the rule, as ``#/properties/price/type``."""

    schema_path: str = ""


def check_payload(workflow: StoredWorkflow, payload: dict[str, Any]) -> None:
    """Raise :class:`PayloadInvalid`, naming each field, unless ``payload`` fits the workflow's schema."""
    schema = workflow.spec.payload_schema
    if schema is None:
        return
    validator = _validator(json.dumps(schema, sort_keys=True))
    issues = list(islice(_misfits(validator.iter_errors(payload), schema), SAID))
    if issues:
        more = f", and {len(issues) - 1} more" if len(issues) > 1 else ""
        raise PayloadInvalid(
            f"The payload does not fit workflow {workflow.spec.id!r}: {issues[0].path}: {issues[0].message}{more}.",
            hint=issues[0].hint,
            issues=issues,
        )


def _misfits(errors: Iterable[Any], schema: dict[str, Any]) -> Iterator[Misfit]:
    """What is wrong, told of the fields themselves: of those that lack or are too many, and within alternatives."""
    for error in errors:
        name = error.kind.name
        if name in ("anyOf", "oneOf") and hasattr(error.kind, "context"):
            yield from _alternatives(error, schema)
        elif name == "required":
            yield _misfit(error, "required", "is required", at=[error.kind.property])
        elif name in ("additionalProperties", "unevaluatedProperties"):
            known = _fields(schema, error.schema_path[:-1])
            for field in error.kind.unexpected:
                hint = did_you_mean(field[:SHOWN], known)
                yield _misfit(error, "unknown_field", "is not a known field", hint, at=[field[:SHOWN]])
        elif name == "propertyNames":
            yield _misfit(error, "bad_format", f"has a field whose name is wrong: {_words(error.kind.error)[1]}")
        else:
            yield _misfit(error, *_words(error))


def _alternatives(error: Any, schema: dict[str, Any]) -> Iterator[Misfit]:
    """What is wrong with a value that may have several forms: told of the form that it comes closest to."""
    forms: list[list[Any]] = [form for form in error.kind.context if form]
    expected = [_type_at(form[0], error) for form in forms]
    meant = [form for form, other in zip(forms, expected, strict=True) if other is None]
    if meant:
        # Whoever gives an object without `price` means neither null nor a number.
        yield from _misfits(min(meant, key=len), schema)
    elif forms:
        types = [name for names in expected for name in names or ()]
        yield _misfit(error, "wrong_type", _expected(types, error.instance))
    else:
        yield _misfit(error, "invalid", "fits more than one of the forms that it may have")


def _type_at(first: Any, error: Any) -> Sequence[str] | None:
    """The types that one form allows, if a wrong type of the value itself is what is wrong with it."""
    return first.kind.types if first.kind.name == "type" and first.instance_path == error.instance_path else None


def _words(error: Any) -> tuple[str, str]:
    """The code and the words for one error."""
    kind, value = error.kind, error.instance
    code, words = "invalid", f"breaks the rule {kind.name!r} of the schema"
    match kind.name:
        case "type":
            code, words = "wrong_type", _expected(kind.types, value)
        case "enum":
            options = ", ".join(_shown(option) for option in kind.options[:10])
            code, words = "not_allowed", f"must be one of {options}, not {_shown(value)}"
        case "const":
            code, words = "not_allowed", f"must be {_shown(kind.expected_value)}, not {_shown(value)}"
        case "format":
            code, words = "bad_format", f"must be {_FORMATS.get(kind.format, f'a {kind.format}')}, not {_shown(value)}"
        case "pattern":
            code, words = "bad_format", f"must match the pattern {kind.pattern}, not {_shown(value)}"
        case name if name in _LIMITS:
            code, form = _LIMITS[name]
            length = len(cast("Any", value)) if isinstance(value, str | list | dict) else 0
            words = form.format(limit=getattr(kind, "limit", kind.value), value=_shown(value), length=length)
        case _:
            pass
    return code, words


def _expected(types: Sequence[str], value: Any) -> str:
    """What was expected and what came; a text is not repeated."""
    words = list(dict.fromkeys(_TYPES.get(name, name) for name in types))
    got: dict[type, str] = {str: "text", list: "a list", dict: "an object"}
    return f"expected {' or '.join(words)}, got {got.get(cast('Any', type(value))) or _shown(value)}"


def _misfit(error: Any, code: str, message: str, hint: str | None = None, *, at: Sequence[str] = ()) -> Misfit:
    path = "/payload" + _pointer([*error.instance_path, *at])
    return Misfit(path, code, message, hint, schema_path=f"#{_pointer(error.schema_path)}")


def _pointer(parts: Iterable[Any]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _fields(schema: Any, path: Sequence[Any]) -> list[str]:
    """The fields that the part of ``schema`` at ``path`` knows."""
    for part in path:
        schema = schema[part]
    return list(schema.get("properties", ()))


def _shown(value: Any) -> str:
    """A value as JSON: its beginning, with control characters escaped."""
    text = json.dumps(value, ensure_ascii=False)
    cut = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut)


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(schema), validate_formats=True)
