"""Layouts of an environment: what goes around its e-mails; at most one of them is the default."""

from __future__ import annotations

from uuid import UUID

from ..errors import InvalidInput, Issue
from ..model import Layout
from . import revision
from .database import Row, Scope

_COLUMNS = "id, layout_id, name, body, is_default, created_at, updated_at"


async def all(scope: Scope) -> list[Layout]:  # noqa: A001 - layouts.all
    """Every layout, oldest first."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_layout where environment_id = $1 order by created_at, id", scope.environment_id
    )
    return [_layout(row) for row in rows]


async def get(scope: Scope, name: str) -> Layout | None:
    """One layout, by its own id or by the database's."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_layout where environment_id = $1 and layout_id = $2",
        scope.environment_id, name,
    )  # fmt: skip
    if not rows and (known_as := _uuid(name)) is not None:
        rows = await scope.database.fetch(
            f"select {_COLUMNS} from novukit_layout where environment_id = $1 and id = $2",
            scope.environment_id, known_as,
        )  # fmt: skip
    return _layout(rows[0]) if rows else None


async def create(scope: Scope, layout_id: str, name: str, body: str, *, is_default: bool = False) -> Layout:
    """Add a layout. Raises :class:`InvalidInput` when its id is taken."""
    now = scope.now()
    async with scope.database.transaction():
        await revision.advance(scope)
        if is_default:
            await _undefault(scope)
        rows = await scope.database.fetch(
            f"insert into novukit_layout (environment_id, {_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $7) "
            f"on conflict (environment_id, layout_id) do nothing returning {_COLUMNS}",
            scope.environment_id, scope.new_id(), layout_id, name, body, is_default, now,
        )  # fmt: skip
        if not rows:
            # Not a conflict (409): Novu's SDKs try those again for an hour.
            message, hint = f"There is a layout {layout_id!r} already.", "Choose another id, or update that one."
            raise InvalidInput(message, hint=hint, issues=[Issue("/layoutId", "taken", message, hint)])
    return _layout(rows[0])


async def update(
    scope: Scope, layout_id: str, *, name: str | None = None, body: str | None = None, is_default: bool | None = None
) -> Layout | None:
    """Change what is given of a layout; the default one, if this becomes it, ceases to be. None: there is no such."""
    async with scope.database.transaction():
        await revision.advance(scope)
        if is_default:
            await _undefault(scope)
        rows = await scope.database.fetch(
            "update novukit_layout set name = coalesce($3, name), body = coalesce($4, body), "
            "is_default = coalesce($5, is_default), updated_at = $6 "
            f"where environment_id = $1 and layout_id = $2 returning {_COLUMNS}",
            scope.environment_id, layout_id, name, body, is_default, scope.now(),
        )  # fmt: skip
    return _layout(rows[0]) if rows else None


async def delete(scope: Scope, layout_id: str) -> None:
    """Remove a layout with its translations."""
    async with scope.database.transaction():
        await revision.advance(scope)
        await scope.database.fetch(
            "delete from novukit_translation "
            "where environment_id = $1 and resource_type = 'layout' and resource_id = $2",
            scope.environment_id, layout_id,
        )  # fmt: skip
        await scope.database.fetch(
            "delete from novukit_layout where environment_id = $1 and layout_id = $2", scope.environment_id, layout_id
        )


async def _undefault(scope: Scope) -> None:
    await scope.database.fetch(
        "update novukit_layout set is_default = $2, updated_at = $3 where environment_id = $1 and is_default",
        scope.environment_id, False, scope.now(),
    )  # fmt: skip


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _layout(row: Row) -> Layout:
    return Layout(
        id=row["id"], layout_id=row["layout_id"], name=row["name"], body=row["body"],
        is_default=bool(row["is_default"]), created_at=row["created_at"], updated_at=row["updated_at"],
    )  # fmt: skip
