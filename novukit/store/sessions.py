"""Inbox sessions, as far as they are remembered: the secret that signs their tokens, and who may still hold one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from ..errors import NotFound
from .database import Database, Scope
from .secrets import INBOX_SECRET, KeyRing


@dataclass(frozen=True, slots=True)
class Held:
    """What a token is held to. ``sealed`` is the environment's inbox secret as it is stored; see :func:`opened`."""

    sealed: str
    subscriber: bool


async def held(database: Database, environment_id: UUID, subscriber_uuid: UUID) -> Held | None:
    """The environment's inbox secret, and whether the subscriber is there; ``None`` without such an environment."""
    rows = await database.fetch(
        "select e.inbox_secret as sealed, s.id as subscriber from novukit_environment e "
        "left join novukit_subscriber s on s.environment_id = e.id and s.id = $2 where e.id = $1",
        environment_id, subscriber_uuid,
    )  # fmt: skip
    return Held(rows[0]["sealed"], rows[0]["subscriber"] is not None) if rows else None


def opened(ring: KeyRing, environment_id: UUID, sealed: str) -> str:
    """An inbox secret in the clear."""
    return ring.open(sealed, INBOX_SECRET, str(environment_id), str(environment_id))


async def secret(scope: Scope, ring: KeyRing) -> str:
    """The environment's inbox secret. Raises :class:`NotFound` when the environment is gone."""
    rows = await scope.database.fetch(
        "select inbox_secret from novukit_environment where id = $1", scope.environment_id
    )
    if not rows:
        raise NotFound("This environment is gone.")
    return opened(ring, scope.environment_id, rows[0]["inbox_secret"])


async def rotate(scope: Scope, ring: KeyRing) -> None:
    """Give the environment another inbox secret: no token that was given before is taken any more."""
    place = str(scope.environment_id)
    await scope.database.fetch(
        "update novukit_environment set inbox_secret = $2, updated_at = $3 where id = $1",
        scope.environment_id, ring.seal(secrets.token_urlsafe(32), INBOX_SECRET, place, place), scope.now(),
    )  # fmt: skip
