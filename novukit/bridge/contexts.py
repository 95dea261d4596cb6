"""Contexts as the wire writes them: ``{type: id}`` or ``{type: {id, data}}`` in a body, ``type:id`` in a filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from ..errors import InvalidInput, Issue
from ..model import ContextKeys, ContextPart, GivenContext, SubscriberData
from ..model.context import MOST_CONTEXTS, joined
from .body import pointer
from .issues import kind_of, refusal
from .wire import Wire, read

_part: TypeAdapter[str] = TypeAdapter(ContextPart)


class ContextIn(Wire):
    """One context of a body."""

    id: ContextPart
    data: SubscriberData | None = None


def read_context(value: Any, path: str, issues: list[Issue]) -> dict[str, GivenContext]:
    """The contexts of a body; ``{}`` for null. What is wrong goes to ``issues``, with ``path`` before its pointers."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        issues.append(Issue(path, "wrong_type", f"expected an object of contexts by type, got {kind_of(value)}"))
        return {}
    given = cast("dict[str, Any]", value)
    if len(given) > MOST_CONTEXTS:
        issues.append(Issue(path, "too_long", f"must have at most {MOST_CONTEXTS} contexts, not {len(given)}"))
        return {}
    found: dict[str, GivenContext] = {}
    for kind, one in given.items():
        at = pointer(path, kind)
        if not fits(kind):
            issues.append(Issue(at, "bad_format", "is not the type of a context, such as tenant"))
        elif read := _read_one(one, at, issues):
            found[kind] = read
    return found


def context_filter(
    keys: Sequence[str] | None, path: str = "/contextKeys", whole: str = "The query"
) -> ContextKeys | None:
    """The text that a filter ``contextKeys`` means: exactly these. ``None`` when it is not asked for; one that is empty
    means «without a context».

    Raises :class:`InvalidInput` for what is no key.
    """
    issues: list[Issue] = []
    found = read_keys(keys, path, issues)
    if issues:
        raise refusal(issues, whole)
    return found


def read_keys(keys: Sequence[str] | None, path: str, issues: list[Issue]) -> ContextKeys | None:
    """As :func:`context_filter`, with what is wrong in ``issues``."""
    if keys is None:
        return None
    named = [key for key in keys if key]
    for key in named:
        kind, _, context_id = key.partition(":")
        if not (fits(kind) and fits(context_id)):
            issues.append(Issue(path, "bad_format", f"{key[:64]!r} is not the key of a context, such as tenant:acme"))
    return joined(named)


def fits(part: str) -> bool:
    """Whether ``part`` can be the type of a context, or its id."""
    try:
        _part.validate_python(part)
    except ValidationError:
        return False
    return True


def _read_one(value: Any, path: str, issues: list[Issue]) -> GivenContext | None:
    if not isinstance(value, str | dict):
        issues.append(Issue(path, "wrong_type", f"expected the id of a context or an object, got {kind_of(value)}"))
        return None
    try:
        one = read(ContextIn, {"id": value} if isinstance(value, str) else value)
    except InvalidInput as err:
        issues += [
            Issue(path if isinstance(value, str) else path + issue.path, issue.code, issue.message, issue.hint)
            for issue in err.issues
        ]
        return None
    return GivenContext(id=one.id, data=one.data)
