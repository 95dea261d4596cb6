"""Secret keys: made, shown, revoked, and found by whom they are shown to us."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from datetime import timedelta
from uuid import UUID

from ..errors import NotFound
from ..model import ApiKey, Caller, Environment
from .database import Database, Row, Scope
from .secrets import API_KEY, KeyRing

PREFIX = "nk_"
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 40
USE_NOTED_EVERY = timedelta(minutes=1)
"""``last_used_at`` is exact to this: a write for each call would cost more than the call."""

_COLUMNS = "id, environment_id, name, hint, created_at, last_used_at, revoked_at"


async def create(scope: Scope, ring: KeyRing, name: str) -> tuple[ApiKey, str]:
    """Make a secret key for the environment; returns it with its secret, ``nk_`` and 40 letters and digits."""
    secret = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    made = ApiKey(
        id=scope.new_id(), environment_id=scope.environment_id, name=name, hint=secret[-4:], created_at=scope.now()
    )
    await scope.database.fetch(
        "insert into novukit_api_key (id, environment_id, name, hash, secret, hint, created_at) "
        "values ($1, $2, $3, $4, $5, $6, $7)",
        made.id, made.environment_id, made.name, _hash(secret),
        ring.seal(secret, API_KEY, str(made.environment_id), str(made.id)), made.hint, made.created_at,
    )  # fmt: skip
    return made, secret


async def list_all(scope: Scope) -> list[ApiKey]:
    """The environment's keys, oldest first, the revoked ones too."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS} from novukit_api_key where environment_id = $1 order by id", scope.environment_id
    )
    return [_key(row) for row in rows]


async def reveal(scope: Scope, ring: KeyRing) -> list[tuple[ApiKey, str]]:
    """The environment's keys that are in force, oldest first, with their secrets."""
    rows = await scope.database.fetch(
        f"select {_COLUMNS}, secret from novukit_api_key where environment_id = $1 and revoked_at is null order by id",
        scope.environment_id,
    )
    return [(_key(row), ring.open(row["secret"], API_KEY, str(scope.environment_id), str(row["id"]))) for row in rows]


async def revoke(scope: Scope, key_id: UUID) -> ApiKey:
    """Take a key out of force, for ever; again is the same. Raises :class:`NotFound`."""
    rows = await scope.database.fetch(
        f"update novukit_api_key set revoked_at = coalesce(revoked_at, $3) "
        f"where environment_id = $1 and id = $2 returning {_COLUMNS}",
        scope.environment_id, key_id, scope.now(),
    )  # fmt: skip
    if not rows:
        raise NotFound("There is no key of this id in this environment.")
    return _key(rows[0])


async def find(database: Database, secret: str) -> Caller | None:
    """Whom a secret key lets in; ``None`` when there is no such key or it was revoked."""
    wanted = _hash(secret)
    rows = await database.fetch(
        "select k.id as key_id, k.hash as hash, k.last_used_at as last_used_at, "
        "e.id as id, e.organization_id as organization_id, e.name as name, e.slug as slug, "
        "e.identifier as identifier, e.type as type, e.created_at as created_at, e.updated_at as updated_at "
        "from novukit_api_key k join novukit_environment e on e.id = k.environment_id "
        "where k.hash = $1 and k.revoked_at is null",
        wanted,
    )
    if not rows or not hmac.compare_digest(rows[0]["hash"], wanted):
        return None
    row, now = rows[0], database.clock.now()
    if row["last_used_at"] is None or now - row["last_used_at"] >= USE_NOTED_EVERY:
        await database.fetch("update novukit_api_key set last_used_at = $2 where id = $1", row["key_id"], now)
    environment = Environment(
        id=row["id"], organization_id=row["organization_id"], name=row["name"], slug=row["slug"],
        identifier=row["identifier"], type=row["type"], created_at=row["created_at"], updated_at=row["updated_at"],
    )  # fmt: skip
    return Caller(organization_id=row["organization_id"], environment=environment, key_id=row["key_id"])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"], environment_id=row["environment_id"], name=row["name"], hint=row["hint"],
        created_at=row["created_at"], last_used_at=row["last_used_at"], revoked_at=row["revoked_at"],
    )  # fmt: skip
