"""The revision of an environment's catalogue: a number that advances with each change of it."""

from __future__ import annotations

from .database import Scope


async def advance(scope: Scope) -> None:
    """Note in the caller's transaction that the catalogue changes. Nobody else changes it until that has ended."""
    await scope.database.fetch(
        "update novukit_environment set catalogue = catalogue + 1 where id = $1", scope.environment_id
    )
