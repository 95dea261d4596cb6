"""Translations of an environment: the texts of its workflows and layouts, by locale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import Resource, ResourceType, Translation
from . import revision
from .database import Row, Scope, decode, encode

_COLUMNS = "resource_type, resource_id, locale, content, created_at, updated_at"
_OF = "where environment_id = $1 and resource_type = $2 and resource_id = $3"


async def all(scope: Scope, locale: str | None = None) -> list[Translation]:  # noqa: A001 - translations.all
    """Every translation, or every one in ``locale``; by resource and locale."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_translation where environment_id = $1"
        + (" and locale = $2" if locale is not None else "")
        + " order by resource_type desc, resource_id, locale",
        scope.environment_id, *([locale] if locale is not None else []),
    )  # fmt: skip
    return [_translation(row) for row in rows]


async def of(scope: Scope, resource: Resource) -> list[Translation]:
    """Every translation of one resource, by locale."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_translation {_OF} order by locale", scope.environment_id, *resource
    )
    return [_translation(row) for row in rows]


async def put(scope: Scope, given: Sequence[tuple[Resource, str, Mapping[str, Any]]]) -> None:
    """Store translations (resource, locale, content), all or nothing; each replaces the one that there was."""
    now = scope.now()
    async with scope.database.transaction():
        await revision.advance(scope)
        await scope.database.execute_many(
            f"insert into novukit_translation (environment_id, {_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $6) "
            "on conflict (environment_id, resource_type, resource_id, locale) "
            "do update set content = excluded.content, updated_at = excluded.updated_at",
            [
                (scope.environment_id, *resource, locale, encode(dict(content)), now)
                for resource, locale, content in given
            ],
        )


async def delete(scope: Scope, resource: Resource, locale: str | None = None) -> int:
    """Remove one translation of a resource, or all of them; how many there were."""
    async with scope.database.transaction():
        await revision.advance(scope)
        rows = await scope.database.fetch(
            f"delete from novukit_translation {_OF}{' and locale = $4' if locale is not None else ''} returning locale",
            scope.environment_id, *resource, *([locale] if locale is not None else []),
        )  # fmt: skip
    return len(rows)


def _translation(row: Row) -> Translation:
    kind: ResourceType = row["resource_type"]
    return Translation(
        resource_type=kind, resource_id=row["resource_id"], locale=row["locale"], content=decode(row["content"]),
        created_at=row["created_at"], updated_at=row["updated_at"],
    )  # fmt: skip
