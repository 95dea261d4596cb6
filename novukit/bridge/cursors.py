"""The parameters of a list by cursor: ``dependencies=CURSOR`` and ``part: ThePart`` in the handler."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter, SkipValidation

from ..store.pages import PageQuery
from .wire import Limit

ThePart: TypeAlias = SkipValidation[NamedDependency[PageQuery]]
"""``part: ThePart``: which page is wanted."""

ContextKeys = Annotated[
    list[str] | None,
    QueryParameter(
        name="contextKeys",
        description="The keys (`type:id`) of a context: exactly these. One that is empty means: without a context.",
    ),
]


def page_query(
    *,
    limit: Limit = 10,
    after: Annotated[str | None, QueryParameter(description="The `next` of an earlier page.")] = None,
    before: Annotated[str | None, QueryParameter(description="The `previous` of an earlier page.")] = None,
    order_direction: Annotated[
        Literal["ASC", "DESC"], QueryParameter(name="orderDirection", description="DESC is newest first.")
    ] = "DESC",
    order_by: Annotated[
        Literal["_id", "createdAt"], QueryParameter(name="orderBy", description="Both are the order of creation.")
    ] = "_id",
    include_cursor: Annotated[
        bool, QueryParameter(name="includeCursor", description="Whether the cursor's own row is part of the page.")
    ] = False,
) -> PageQuery:
    """Which page of a list."""
    return PageQuery(
        after=after, before=before, limit=limit, ascending=order_direction == "ASC", include_cursor=include_cursor
    )


CURSOR = {"part": Provide(page_query, sync_to_thread=False)}
