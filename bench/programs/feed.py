"""The trigger process: asks for executions one at a time, 64 asks in flight, through ``novukit.engine.trigger``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from bench.wire import coming, say
from novukit.app import App
from novukit.cli import loop
from novukit.engine import trigger
from novukit.model import Subscriber, Trigger
from novukit.settings import Settings
from novukit.store import Scope

IN_FLIGHT = 64
PEOPLE = 500
"""Subscribers that take turns. They are known after the warm-up, as an application's users are."""


async def feed(app: App, scope: Scope, workflow: str, numbers: Iterable[int], in_flight: int = IN_FLIGHT) -> None:
    """Trigger ``workflow`` once for each of ``numbers``, ``in_flight`` at a time, one recipient each."""
    left = iter(numbers)

    async def one_after_another() -> None:
        for n in left:
            who = f"s{n % PEOPLE}"
            to = Subscriber(subscriber_id=who, email=f"{who}@example.com", first_name="Ada")
            await trigger(app.runtime, scope, Trigger(workflow=workflow, to=(to,)))

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(one_after_another())


async def main() -> None:
    async with App(Settings.load()) as app:
        scope = app.runtime.scope(await app.bootstrap())
        say(ready=True)
        async for ask in coming():
            began = time.monotonic()
            await feed(app, scope, ask["workflow"], range(ask["n"]), ask.get("in_flight", IN_FLIGHT))
            say(seconds=time.monotonic() - began)


if __name__ == "__main__":
    loop.run(main())
