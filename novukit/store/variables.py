"""Variables of an environment: values by key, sealed in the database whether they are secret or not."""

from __future__ import annotations

from uuid import UUID

from ..errors import InvalidInput, Issue
from ..model import Variable
from . import revision
from .database import Row, Scope
from .secrets import VARIABLE, KeyRing

_COLUMNS = "id, key, is_secret, value, created_at, updated_at"


async def all(scope: Scope, ring: KeyRing) -> list[Variable]:  # noqa: A001 - variables.all
    """Every variable with its value, by key. Raises :class:`DecryptionFailed`."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_variable where environment_id = $1 order by key", scope.environment_id
    )
    return [_variable(scope, ring, row) for row in rows]


async def get(scope: Scope, ring: KeyRing, key: str) -> Variable | None:
    """One variable with its value. Raises :class:`DecryptionFailed`."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_variable where environment_id = $1 and key = $2", scope.environment_id, key
    )
    return _variable(scope, ring, rows[0]) if rows else None


async def create(scope: Scope, ring: KeyRing, key: str, value: str | None, *, is_secret: bool = False) -> Variable:
    """Add a variable. Raises :class:`InvalidInput` when there is one of this key."""
    new, now = scope.new_id(), scope.now()
    async with scope.database.transaction():
        await revision.advance(scope)
        rows = await scope.database.fetch(
            f"insert into novukit_variable (environment_id, {_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $6) "
            f"on conflict (environment_id, key) do nothing returning {_COLUMNS}",
            scope.environment_id, new, key, is_secret, _sealed(scope, ring, new, value), now,
        )  # fmt: skip
        if not rows:
            raise _taken(key)
    return _variable(scope, ring, rows[0])


async def update(
    scope: Scope, ring: KeyRing, old: Variable, *, key: str | None = None, value: str | None = None,
    is_secret: bool | None = None,
) -> Variable | None:  # fmt: skip
    """Change what is given of a variable. Raises :class:`InvalidInput` when the new key is taken; None: it is gone."""
    async with scope.database.transaction():
        await revision.advance(scope)  # which locks the environment's row: nobody takes the key meanwhile
        if key is not None and key != old.key and await get(scope, ring, key) is not None:
            raise _taken(key)
        rows = await scope.database.fetch(
            "update novukit_variable set key = coalesce($3, key), value = coalesce($4, value), "
            "is_secret = coalesce($5, is_secret), updated_at = $6 "
            f"where environment_id = $1 and id = $2 returning {_COLUMNS}",
            scope.environment_id, old.id, key, _sealed(scope, ring, old.id, value), is_secret, scope.now(),
        )  # fmt: skip
    return _variable(scope, ring, rows[0]) if rows else None


async def delete(scope: Scope, key: str) -> bool:
    """Remove a variable; whether there was one."""
    async with scope.database.transaction():
        await revision.advance(scope)
        rows = await scope.database.fetch(
            "delete from novukit_variable where environment_id = $1 and key = $2 returning id",
            scope.environment_id, key,
        )  # fmt: skip
    return bool(rows)


def _taken(key: str) -> InvalidInput:
    """Not a conflict (409): Novu's SDKs try those again for an hour."""
    message, hint = f"There is a variable {key!r} already.", "Choose another key, or update that one."
    return InvalidInput(message, hint=hint, issues=[Issue("/key", "taken", message, hint)])


def _sealed(scope: Scope, ring: KeyRing, id: UUID, value: str | None) -> str | None:
    return None if value is None else ring.seal(value, VARIABLE, str(scope.environment_id), str(id))


def _variable(scope: Scope, ring: KeyRing, row: Row) -> Variable:
    sealed, place = row["value"], (VARIABLE, str(scope.environment_id), str(row["id"]))
    return Variable(
        id=row["id"], key=row["key"], is_secret=bool(row["is_secret"]),
        value=None if sealed is None else ring.open(sealed, *place),
        created_at=row["created_at"], updated_at=row["updated_at"],
    )  # fmt: skip
