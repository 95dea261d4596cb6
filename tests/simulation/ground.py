"""The ground that every world stands on: what is the same for all seeds, made once, and the database as it begins."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

from novukit.app import App
from novukit.authoring import Registry
from novukit.engine import sync
from novukit.model import ChannelAddress, Subscriber
from novukit.providers import PluginHost
from novukit.settings import IntegrationSettings, Settings, WorkerSettings
from novukit.store import environments, organizations, subscribers, subscriptions
from novukit.store.secrets import KeyRing
from novukit.testing.clock import VirtualClock

from . import disk, workflows
from .post import Plugin

PEOPLE = ("ann", "bob", "cyd", "dan")
TOPIC = "crew"
MEMBERS = PEOPLE[:3]
HOST = PluginHost([Plugin()], installed=False)
REGISTRY = Registry(workflows.ALL)
SECRETS = KeyRing(["sim:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="])
_INTEGRATIONS = tuple(
    IntegrationSettings(
        identifier=channel, provider=f"sim-{channel}", channel=channel, primary=True,
        credentials={"from": "a@example.com"} if channel == "email" else {},
    )
    for channel in ("email", "sms", "push")
)  # fmt: skip


def settings_for(file: Path, *, concurrency: int = 50, lease: float = 8.0, sweep: float = 5.0) -> Settings:
    """The settings of a simulated process."""
    return Settings(
        root=file.parent, database=f"sqlite:///{file}", broker="memory://", integrations=_INTEGRATIONS,
        worker=WorkerSettings(concurrency=concurrency, lease=lease, sweep=sweep, grace=6.0),
    )  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """A migrated database with people in it, as bytes of a file, and the ids of what is there."""

    image: bytes
    environments: tuple[UUID, ...]
    people: dict[tuple[UUID, str], UUID]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for a database file; in memory where the machine has such a place."""
    memory = Path("/dev/shm")
    within = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="novukit-sim-", dir=within) as name:
        yield Path(name)


@cache
def ground(without: str = "") -> Ground:
    """The database with which each seed begins; ``without`` a text of the schema, for planted bugs."""
    with folder() as place, contextlib.closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(_prepare(place / "novukit.db", without))


async def _prepare(file: Path, without: str) -> Ground:
    app = App(
        settings_for(file), clock=VirtualClock(), host=HOST, registry=REGISTRY, secrets=SECRETS, seed=0, inline=True,
        synchronous="OFF",
    )  # fmt: skip
    async with app:
        await app.bootstrap()
        organization = await organizations.bootstrap(app.database, SECRETS)
        found = await environments.all(app.database, organization.id)
        people: dict[tuple[UUID, str], UUID] = {}
        for environment in found:
            scope = app.runtime.scope(environment.id)
            await sync.apply(app.runtime, scope, REGISTRY.manifest())
            known = await subscribers.upsert_many(
                scope, [Subscriber(subscriber_id=who, email=f"{who}@example.com", phone="+15550100") for who in PEOPLE]
            )
            people |= {(environment.id, who): uuid for who, uuid in known.items()}
            for who in PEOPLE:
                address = ChannelAddress(provider_id="sim-push", device_tokens=(f"token-{who}",))
                await subscribers.set_address(scope, who, address)
            await subscriptions.subscribe(scope, TOPIC, [(who, None, None) for who in MEMBERS])
    with contextlib.closing(sqlite3.connect(file)) as connection:
        if without:
            _make_again(connection, "novukit_event", without)
        disk.watch(connection)
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
    return Ground(file.read_bytes(), tuple(e.id for e in found), people)


def _make_again(connection: sqlite3.Connection, table: str, without: str) -> None:
    """The same table, which is empty, without a part of its definition."""
    asked = "select sql from sqlite_master where tbl_name = ? and sql is not null"
    made = connection.execute(asked, (table,)).fetchall()
    assert without in made[0][0], f"{without!r} is not in the schema"
    connection.execute(f"drop table {table}")
    for (sql,) in made:
        connection.execute(sql.replace(without, ""))
