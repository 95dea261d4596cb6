"""What is wrong with the settings, said in the words of the file: where, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import Issue, SettingsInvalid, did_you_mean
from .document import Document, Place

EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false, without quotes",
    "tuple_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "path_type": "the path of a folder, in quotes",
}


def explain(
    err: ValidationError, model: type[BaseModel], document: Document, variables: Mapping[str, str]
) -> SettingsInvalid:
    """One error that tells of everything that is wrong, each with its place."""
    errors = sorted(err.errors(include_url=False), key=lambda error: document.where(error["loc"]))[:50]
    found = [_explain_one(error, model, document, variables) for error in errors]
    if len(found) == 1:
        issue, head, line = found[0]
        return SettingsInvalid(f"{head}{line}", hint=issue.hint, issues=[issue])
    text = "\n".join(f"{head}{f' {issue.hint}' if issue.hint else ''}{line}" for issue, head, line in found)
    return SettingsInvalid(f"{len(found)} settings are wrong.\n{text}", issues=[issue for issue, _, _ in found])


def misplaced(document: Document, key: str) -> SettingsInvalid:
    """A key that must not stand in the file."""
    where, line = document.cite((key,))
    hint = "Set the environment variable NOVUKIT_SECRET_KEY instead." if key == "secret_key" else "Remove it."
    text = f"{key!r} cannot be set in the file."
    return SettingsInvalid(f"{where}: {text}\n{line}", hint=hint, issues=[Issue(f"/{key}", "misplaced", text, hint)])


def twice(document: Document, identifier: str, place: Place, first: Place) -> SettingsInvalid:
    """Two integrations with one identifier."""
    where, line = document.cite(place)
    text = f"integration {identifier!r} is declared twice, first on line {document.where(first)[0]}."
    hint = "Give each integration an identifier of its own."
    return SettingsInvalid(
        f"{where}: {text}\n{line}", hint=hint, issues=[Issue(_pointer(place), "duplicate", text, hint)]
    )


def written_secret(document: Document, identifier: str, number: int, name: str) -> SettingsInvalid:
    """A secret in plain text."""
    place = ("integrations", number, "credentials", name)
    where, _ = document.cite(place)
    text = f"the secret {name!r} of integration {identifier!r} stands in the file in plain text."
    hint = f'Write {name} = {{ env = "{identifier.upper().replace("-", "_").replace(".", "_")}_{name.upper()}" }}.'
    return SettingsInvalid(f"{where}: {text}", hint=hint, issues=[Issue(_pointer(place), "secret_in_file", text, hint)])


def _explain_one(
    error: ErrorDetails, model: type[BaseModel], document: Document, variables: Mapping[str, str]
) -> tuple[Issue, str, str]:
    place = tuple(error["loc"])
    name = ".".join(str(part) for part in place if isinstance(part, str)) or "the file"
    what, hint = _words(error, name, model, place)
    issue = Issue(_pointer(place), error["type"], what, hint)
    named = [".".join(map(str, place[:length])) for length in (1, 2)]
    if variable := next((variables[one] for one in named if one in variables), None):
        return issue, f"Environment variable {variable}: {what}", ""
    where, line = document.cite(place)
    return issue, f"{where}: {what}", f"\n{line}"


def _words(error: ErrorDetails, name: str, model: type[BaseModel], place: Place) -> tuple[str, str | None]:
    """What is wrong, and what to do."""
    value, ctx = error["input"], error.get("ctx", {})
    hint = None
    match error["type"]:
        case "extra_forbidden":
            return f"{name!r} is not a setting.", did_you_mean(str(place[-1]), _fields(model, place[:-1]))
        case "missing":
            return f"{name} is missing.", f"Add {place[-1]} = …"
        case "value_error":
            text = f"{name}: {ctx.get('error', error['msg'])}"
        case "literal_error":
            text = f"{name} must be one of {ctx['expected']}, not {_shown(name, value)}."
        case "string_pattern_mismatch":
            text = f"{name} must be made of {LETTERS.get(str(place[-1]), SLUG_LETTERS)}, not {_shown(name, value)}."
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            low, high = RANGES[str(place[-1])]
            text = f"{name} must be between {low} and {high}, not {value}."
        case kind if kind in EXPECTED:
            text = f"{name} must be {EXPECTED[kind]}, not {_shown(name, value)}."
            if isinstance(value, str) and kind == "tuple_type":
                hint = f'Write {place[-1]} = ["{value[:64]}"].'
            elif isinstance(value, str) and kind in ("int_type", "float_type", "bool_type"):
                hint = "Remove the quotes."
        case _:
            text = f"{name}: {error['msg'][:1].lower()}{error['msg'][1:]}."
    return text, hint


LETTERS = {"identifier": "letters, digits, _ . and -", "env": "the letters, digits and _ of a variable's name"}
SLUG_LETTERS = "small letters, digits and -"
RANGES = {
    "concurrency": ("1", "1000"),
    "weight": ("0", "1000"),
    "rate": ("0", "100000 messages a second"),
    "port": ("0", "65535"),
    "lease": ("0", "86400 seconds"),
    "sweep": ("0", "86400 seconds"),
    "grace": ("0", "86400 seconds"),
}


def _shown(name: str, value: Any) -> str:
    """The value as the file has it; never where it may be a secret."""
    if "credentials" in name or "key" in name or name in ("database", "broker"):
        return "this"
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'the text "{value[:64]}"'
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
        case _:
            return str(value)[:64]


def _fields(model: type[BaseModel], place: Place) -> set[str]:
    """The names that are known at ``place``."""
    from . import NOT_IN_FILE

    current: type[BaseModel] = model
    for part in place:
        if isinstance(part, str) and part in current.model_fields:
            inner = _models(current.model_fields[part].annotation)
            if inner:
                current = inner[0]
    return set(current.model_fields) - (NOT_IN_FILE if current is model else set())


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models(argument)]


def _pointer(place: Place) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in place)
