"""Turns the members of a topic into executions, nothing else beside it: ``novukit.engine.sweep`` until none is left."""

from __future__ import annotations

import time

from bench.wire import coming, say
from novukit.app import App
from novukit.cli import loop
from novukit.engine import sweep, trigger
from novukit.model import TopicRecipient, Trigger
from novukit.settings import Settings


async def main() -> None:
    async with App(Settings.load()) as app:
        scope = app.runtime.scope(await app.bootstrap())
        say(ready=True)
        async for ask in coming():
            began = time.monotonic()
            to = TopicRecipient(topic_key=ask["topic"])
            done = await trigger(app.runtime, scope, Trigger(workflow="custom", to=(to,)))
            while await sweep(app.runtime):
                pass
            say(seconds=time.monotonic() - began, event=str(done.event_id))


if __name__ == "__main__":
    loop.run(main())
