"""The store's inbox functions and the same questions in bare SQL, asked in turn: how long each took."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

from bench.wire import coming, say
from novukit.app import App
from novukit.settings import Settings
from novukit.store import messages

CAP, PAGE = 99, 10
UNREAD = (
    "select count(*) from (select 1 from novukit_message where environment_id = $1 and subscriber_uuid = $2 "
    "and channel = 'in_app' and status = 'sent' and read_at is null and archived_at is null "
    f"and (snoozed_until is null or snoozed_until <= now()) limit {CAP}) part"
)
FEED = (
    "select m.*, s.first_name, s.last_name, s.avatar from novukit_message m "
    "left join novukit_subscriber s on s.id = m.subscriber_uuid where m.environment_id = $1 "
    "and m.subscriber_uuid = $2 and m.channel = 'in_app' and m.status = 'sent' "
    f"order by m.id desc limit {PAGE + 1}"
)


async def main(subscriber: str) -> None:
    settings, who = Settings.load(), UUID(subscriber)
    connection = await asyncpg.connect(settings.database)
    async with App(settings) as app:
        scope = app.runtime.scope(await app.bootstrap())
        questions: dict[str, Callable[[], Awaitable[Any]]] = {
            "unread": lambda: messages.unread(scope, who, CAP),
            "unread_sql": lambda: connection.fetchval(UNREAD, scope.environment_id, who),
            "page": lambda: messages.inbox_page(scope, who, limit=PAGE),
            "page_sql": lambda: connection.fetch(FEED, scope.environment_id, who),
        }
        assert sum((await messages.unread(scope, who, CAP)).values()) == await questions["unread_sql"]()
        assert len((await messages.inbox_page(scope, who, limit=PAGE)).data) == PAGE
        say(ready=True)
        async for ask in coming():
            took: dict[str, list[float]] = {name: [] for name in questions}
            for _ in range(ask["n"]):
                for name, question in questions.items():
                    began = time.perf_counter()
                    await question()
                    took[name].append(time.perf_counter() - began)
            say(**took)
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
