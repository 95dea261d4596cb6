"""What ``novukit doctor`` looks at below novukit: does Postgres keep what it says, is the clock right, is Redis fit?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from ..errors import NovukitError
from .check import Check, failed
from .values import count, span

if TYPE_CHECKING:
    from ..queue.inspection import Inspection
    from ..settings import Settings
    from ..store import Database

SKEW = timedelta(seconds=2)
"""Clocks may differ by this much."""
OLDEST_REDIS = 7
FULL = 100
"""As many rings as the stream keeps."""
PATIENCE = 8.0
"""Seconds that a broker may take to answer."""


async def durability(database: Database) -> AsyncIterator[Check]:
    """Whether what was answered 201 can be lost, and through which setting."""
    from ..store import durability

    if database.dialect == "sqlite":
        yield Check("Durability", "ok", "SQLite: every commit is on disk before it is acknowledged")
        return
    lost = await durability.losses(database)
    for one in lost:
        where = f", set {one.where}" if one.where else ""
        if one.ours:
            finding = f"{one.what}{where}: an outage of Postgres loses accepted triggers, or sends twice."
            yield Check("Durability", "failed", finding, one.fix)
        else:
            yield Check("Durability", "warning", f"{one.what} {one.where}: its commits can be lost.", one.fix)
    if not any(one.ours for one in lost):
        yield Check("Durability", "ok", "Postgres keeps what it acknowledges")


async def clock(database: Database) -> Check:
    """Whether this machine and the database agree what time it is."""
    before = datetime.now(UTC)
    theirs = await database.now()
    skew = abs(theirs - (before + (datetime.now(UTC) - before) / 2))
    if skew > SKEW:
        finding = f"This machine and the database are {span(skew)} apart."
        return Check("Clock", "failed", finding, "Run a time service (NTP) on both.")
    return Check("Clock", "ok", f"{span(skew)} from the database's")


async def broker(settings: Settings) -> list[Check]:
    """Whether rings can travel."""
    if settings.broker == "memory://":
        if settings.database.startswith("sqlite:"):
            return [Check("Broker", "ok", "in this process")]
        finding = "memory:// does not reach other processes: workers find due work by looking."
        return [Check("Broker", "warning", finding, 'Set broker = "redis://…".')]
    from ..queue import make_broker
    from ..queue.inspection import inspect

    where = settings.broker.rpartition("@")[2]
    try:
        made = make_broker(settings.broker)  # refuses what cannot be one, and says so
    except NovukitError as err:
        return [failed("Broker", err)]
    try:
        async with asyncio.timeout(PATIENCE):
            if (found := await inspect(made)) is not None:
                return [Check("Broker", *one) for one in _judged(found, where)]
            await made.startup()
    except Exception as err:
        finding = f"{where} does not answer ({type(err).__name__})."
        return [Check("Broker", "failed", finding, "Is it running, and are URL and password right?")]
    finally:
        with suppress(Exception):
            async with asyncio.timeout(PATIENCE):
                await made.shutdown()
    return [Check("Broker", "ok", where)]


Verdict = tuple[Literal["ok", "warning", "failed"], str, str | None]


def _judged(found: Inspection, where: str) -> Iterator[Verdict]:
    if found.major < OLDEST_REDIS:
        yield "failed", f"{where} is Redis {found.version}.", f"Use Redis {OLDEST_REDIS} or newer, or Valkey."
    if found.role not in ("master", ""):
        yield "failed", f"{where} is a {found.role}: it takes no ring.", "Name the primary."
    if found.kind not in ("stream", "none"):
        finding = f"{where}: the key {found.key!r} is a {found.kind} and not a stream, so no ring can be left there."
        yield "failed", finding, f"Rename or delete it, or give novukit another database: redis-cli del {found.key}"
    if found.eviction.startswith("allkeys"):
        finding = f"{where} evicts any key when its memory is full ({found.eviction}): rings may go."
        yield "warning", finding, "Give it maxmemory-policy noeviction. Work is found by sweeping meanwhile."
    if found.waiting >= FULL:
        finding = f"{where}: {found.waiting} rings wait and nobody hears them."
        yield "warning", finding, "Do the workers have the same broker URL? Work is found by sweeping meanwhile."
    heard = "" if found.heard else ", nobody has listened yet"
    yield "ok", f"{where}, Redis {found.version}, {count(found.waiting, 'ring')} waiting{heard}", None
