"""Device tokens that are gone, and are forgotten: by the vendor's word, unless they were registered again since."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from .database import Scope, decode, encode


async def forget(
    scope: Scope, subscriber_uuid: UUID, provider_id: str, tokens: Collection[str], *, as_of: datetime | None = None
) -> list[str]:
    """Drop device tokens that the provider says are gone, and say which ones were there.

    ``as_of`` is when they were gone. Tokens that were registered after that stay: an app that starts registers its
    token again. What is kept so for nothing is found to be gone when it is sent to the next time.
    """
    gone = set(tokens)
    if not gone:
        return []
    dropped: list[str] = []
    async with scope.database.transaction():
        rows = await scope.database.fetch(
            "select id, device_tokens, coalesce(registered_at, created_at) <= $4 as stale "
            "from novukit_subscriber_channel "
            "where environment_id = $1 and subscriber_uuid = $2 and provider_id = $3 order by id for update",
            scope.environment_id, subscriber_uuid, provider_id, as_of or scope.now(),
        )  # fmt: skip
        for row in rows:
            before: list[str] = decode(row["device_tokens"])
            after = [token for token in before if token not in gone]
            if after != before and row["stale"]:
                dropped += [token for token in before if token in gone]
                await scope.database.fetch(
                    "update novukit_subscriber_channel set device_tokens = $3, updated_at = $4 "
                    "where environment_id = $1 and id = $2",
                    scope.environment_id, row["id"], encode(after), scope.now(),
                )  # fmt: skip
    return dropped
