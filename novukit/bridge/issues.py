"""What pydantic and msgspec complain of, in plain words: each thing that is wrong, with its JSON pointer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import InvalidInput, Issue, did_you_mean
from .body import pointer

MOST_ISSUES = 50
WRONG_TYPE = "wrong_type"

_EXPECTED = {
    "string_type": "text", "int_type": "a whole number", "int_from_float": "a whole number",
    "int_parsing": "a whole number", "float_type": "a number", "float_parsing": "a number",
    "bool_type": "true or false", "bool_parsing": "true or false", "list_type": "a list", "tuple_type": "a list",
    "set_type": "a list", "frozen_set_type": "a list", "dict_type": "an object", "mapping_type": "an object",
    "model_type": "an object", "model_attributes_type": "an object", "none_required": "null",
    "datetime_type": "a timestamp", "date_type": "a date", "time_delta_type": "a duration", "uuid_type": "an id",
    "bytes_type": "text", "url_type": "a URL", "decimal_type": "a number",
}  # fmt: skip

_SAID: dict[str, tuple[str, str]] = {
    "missing": ("required", "is required"),
    "greater_than": ("out_of_range", "must be more than {gt}"),
    "greater_than_equal": ("out_of_range", "must be at least {ge}"),
    "less_than": ("out_of_range", "must be less than {lt}"),
    "less_than_equal": ("out_of_range", "must be at most {le}"),
    "multiple_of": ("out_of_range", "must be a multiple of {multiple_of}"),
    "finite_number": ("out_of_range", "must be a finite number"),
    "string_too_long": ("too_long", "must have at most {max_length} characters"),
    "string_too_short": ("too_short", "must have at least {min_length} characters"),
    "too_long": ("too_long", "must have at most {max_length} items, not {actual_length}"),
    "too_short": ("too_short", "must have at least {min_length} items, not {actual_length}"),
    "string_pattern_mismatch": ("bad_format", "must be of the form {pattern}"),
    "literal_error": ("not_allowed", "must be {expected}"),
    "enum": ("not_allowed", "must be {expected}"),
    "union_tag_invalid": ("not_allowed", "must have {discriminator} as one of {expected_tags}"),
    "union_tag_not_found": ("required", "needs {discriminator}"),
    "datetime_parsing": ("bad_format", "must be an ISO 8601 timestamp, such as 2026-01-01T00:00:00Z"),
    "datetime_from_date_parsing": ("bad_format", "must be an ISO 8601 timestamp, such as 2026-01-01T00:00:00Z"),
    "datetime_object_invalid": ("bad_format", "must be an ISO 8601 timestamp, such as 2026-01-01T00:00:00Z"),
    "timezone_aware": ("bad_format", "needs a time zone, such as Z or +02:00"),
    "uuid_parsing": ("bad_format", "is not an id"),
    "url_parsing": ("bad_format", "is not a URL"),
    "url_scheme": ("bad_format", "must be a URL that begins with {expected_schemes}"),
    "value_error": ("invalid", "{error}"),
    "assertion_error": ("invalid", "{error}"),
}  # fmt: skip


_FORMS = {
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$": "may hold letters, digits and _ . - only, and not begin with . or -",
    r"^[A-Za-z0-9_.:@+-]+$": "may hold letters, digits and _ . : @ + - only",
    r"^[A-Za-z0-9_-]+$": "may hold letters, digits, _ and - only",
    r"^[\x21-\x7e]+$": "may hold ASCII letters, digits and signs only, and no blanks",
    r"^[^\r\n]*$": "must not hold a line break",
    r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,127}$": "may hold letters, digits and _ . @ - only, must begin with a letter or "
    "digit, and have at most 128 characters",
    r"^[!-9;-~]+$": "must be the name of a header: ASCII, without colon or blanks",
}
"""What the patterns of our own types say. A regular expression is nothing for a beginner."""


def of_model(error: ValidationError, value: Any, model: Any) -> list[Issue]:
    """All that is wrong with ``value``, which does not fit ``model``; at most 50."""
    found: dict[tuple[str, str], list[Issue]] = {}
    expected: dict[str, list[str]] = {}
    gots: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        path = _pointer(detail, value)
        if detail["type"] in _EXPECTED:
            expected.setdefault(path, []).append(_EXPECTED[detail["type"]])
            gots[path] = kind_of(detail["input"])
            found.setdefault((path, WRONG_TYPE), [])
        else:
            issue = _issue(path, detail, model)
            found.setdefault((path, issue.code), []).append(issue)
    issues: list[Issue] = []
    for (path, code), several in found.items():
        if code != WRONG_TYPE:
            issues.extend(dict.fromkeys(several))
        elif not any(other.startswith(f"{path}/") for other, _ in found):
            # A union complains once for each of its members, of the deepest of which only the last is of use.
            words = " or ".join(dict.fromkeys(expected[path]))
            issues.append(Issue(path, WRONG_TYPE, f"expected {words}, got {gots[path]}"))
    return issues[:MOST_ISSUES]


def of_parameters(extra: Iterable[Any], known: Mapping[str, tuple[str, Sequence[str]]]) -> list[Issue]:
    """What Litestar found wrong with the parameters of a request.

    ``known`` has, by its name in the handler, the name of each on the wire and the values of a closed one.
    """
    issues: list[Issue] = []
    for item in extra:
        key = str(item.get("key", ""))
        name, values = known.get(key, (key, ()))
        issues.append(_parameter(pointer("", name) if name else "", str(item.get("message", "")), values))
    return issues[:MOST_ISSUES]


def refusal(issues: Sequence[Issue], whole: str = "The body") -> InvalidInput:
    """One error that tells them all; its message is the first and how many more there are."""
    first = issues[0]
    more = f", and {len(issues) - 1} more" if len(issues) > 1 else ""
    return InvalidInput(f"{first.path or whole}: {first.message.rstrip('.')}{more}.", hint=first.hint, issues=issues)


def _issue(path: str, detail: ErrorDetails, model: Any) -> Issue:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        return Issue(path, "unknown_field", "is not a known field", _meant(name, model, detail["loc"][:-1]))
    if kind in {"string_too_short", "too_short"} and context.get("min_length") == 1:
        return Issue(path, "empty", "must not be empty")
    if kind == "string_pattern_mismatch" and context.get("pattern") in _FORMS:
        return Issue(path, "bad_format", _FORMS[context["pattern"]])
    if kind in _SAID:
        code, words = _SAID[kind]
        hint = None
        if kind in {"literal_error", "enum"} and isinstance(detail["input"], str):
            hint = did_you_mean(detail["input"], re.findall(r"'([^']*)'", str(context.get("expected", ""))))
            hint = hint if hint and hint.startswith("Did") else None
        return Issue(path, code, words.format_map(context), hint)
    return Issue(path, kind, detail["msg"])


def _parameter(path: str, message: str, values: Sequence[str]) -> Issue:
    if found := re.match(r"Expected `[\w| ]+` (<=|>=|<|>) (\S+)", message):
        words = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}[found[1]]
        return Issue(path, "out_of_range", f"must be {words} {found[2]}")
    if found := re.match(r"Expected `[\w| ]+` of length (<=|>=) (\d+)", message):
        most = found[1] == "<="
        return Issue(
            path,
            "too_long" if most else "too_short",
            f"must have at {'most' if most else 'least'} {found[2]} characters",
        )
    if found := re.match(r"Expected `(\w+)( \| null)?`", message):
        words = {"int": "a whole number", "float": "a number", "bool": "true or false", "uuid": "an id",
                 "datetime": "an ISO 8601 timestamp"}.get(found[1], "another value")  # fmt: skip
        return Issue(path, WRONG_TYPE, f"expected {words}")
    if found := re.match(r"Invalid enum value '(.*)'", message):
        hint = did_you_mean(found[1], values)
        said = f"must be one of {', '.join(values)}" if values else "is not one of the allowed values"
        return Issue(path, "not_allowed", said, hint if hint and hint.startswith("Did") else None)
    if "datetime" in message.lower() or "RFC3339" in message:
        return Issue(path, "bad_format", "must be an ISO 8601 timestamp, such as 2026-01-01T00:00:00Z")
    return Issue(path, "invalid", "is not a valid value")


def _pointer(detail: ErrorDetails, value: Any) -> str:
    """The pointer of a complaint's place. What pydantic adds to it to name the member of a union is left out."""
    path = ""
    for at, key in enumerate(detail["loc"]):
        last = at == len(detail["loc"]) - 1
        if isinstance(value, dict) and key in value:
            value, path = cast("dict[Any, Any]", value)[key], pointer(path, key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(cast("list[Any]", value)):
            value, path = cast("list[Any]", value)[key], pointer(path, key)
        elif last and detail["type"] == "missing":
            path = pointer(path, key)
    return path


def _fields(model: Any, loc: Sequence[int | str]) -> list[str]:
    """The names of the fields at ``loc`` within ``model``, as they are on the wire."""
    kinds = list(members(model))
    for key in loc:
        inside = [inner for kind in kinds for inner in _within(kind, key)]
        named = [kind for kind in kinds if getattr(kind, "__name__", None) == key]
        kinds = inside or named or kinds
    return [field.alias or name for kind in kinds if _is_model(kind) for name, field in kind.model_fields.items()]


def _meant(name: str, model: Any, loc: Sequence[int | str]) -> str | None:
    """The hint for a field that does not exist: what the model says of that name, or the closest of its fields."""
    hints: Mapping[str, str] = getattr(model, "HINTS", {})
    if not loc and name in hints:
        return hints[name]
    known = _fields(model, loc)
    same = [field for field in known if _plain(field) == _plain(name)]
    return f"Did you mean {same[0]!r}?" if same else did_you_mean(name, known)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _within(annotation: Any, key: int | str) -> Iterator[Any]:
    if _is_model(annotation):
        for name, field in annotation.model_fields.items():
            if key in (name, field.alias):
                yield from members(field.annotation)
    elif get_args(annotation):
        yield from members(get_args(annotation)[-1 if isinstance(key, str) else 0])


def members(annotation: Any) -> Iterator[Any]:
    """The members of a union, or the one type that it is."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from members(member)
    else:
        yield annotation


def kind_of(value: Any) -> str:
    """What a value is, in a word; never a text itself, which may be a secret."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)[:20]
    return {str: "text", list: "a list", dict: "an object"}.get(value.__class__, "something else")
