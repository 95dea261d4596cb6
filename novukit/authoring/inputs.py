"""A step's inputs: what the author wrote, checked and turned to JSON data; a mistake is named by step and argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from ..errors import StepMisuse, did_you_mean
from . import wording

I = TypeVar("I", bound=BaseModel)  # noqa: E741

KEY_LENGTH = 255
DEEPEST = 100
_SUSPECT = re.compile(rb"NaN|Infinity|\\u0000")
_NUL = "\x00"
_HINTS = {
    "url": "Give an http(s) URL, or a path that begins with «/».",
    "name": "A file has a name without folders or line breaks.",
    "mime": "Write it as in application/pdf.",
    "subject": "Texts are plain str; format other values first.",
    "body": "Texts are plain str; format other values first.",
}


def build(step: str, model: type[I], values: dict[str, Any]) -> I:
    """``values`` as ``model``; else :class:`StepMisuse` with an issue for every mistake."""
    for argument, value in values.items():
        if type(value) is str and not _keepable(value):
            raise StepMisuse(
                f"Step {step!r}: {argument} holds characters that no database or provider can keep.",
                hint="Take out NUL and lone surrogates, as in text.encode(errors='ignore').decode().",
            )
    try:
        # The validator is called directly: twice as fast as the constructor, on the path of every step.
        return cast("I", model.__pydantic_validator__.validate_python(values))
    except ValidationError as err:
        raise _misuse(step, model, err) from None


def data(step: str, argument: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    """``value`` as JSON data: models, dataclasses, dates become what they are in JSON.

    Rendering and the record see only this, so that a first run and a replay see the same.
    """
    if not value:
        return {}
    if not isinstance(value, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise StepMisuse(f"Step {step!r}: {argument} must be a mapping, not {wording.kind_of(value)}.")
    try:
        text = to_json(dict(value), by_alias=False, inf_nan_mode="constants")
    except (PydanticSerializationError, ValueError, RecursionError):
        raise _unfit(step, argument, value) from None
    plain: dict[str, Any] = from_json(text)
    if _SUSPECT.search(text) and _unfit_part(plain, ""):
        raise _unfit(step, argument, plain)
    return plain


def key(step: str, argument: str, value: object) -> str:
    """A loop's or a digest's key: text of at most 255 characters."""
    if type(value) is str and len(value) <= KEY_LENGTH and _NUL not in value:
        return value
    if not isinstance(value, str):
        raise StepMisuse(
            f"Step {step!r}: {argument} must be text, not {wording.kind_of(value)}.",
            hint=f"Write {argument}=str(…).",
        )
    if len(value) > KEY_LENGTH:
        raise StepMisuse(
            f"Step {step!r}: {argument} has {len(value)} characters; at most {KEY_LENGTH} are kept.",
            hint="Use an id, or a hash of what is long.",
        )
    if _NUL in value:
        raise StepMisuse(f"Step {step!r}: {argument} holds the NUL character, which a database cannot keep.")
    return str(value)


def _keepable(text: str) -> bool:
    if _NUL in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _misuse(step: str, model: type[BaseModel], error: ValidationError) -> StepMisuse:
    issues = wording.issues_of(error, model)
    first = error.errors(include_url=False)[0]
    more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
    argument = str(first["loc"][0]) if first["loc"] else ""
    hint = did_you_mean(argument, (*wording.names_of(model), "key")) if first["type"] == "extra_forbidden" else None
    if hint is None and first["type"] in ("string_type", "string_pattern_mismatch"):
        hint = _HINTS.get(str(first["loc"][-1]))
    message = f"Step {step!r}: {wording.place(first['loc'])} {wording.said(first)}{more}."
    return StepMisuse(message, hint=hint, issues=issues)


def _unfit(step: str, argument: str, value: object) -> StepMisuse:
    where, why = _unfit_part(value, "") or ("", "cannot be written as JSON")
    return StepMisuse(
        f"Step {step!r}: {argument}{where} {why}.",
        hint="Give plain values, pydantic models, dataclasses, dates, decimals or enums.",
    )


def _unfit_part(value: Any, where: str, depth: int = 0) -> tuple[str, str] | None:
    """The first part of ``value`` that JSON or a database cannot hold, and why."""
    if depth > DEEPEST:
        return where.partition("]")[0] + "]", f"contains itself, or is nested deeper than {DEEPEST} levels"
    if not isinstance(value, Mapping | list | tuple):
        return _unfit_leaf(value, where)
    for name, part in _parts(cast("Any", value)):
        if found := _unfit_part(part, f"{where}[{name!r}]", depth + 1):
            return found
        if isinstance(name, str) and _NUL in name:
            return where, "has a key with the NUL character, which a database cannot keep"
    return None


def _parts(value: Mapping[Any, Any] | Sequence[Any]) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else enumerate(value)


def _unfit_leaf(value: Any, where: str) -> tuple[str, str] | None:
    try:
        text = to_json(value, by_alias=False, inf_nan_mode="constants")
    except (PydanticSerializationError, ValueError, RecursionError):
        return where, f"is {wording.kind_of(value)}, which cannot be written as JSON"
    if isinstance(value, float) and text in (b"NaN", b"Infinity", b"-Infinity"):
        return where, "is not a finite number"
    if isinstance(value, str) and _NUL in value:
        return where, "holds the NUL character, which a database cannot keep"
    return None
