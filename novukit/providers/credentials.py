"""What a provider asks of an integration: typed credentials, how they are read, and how they are described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretBytes, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from ..errors import CredentialsInvalid, Issue, did_you_mean
from .redaction import mask


class Credentials(BaseModel):
    """What an integration must be given before its provider can send. Subclass it and list the fields.

    A secret is a ``SecretStr``: it is masked wherever it could be printed. Every field is read under its own name
    (``api_key``, as in ``novukit.toml``) and in camel case (``apiKey``, as on the wire); ``Field(alias=…)`` sets
    another wire name, ``Field(description=…)`` is what a form shows.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )


class NoCredentials(Credentials):
    """For a provider that needs none."""


class EmailCredentials(Credentials):
    """What every e-mail integration may be given: the default sender."""

    sender: str | None = Field(
        default=None,
        alias="from",
        pattern=r"^[^\s@<>]+@[^\s@<>]+$",
        description="Address that messages come from unless the step says otherwise.",
    )
    sender_name: str | None = Field(default=None, description="Name shown beside the sender's address.")


class SmsCredentials(Credentials):
    """What every SMS integration may be given: the default sender."""

    sender: str | None = Field(
        default=None, alias="from", description="Number or name that messages come from unless the step says otherwise."
    )


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One field of a provider's credentials. ``wire`` is its name in the REST API, ``name`` the one in Python."""

    name: str
    wire: str
    required: bool
    secret: bool
    description: str


def describe(credentials_type: type[Credentials]) -> list[CredentialField]:
    """The fields of ``credentials_type``, required ones first, otherwise in the order in which they are declared."""
    fields = [
        CredentialField(
            name=name,
            wire=field.alias or name,
            required=field.is_required(),
            secret=is_secret(field.annotation),
            description=field.description or "",
        )
        for name, field in credentials_type.model_fields.items()
    ]
    return sorted(fields, key=lambda field: not field.required)


def is_secret(annotation: Any) -> bool:
    """Whether a field of this type is masked."""
    return annotation in (SecretStr, SecretBytes) or any(is_secret(arg) for arg in get_args(annotation))


_PLAIN = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
}
"""What pydantic says in the words of a programmer."""

K = TypeVar("K", bound=Credentials)


def read(credentials_type: type[K], raw: Mapping[str, Any], *, provider_id: str) -> K:
    """Check ``raw`` against what the provider asks for.

    None and ``""`` count as left out; a newline at the end (as a file or a shell leaves it) is dropped.
    Raises CredentialsInvalid with an issue for each field, its path being ``/<field as the caller wrote it>``.
    """
    fields = {field.name: field for field in describe(credentials_type)}
    wire_names = {field.wire: name for name, field in fields.items()}
    given: dict[str, Any] = {}
    written: dict[str, str] = {}
    issues: list[Issue] = []
    for key, value in raw.items():
        name = wire_names.get(key) or (key if key in fields else None)
        if name is None:
            hint = did_you_mean(key, wire_names) or f"{provider_id} takes no credentials."
            issues.append(Issue(pointer(key), "unknown_field", f"{provider_id} has no credential {key[:64]!r}.", hint))
        elif name in written:
            message = f"{key!r} and {written[name]!r} are the same credential; give one of them."
            issues.append(Issue(pointer(key), "given_twice", message))
        else:
            written[name] = key
            if value not in (None, ""):
                given[fields[name].wire] = value.rstrip("\r\n") if isinstance(value, str) else value
    try:
        credentials = credentials_type.model_validate(given)
    except ValidationError as err:
        secrets = [str(given[field.wire]) for field in fields.values() if field.secret and field.wire in given]
        for problem in err.errors(include_url=False, include_input=False, include_context=False):
            wire = str(problem["loc"][0]) if problem["loc"] else ""
            field = fields.get(wire_names.get(wire, wire))
            key = written.get(field.name, field.wire) if field else wire
            message, code, hint = sentence(key, problem["type"], mask(problem["msg"], secrets))
            issues.append(
                Issue(pointer(key) if key else "", code, message, hint or (field and field.description) or None)
            )
        raise refusal(provider_id, issues) from None
    if issues:
        raise refusal(provider_id, issues)
    return credentials


def sentence(key: str, kind: str, message: str) -> tuple[str, str, str | None]:
    """What is wrong with one field: the message, its code and, where there is one, a hint."""
    if kind == "missing":
        return f"{key!r} is required.", "required", None
    said = message.removeprefix("Value error, ").replace("Input should be", "must be", 1)
    code = "invalid" if kind == "value_error" else kind
    if kind in _PLAIN:
        code, said = "wrong_type", f"must be {_PLAIN[kind]}"
    return f"{key!r} {said}." if key else f"{said[:1].upper()}{said[1:]}.", code, None


def refusal(provider_id: str, issues: list[Issue]) -> CredentialsInvalid:
    """All issues in one error, which names the fields."""
    said = " ".join(f"{issue.message} {issue.hint or ''}".strip() for issue in issues[:5])
    return CredentialsInvalid(f"The credentials of {provider_id} are not right. {said}", issues=issues)


def pointer(key: str) -> str:
    """``key`` as a JSON Pointer (RFC 6901)."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


_NO_SECRET = frozenset({str, int, float, bool, NoneType})


def secrets_of(credentials: BaseModel) -> list[str]:
    """The secret values in ``credentials``, to be masked in whatever is told of a call."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if type(value) in _NO_SECRET:
            return
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
        elif isinstance(value, SecretBytes):
            found.append(value.get_secret_value().decode("utf-8", "replace"))
        elif isinstance(value, BaseModel):
            for item in list(vars(value).values()):
                walk(item)
        elif isinstance(value, Mapping):
            for item in list(value.values()):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
                walk(item)
        elif isinstance(value, list | tuple | set | frozenset):
            for item in list(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
                walk(item)

    walk(credentials)
    return found
