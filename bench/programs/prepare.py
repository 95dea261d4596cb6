"""Make the tables of the project in this folder, bootstrap it, and sync its workflows; then say how to come in."""

from __future__ import annotations

import asyncio

from bench.wire import say
from novukit.app import App
from novukit.engine import sync
from novukit.settings import Settings
from novukit.store import keys, migrations


async def main() -> None:
    settings = Settings.load()
    database = App(settings).database
    await database.open()
    await migrations.upgrade(database)
    await database.close()
    async with App(settings) as app:
        scope = app.runtime.scope(await app.bootstrap())
        await sync.apply(app.runtime, scope, app.runtime.registry.manifest())
        _, secret = (await keys.reveal(scope, app.runtime.secrets))[0]
        say(key=secret, environment=str(scope.environment_id))


if __name__ == "__main__":
    asyncio.run(main())
