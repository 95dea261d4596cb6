"""One chaos run: everything is started, loaded, hurt, healed, waited for, stopped and judged."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from novukit.app import App
from novukit.engine import sync
from novukit.providers import HttpClient, PluginHost
from novukit.settings import Settings
from novukit.store import keys, migrations
from novukit.store.secrets import KeyRing, generate_master_key

from ..proof import plugin
from ..proof.history import History
from ..proof.ledger import Book, ledger
from ..servers import free_port
from . import faults, verdict
from .clients import Clients, Load
from .machines import Kept, Postgres, Redis, novukit
from .mutants import MUTANTS
from .samples import Samples
from .workflows import MUTANT, TASKS

WORKERS = 2
LEASE, SWEEP, GRACE, TIMEOUT = 2.0, 0.5, 5.0, 2.0
"""Seconds. A frozen worker sleeps longer than the lease; a provider's call may take TIMEOUT."""
DATABASE = "chaos"
MOODS = {
    "ok": 70, "ok:0.1": 10, "ok:0.6": 3, "429": 3, "503:1": 2, "500": 3, "timeout-after": 2, "timeout-before": 1,
    "reset-after": 2, "reset-before": 2, "cut": 2,
}  # fmt: skip
"""How the provider behaves while faults are on."""

TOML = """
workflows = ["tests.chaos.workflows"]
database = "{database}"
broker = "{broker}"
port = {port}

[worker]
processes = 1
lease = {lease}
sweep = {sweep}
grace = {grace}

{integrations}
"""


@dataclass(frozen=True)
class Plan:
    """What a run is made of; the same plan gives the same schedule and the same load."""

    seed: int = 1
    seconds: float = 90.0
    every: float = 2.0
    """Seconds between two faults, on average."""
    load: Load = field(default_factory=Load)
    what: tuple[str, ...] = tuple(faults.FAULTS)
    mutant: str = ""
    patience: float = 60.0
    """Seconds after healing, once all are up and answered, until nothing may be under way any more."""


def with_mutant(plan: Plan, name: str) -> Plan:
    """The same run of a novukit in which a fault is planted."""
    mutant = MUTANTS[name]
    load = plan.load.times(mutant.load)
    return replace(plan, mutant=name, what=mutant.what, load=load, every=plan.every / 2, patience=8.0)


@dataclass
class Place:
    """Where a run takes place."""

    folder: Path
    postgres: Postgres
    redis: Redis
    book: Book
    server: Kept
    workers: list[Kept]
    url: str
    key: str

    @property
    def programs(self) -> list[Kept]:
        return [self.server, *self.workers]


async def chaos(folder: Path, plan: Plan, samples: Path | None = None) -> verdict.Verdict:
    """Do it in ``folder``, and say what came of it. With ``samples`` also write down what grows, every 5 seconds."""
    rng = random.Random(plan.seed)
    with ExitStack() as stack:
        place = await _built(stack, folder, plan, rng, counting=samples is not None)
        keepers = [asyncio.create_task(program.keep()) for program in place.programs]
        history = History(folder / "history.jsonl")
        stack.callback(history.close)
        clients = Clients(
            place.url, place.key, history, random.Random(rng.random()), str(folder / "traces.jsonl"), plan.load
        )
        try:
            for program in place.programs:
                await program.wait_until_up()
            await clients.prepare()
            sampling = Samples(samples, place).start() if samples else None
            said = verdict.Verdict(plan.seed, faults.schedule(rng, plan.seconds, plan.every, plan.what))
            await _hurt(place, plan, clients, said)
            await _heal(place, plan, clients, said)
            if sampling:
                said.slopes = await sampling.end()
        finally:
            await clients.finish(0)
            await _stop(place, keepers)
        await verdict.judge(said, place, clients)
        return said


async def _built(stack: ExitStack, folder: Path, plan: Plan, rng: random.Random, counting: bool) -> Place:
    """Servers that are up, a database with all that it needs, and programs that are yet to be started."""
    redis = Redis(folder)
    stack.callback(redis.end)
    postgres = await asyncio.to_thread(Postgres, folder)
    stack.callback(postgres.end)
    await asyncio.gather(postgres.up(), redis.up())
    book = stack.enter_context(ledger(folder))
    environ = {**plugin.install(folder), "NOVUKIT_MASTER_KEY": generate_master_key(), "PYTHONUNBUFFERED": "1"}
    if plan.mutant:
        environ[MUTANT] = plan.mutant
    if counting:
        (folder / "tasks").mkdir()
        environ[TASKS] = str(folder / "tasks")
    port = free_port()
    (folder / "novukit.toml").write_text(
        TOML.format(
            database=postgres.url(DATABASE), broker=redis.url, port=port, lease=LEASE, sweep=SWEEP, grace=GRACE,
            integrations=plugin.toml(book.url, timeout=TIMEOUT),
        )
    )  # fmt: skip
    key = await _prepared(folder, postgres, environ["NOVUKIT_MASTER_KEY"])
    rests = random.Random(rng.random())

    def rest() -> float:
        return rests.uniform(0.1, 1.5)

    server = novukit("server", ["server"], folder, environ, rest)
    workers = [novukit(f"worker-{n}", ["worker"], folder, environ, rest) for n in range(1, WORKERS + 1)]
    for program in (server, *workers):
        stack.callback(program.machine.end)
    return Place(folder, postgres, redis, book, server, workers, f"http://127.0.0.1:{port}", key)


async def _prepared(folder: Path, postgres: Postgres, master_key: str) -> str:
    """Make the database, sync the workflows, and give a secret key."""
    connection = await postgres.connect()
    await connection.execute(f"create database {DATABASE}")
    await connection.close()
    ways = [*sys.path]
    try:
        return await _synced(folder, master_key)
    finally:
        sys.path[:] = ways  # or the plugin that is installed there would be installed for all tests to come


async def _synced(folder: Path, master_key: str) -> str:
    host = PluginHost([plugin], installed=False, http=HttpClient(allow_private=True))
    ring = KeyRing([master_key])
    app = App(Settings.load(folder / "novukit.toml"), host=host, secrets=ring)
    await app.database.open()
    await migrations.upgrade(app.database)
    await app.database.close()
    async with app:
        scope = app.runtime.scope(await app.bootstrap())
        await sync.apply(app.runtime, scope, app.runtime.registry.manifest())
        return (await keys.reveal(scope, ring))[0][1]


async def _hurt(place: Place, plan: Plan, clients: Clients, said: verdict.Verdict) -> None:
    """Load and faults, at the same time."""
    if plan.mutant:
        place.book.behave("", "500", "ok")  # whatever the seed, there is a repeat
    else:
        place.book.mix("", MOODS, plan.seed)
    site = faults.Site(place.postgres, place.redis, place.server, place.workers, DATABASE)
    began = said.began = time.time()
    async with asyncio.TaskGroup() as both:
        both.create_task(clients.run(began + plan.seconds))
        both.create_task(faults.inflict(site, said.schedule, began))
    said.hurt = site.done


async def _heal(place: Place, plan: Plan, clients: Clients, said: verdict.Verdict) -> None:
    """No faults any more: all is up, all is answered, and all that was accepted comes to its end."""
    place.book.behave("", "ok")
    said.healed = time.time()
    for program in place.programs:
        await program.wait_until_up()
    await clients.finish(30)
    answered = time.time()
    connection = await place.postgres.connect(DATABASE)
    try:
        while said.under_way is None or said.under_way:
            said.under_way = await connection.fetchval(
                "select (select count(*) from novukit_execution where status in ('pending', 'waiting', 'running')) + "
                "(select count(*) from novukit_event where status = 'expanding')"
            )
            said.answered, said.settled = answered - said.healed, time.time() - answered
            if said.settled > plan.patience:
                return
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def _stop(place: Place, keepers: list[asyncio.Task[None]]) -> None:
    """SIGTERM to all: after a run in peace each of them ends by itself, and well."""
    for program in place.programs:
        program.closing = True
    with suppress(Exception):
        await asyncio.gather(*[program.roll() for program in place.programs if program.is_up])
    for program in place.programs:
        program.machine.end()
    await asyncio.gather(*keepers)
