"""What goes over the wire: strict camelCase models, envelopes, timestamps, ids and parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Generic, NoReturn, TypeVar
from uuid import UUID

from litestar.params import QueryParameter
from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    WithJsonSchema,
    model_serializer,
)  # fmt: skip
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from ..errors import InvalidInput, Issue, NotFound
from ..store.pages import Page
from . import issues

T = TypeVar("T")
Row = TypeVar("Row")
W = TypeVar("W", bound="Wire")


def wire_name(field: str) -> str:
    """A field's name on the wire: ``provider_id`` is ``providerId``, and ``environment_id_`` is ``_environmentId``."""
    return f"_{to_camel(field[:-1])}" if field.endswith("_") else to_camel(field)


class Wire(BaseModel):
    """A body as it is on the wire. In Python its fields are snake_case, on the wire camelCase, and strict there.

    Going out, a field that is ``None`` is ``null`` if it has no default, and left out if ``None`` is its default: some
    SDKs refuse a null where they know a key that may be absent.
    """

    model_config = ConfigDict(
        alias_generator=wire_name,
        validate_by_name=True,
        validate_by_alias=True,
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    @model_serializer(mode="wrap")
    def _leave_out_absent(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        absent = _absentable(type(self))
        return {key: value for key, value in dump(self).items() if value is not None or key not in absent}


@cache
def _absentable(model: type[BaseModel]) -> frozenset[str]:
    """The names, in Python and on the wire, of the fields whose default is ``None``."""
    absent = {name: field for name, field in model.model_fields.items() if field.default is None}
    return frozenset(absent) | {field.serialization_alias or field.alias or "" for field in absent.values()}


def iso(at: datetime) -> str:
    """``at`` in UTC with milliseconds: ``2026-01-01T00:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in a response; see :func:`iso`."""


class Data(Wire, Generic[T]):
    """The envelope of every success."""

    data: T


class CursorPage(Wire, Generic[T]):
    """A page of a list by cursor. All five fields are always there."""

    data: list[T]
    next: str | None
    previous: str | None
    total_count: int
    total_count_capped: bool


def envelope(data: T) -> Data[T]:
    """``data`` in the envelope. (Not named ``data``: that is what Litestar calls a handler's body.)"""
    return Data[Any].model_construct(data=data)


def cursor_page(page: Page[Row], to_wire: Callable[[Row], T]) -> CursorPage[T]:
    """A page of the store as it is on the wire."""
    return CursorPage[Any].model_construct(
        data=[to_wire(row) for row in page.data],
        next=page.next,
        previous=page.previous,
        total_count=page.total,
        total_count_capped=page.capped,
    )


def read(model: type[W], value: Any) -> W:
    """``value``, which came as JSON, as a ``model``.

    Raises :class:`InvalidInput` that names each thing that is wrong, with its JSON pointer.
    """
    try:
        # Through JSON, because strict means something else there: a timestamp, an id, a tuple have no other form.
        return model.model_validate_json(_as_json(value), by_alias=True, by_name=False)
    except ValidationError as err:
        refuse(err, value, model)


def _as_json(value: Any) -> bytes | str:
    try:
        return to_json(value)  # a fifth of the time
    except ValueError:  # half a surrogate pair, or too deep
        return json.dumps(value)


def read_at(model: type[W], value: Any, path: str, found: list[Issue]) -> W | None:
    """``value`` as a ``model``; or ``None``, and what is wrong in ``found``, with ``path`` before its pointers."""
    try:
        return read(model, value)
    except InvalidInput as err:
        found += [Issue(path + issue.path, issue.code, issue.message, issue.hint) for issue in err.issues]
        return None


def refuse(error: ValidationError, value: Any, model: Any) -> NoReturn:
    """Raise the :class:`InvalidInput` that tells what pydantic found wrong with ``value``."""
    raise issues.refusal(issues.of_model(error, value, model)) from None


def is_wire(annotation: Any) -> bool:
    """Whether Litestar should read this type with :func:`read`."""
    return isinstance(annotation, type) and issubclass(annotation, Wire)


def number(text: str) -> int:
    """A whole number in a query: ``20``, and ``20.0`` as one SDK sends it.

    Raises :class:`InvalidInput` for anything else.
    """
    if not re.fullmatch(r"-?\d{1,19}(\.0+)?", text, re.ASCII):
        raise InvalidInput("expected a whole number", issues=[Issue("", issues.WRONG_TYPE, "expected a whole number")])
    return int(text.partition(".")[0])


def identify(text: str, what: str) -> UUID:
    """The id in a path. One that cannot be an id is :class:`NotFound`, as one that nothing has."""
    try:
        if len(text) == 36:
            return UUID(text)
    except ValueError:
        pass
    raise missing(what, text)


def missing(what: str, name: object) -> NotFound:
    """There is no ``what`` of this name in the caller's environment."""
    text = str(name)
    shown = "".join(c if c.isprintable() else "?" for c in text[:64]) + ("…" if len(text) > 64 else "")
    return NotFound(f"There is no {what} {shown!r} in this environment.")


Limit = Annotated[int, QueryParameter(ge=1, le=100, description="How many, 1 to 100.")]
"""The ``limit`` of a list: ``limit: Limit = 10``."""
