"""The parameters in a URL, held to what the handler declares: none unknown, none twice, whole numbers as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl, urlencode

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.params import PathParameter, QueryParameter
from litestar.typing import FieldDefinition

from ..errors import InvalidInput, Issue, NotFound, did_you_mean
from . import issues
from .body import pointer
from .wire import number

LONGEST_PATH_PARAMETER = 512
ANY_QUERY = "any_query"
"""The option of a handler that does the same whatever the query says."""


@dataclass(frozen=True)
class Query:
    """A declared query parameter: its name in the handler, may it come more than once, is it a whole number, and the
    values of a closed one."""

    field: str
    many: bool
    whole: bool
    values: tuple[str, ...]


async def check(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A Litestar guard. Raises :class:`InvalidInput` for the query, :class:`NotFound` for a path that can name nothing.

    One SDK sends every number as a float (``limit=20.0``); Litestar is given ``limit=20``.
    """
    for value in connection.path_params.values():
        if isinstance(value, str) and (len(value) > LONGEST_PATH_PARAMETER or not value.isprintable()):
            raise NotFound
    raw = connection.scope["query_string"]
    if not raw or handler.opt.get(ANY_QUERY):
        return
    known = declared(handler)
    found: list[Issue] = []
    seen: set[str] = set()
    pairs: list[tuple[str, str]] = []
    try:
        sent = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1_000)
    except ValueError:
        message = "The query of the URL cannot be read."
        raise InvalidInput(
            message, hint="Encode it as UTF-8 with %XX.", issues=[Issue("", "bad_format", message)]
        ) from None
    for name, value in sent:
        path, query = pointer("", name[:64]), known.get(name)
        if query is None:
            found.append(Issue(path, "unknown_parameter", "is not a known parameter", did_you_mean(name[:64], known)))
        elif name in seen and not query.many:
            found.append(Issue(path, "repeated_parameter", "is given twice"))
        elif "\x00" in value:
            found.append(Issue(path, "nul_character", "holds the NUL character, which is not allowed"))
        else:
            pairs.append((name, _whole(path, value, found) if query.whole else value))
        seen.add(name)
    if found:
        raise issues.refusal(found[: issues.MOST_ISSUES], "The query")
    connection.scope["query_string"] = urlencode(pairs).encode()


@cache
def declared(handler: BaseRouteHandler) -> Mapping[str, Query]:
    """The query parameters of a handler and of its dependencies, by their names on the wire."""
    fields = list(handler.parsed_fn_signature.parameters.values())
    for provide in handler.resolve_dependencies().values():
        fields += provide.parsed_fn_signature.parameters.values()
    return {
        field.kwarg_definition.name or field.name: _describe(field)
        for field in fields
        if isinstance(field.kwarg_definition, QueryParameter)
    }


def path_parameters(handler: BaseRouteHandler) -> frozenset[str]:
    """The names of the parameters in a handler's path."""
    return frozenset(
        name
        for name, field in handler.parsed_fn_signature.parameters.items()
        if isinstance(field.kwarg_definition, PathParameter)
    )


def _describe(field: FieldDefinition) -> Query:
    members = list(issues.members(field.annotation))
    inner = [arg for member in members if get_origin(member) is list for arg in get_args(member)]
    return Query(
        field=field.name,
        many=field.is_non_string_sequence or bool(inner),
        whole=int in members,
        values=tuple(value for member in [*members, *inner] for value in _values(member)),
    )


def _values(kind: Any) -> list[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(one.value) for one in kind]
    return [str(value) for value in get_args(kind)] if get_origin(kind) is Literal else []


def _whole(path: str, value: str, found: list[Issue]) -> str:
    try:
        return str(number(value))
    except InvalidInput:
        found.append(Issue(path, issues.WRONG_TYPE, "expected a whole number"))
        return value
