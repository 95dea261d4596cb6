"""Say in plain words what pydantic found wrong, so that no library's dump ever reaches a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import Issue, did_you_mean

_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "string_type": "must be text",
    "string_unicode": "holds characters that are no Unicode text",
    "bool_type": "must be True or False",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "is_instance_of": "has the wrong type",
    "string_pattern_mismatch": "does not have the form that it needs",
    "int_parsing": "must be a whole number, not text",
    "float_parsing": "must be a number, not text",
    "decimal_parsing": "must be a number, not text",
    "bool_parsing": "must be True or False",
    "uuid_parsing": "must be a UUID",
    "datetime_parsing": "must be a date and time, as in 2026-01-31T09:00:00Z",
    "datetime_from_date_parsing": "must be a date and time, as in 2026-01-31T09:00:00Z",
    "date_parsing": "must be a date, as in 2026-01-31",
    "date_from_datetime_parsing": "must be a date, as in 2026-01-31",
    "time_delta_parsing": "must be a span of time, as in PT1H30M",
}
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "nothing"),
    (bool, "True or False"),
    ((int, float), "a number"),
    (str, "text"),
    ((list, tuple), "a list"),
    (dict, "a mapping"),
)
_SUBJECT = re.compile(r"^[A-Z][A-Za-z ]*? should ")
_ARTICLE = re.compile(r"^(an?|text|nothing|True)\b")


def said(error: ErrorDetails) -> str:
    """What is wrong with one value, as the end of a sentence: ``must be text, not a number``."""
    kind = error["type"]
    if kind == "value_error":
        return f"is refused: {error['msg'].removeprefix('Value error, ').rstrip('.')}"
    if kind in ("model_type", "model_attributes_type", "dataclass_type"):
        name = error.get("ctx", {}).get("class_name", "mapping")
        return f"must be {_an(str(name))}, not {kind_of(error['input'])}"
    text = _SENTENCES.get(kind) or _SUBJECT.sub("must ", error["msg"])
    if kind.endswith("_type"):
        text += f", not {kind_of(error['input'])}"
    return text


def place(path: Iterable[int | str]) -> str:
    """A path as one would write it in Python: ``primary_action.redirect.url``, ``cc[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def pointer(path: Iterable[int | str]) -> str:
    """A path as a JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def kind_of(value: object) -> str:
    """What ``value`` is, without saying what it says: it may be a secret."""
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return _an(type(value).__name__)


def issues_of(error: ValidationError, model: type[BaseModel], *, under: str = "") -> list[Issue]:
    """Every mistake in a validation error; ``under`` is the JSON Pointer of what was validated."""
    return [
        Issue(
            under + pointer(details["loc"]),
            details["type"],
            f"{place(details['loc']) or 'The whole'} {said(details)}.",
            _unknown(details, model) if details["type"] == "extra_forbidden" else None,
        )
        for details in error.errors(include_url=False)[:50]
    ]


def _unknown(details: ErrorDetails, model: type[BaseModel]) -> str | None:
    *parents, name = details["loc"]
    if parents:
        return None
    return did_you_mean(str(name), names_of(model))


def names_of(model: type[BaseModel]) -> Sequence[str]:
    """The names under which a model's fields may be given."""
    fields: Mapping[str, Any] = model.model_fields
    return [field.alias or name for name, field in fields.items()]


def _an(noun: str) -> str:
    if _ARTICLE.match(noun):
        return noun
    return f"{'an' if noun[:1] in 'AEIOUaeiou' else 'a'} {noun}"
