"""Who is online: set for many subscribers at once, by those who hold their sockets."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from .database import Scope, in_list
from .pages import parted


async def note(scope: Scope, subscribers: Sequence[UUID], *, online: bool) -> list[UUID]:
    """Note that these are online, or have left at this moment. Gives those of whom it is news; nobody else is written.

    ``updated_at`` stays: it tells when somebody's profile was changed.
    """
    sets = "is_online = true" if online else "is_online = false, last_online_at = $2"
    asked = "($2::timestamptz is not null and is_online is not true)" if online else "is_online is true"
    news: list[UUID] = []
    for chunk in parted(sorted(subscribers)):
        rows = await scope.database.fetch(
            f"update novukit_subscriber set {sets} where environment_id = $1 and {asked} "
            f"and id in {in_list(chunk, 3)} returning id",
            scope.environment_id, scope.now(), *chunk,
        )  # fmt: skip
        news += [row["id"] for row in rows]
    return news
