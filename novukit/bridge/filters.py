"""Filters of an inbox as the wire writes them: marks, tags, data, severity and time; one, or a JSON list of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pydantic import Field

from ..errors import Issue
from ..model import Severity
from ..store.messages import InboxFilter, Scalar
from .body import pointer
from .contexts import read_keys
from .issues import refusal
from .wire import Wire, read_at

MOST_FILTERS = 30
MOST_GROUPS, MOST_TAGS_OF_A_GROUP, MOST_TAGS = 30, 100, 200
UNREAD_IN_ARCHIVE = "unread_in_archive"
"""The issue code of what is a 400: what is archived is read."""
LAST_MOMENT = 253_402_300_799_999
"""The end of the year 9999 in milliseconds since 1970."""


class FilterIn(Wire):
    """Which notifications are meant, in JSON. ``data`` comes as an object or as the JSON text of one."""

    read: bool | None = None
    seen: bool | None = None
    archived: bool | None = None
    snoozed: bool | None = None
    tags: list[str] | list[list[str]] | dict[str, Any] | None = None
    data: str | dict[str, Any] | None = None
    severity: Severity | list[Severity] | None = None
    created_gte: int | None = Field(default=None, ge=0, le=LAST_MOMENT)
    created_lte: int | None = Field(default=None, ge=0, le=LAST_MOMENT)
    context_keys: list[str] | None = None


def inbox_filter(asked: FilterIn, path: str, issues: list[Issue]) -> InboxFilter:
    """The store's filter for one of the wire; what is wrong goes to ``issues``, with ``path`` before its pointers."""
    if asked.read is False and asked.archived:
        message = "cannot be asked for together with archived: what is archived is read"
        issues.append(Issue(f"{path}/read", UNREAD_IN_ARCHIVE, message))
    severity = asked.severity or ()
    return InboxFilter(
        read=asked.read,
        seen=asked.seen,
        archived=asked.archived,
        snoozed=asked.snoozed,
        tags=_tag_groups(asked.tags, f"{path}/tags", issues),
        data=_data_filter(asked.data, f"{path}/data", issues),
        severity=[severity] if isinstance(severity, str) else severity,
        created_from=_moment(asked.created_gte),
        created_to=_moment(asked.created_lte, through=True),
        context_keys=read_keys(asked.context_keys, f"{path}/contextKeys", issues),
    )


def _moment(milliseconds: int | None, *, through: bool = False) -> datetime | None:
    """A time in milliseconds since 1970; ``through`` to the end of that millisecond, for clients see no finer ones."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC) + timedelta(microseconds=999 if through else 0)


def _tag_groups(asked: Any, path: str, issues: list[Issue]) -> Sequence[Sequence[str]]:
    """``[tag, …]``, ``[[tag, …], …]``, ``{"or": [tag, …]}`` or ``{"and": [{"or": [tag, …]}, …]}``."""
    if isinstance(asked, list) and asked and isinstance(asked[0], list):
        groups = cast("list[list[Any]] | None", asked)
    else:
        groups = _groups(asked) if asked else []
    if groups is None or not all(isinstance(tag, str) for group in groups for tag in group):
        issues.append(Issue(path, "wrong_type", "must be a list of tags, or such lists in `or` and `and`"))
        return ()
    sizes = [len(group) for group in groups]
    if len(sizes) > MOST_GROUPS or max(sizes, default=0) > MOST_TAGS_OF_A_GROUP or sum(sizes) > MOST_TAGS:
        limits = f"{MOST_GROUPS} groups of {MOST_TAGS_OF_A_GROUP} tags, {MOST_TAGS} in all"
        issues.append(Issue(path, "too_long", f"must have at most {limits}"))
    return [cast("list[str]", group) for group in groups if group]


_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def _data_filter(
    asked: str | dict[str, Any] | None, path: str, issues: list[Issue]
) -> dict[str, Sequence[Sequence[Scalar]]]:
    """``{key: value}`` with a value, a list of alternatives, ``{"or": […]}`` or ``{"and": [{"or": […]}, …]}``."""
    if isinstance(asked, str):
        try:
            asked = json.loads(asked) if asked else None
        except (ValueError, RecursionError):
            issues.append(Issue(path, "malformed_json", "must be the JSON text of an object"))
            return {}
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        issues.append(Issue(path, "wrong_type", "expected an object"))
        return {}
    found: dict[str, Sequence[Sequence[Scalar]]] = {}
    for key, value in asked.items():
        groups = _groups(value)
        if groups is None:
            message = "must be a text, a number, true, false or null, or a list of these"
            issues.append(Issue(pointer(path, key), "wrong_type", message))
        elif not _KEY.fullmatch(key):
            message = "only keys of letters, digits and _ can be looked for"
            issues.append(Issue(pointer(path, key), "bad_format", message))
        else:
            found[key] = groups
    return found


def _groups(value: Any) -> list[list[Scalar]] | None:
    """A value as an *and* of *or*-groups, or ``None`` when it is none of the forms."""
    if isinstance(value, dict):
        form = cast("dict[str, Any]", value)
        inner = form.get("or", form.get("and"))
        if len(form) != 1 or not isinstance(inner, list):
            return None
        if "or" in form:
            return _groups(inner)
        parts = [_groups(part) for part in cast("list[Any]", inner)]
        return None if None in parts else [group for part in parts for group in part or ()]
    options = cast("list[Any]", value) if isinstance(value, list) else [value]
    return [options] if all(isinstance(o, str | int | float | None) for o in options) else None


def read_filters(text: str) -> list[tuple[dict[str, Any], InboxFilter]]:
    """The filters of a count, which come as a JSON list in the query: each as it was sent and as the store takes it."""
    path = "/filters"
    try:
        several = json.loads(text)
    except (ValueError, RecursionError):
        raise refusal([Issue(path, "malformed_json", "must be a JSON list of filters")], "The query") from None
    if not isinstance(several, list) or not 1 <= len(cast("list[Any]", several)) <= MOST_FILTERS:
        raise refusal([Issue(path, "wrong_type", f"must be a JSON list of 1 to {MOST_FILTERS} filters")], "The query")
    issues: list[Issue] = []
    found: list[tuple[dict[str, Any], InboxFilter]] = []
    for number, raw in enumerate(cast("list[Any]", several)):
        if asked := read_at(FilterIn, raw, f"{path}/{number}", issues):
            found.append((raw, inbox_filter(asked, f"{path}/{number}", issues)))
    if issues:
        raise refusal(issues, "The query")
    return found
