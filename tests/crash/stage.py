"""The stage on which processes die: a database with one environment, a ledger, a history, and a fork server.

``Trial``s are run side by side, each with a workflow, a subscriber and a transaction of its own. Those that are dead or
frozen are then recovered together by clean processes, and the judge reads what is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar

from novukit import crash
from novukit.app import App
from novukit.authoring import Registry
from novukit.model import Subscriber, TopicRecipient, Trigger
from novukit.providers import HttpClient, PluginHost
from novukit.settings import Settings
from novukit.store import subscribers, subscriptions, workflows
from novukit.store.secrets import KeyRing, generate_master_key

from ..proof import plugin
from ..proof.history import History
from ..proof.judge import broken
from ..proof.ledger import Book, Call, ledger
from ..proof.record import Record, record_of
from .letters import clone
from .living import Job, World, live

T = TypeVar("T")
TRIALS = int(os.environ.get("NOVUKIT_TRIALS", "3"))
SIDE_BY_SIDE = 4
PATIENCE = 80.0
LONG, HASTY = 30.0, 3.0
"""Seconds for which the provider is waited for: by most, and by those whose call is not to be answered."""

_reaping = threading.Lock()
"""Whoever starts a process or looks whether one has ended reads the end of all that have; only one may."""


@dataclass
class Child:
    """A process at work, and what it was answered."""

    process: ForkServerProcess
    told: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    hearing: threading.Thread | None = None

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def stopped(self) -> bool:
        """Whether it stands still (SIGSTOP)."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        except OSError:
            return False

    @property
    def alive(self) -> bool:
        with _reaping:
            return self.process.is_alive()

    def wait(self) -> int:
        """Its exit code; minus the signal that killed it. All that it told has been heard by then."""
        in_time = connection.wait([self.process.sentinel], PATIENCE)
        if not in_time:
            self.process.kill()
            connection.wait([self.process.sentinel])
        with _reaping:
            code = self.process.exitcode
        assert in_time, f"process {self.pid} did not end within {PATIENCE:g} s"
        assert code is not None
        if self.hearing is not None:
            self.hearing.join()
        return code


@dataclass
class Trial:
    """One execution (or a few) that something happens to."""

    id: str
    scenario: str = "letters"
    payload: dict[str, Any] = field(default_factory=dict)
    events: int = 1
    members: int = 0
    """How many subscribers its topic has; 0 for one recipient and no topic."""

    @property
    def transactions(self) -> list[str]:
        return [f"{self.id}.{n}" for n in range(self.events)]

    @property
    def people(self) -> list[str]:
        return [f"{self.id}_m{n}" for n in range(self.members)] if self.members else [self.id]

    @property
    def asks(self) -> list[Trigger]:
        """Its triggers; each has a number of its own in the payload."""
        to = TopicRecipient(topic_key=self.id) if self.members else person(self.id)
        return [
            Trigger(workflow=self.id, to=(to,), payload=self.payload | {"n": n}, transaction_id=transaction_id)
            for n, transaction_id in enumerate(self.transactions)
        ]

    def job(self, crash_at: str = "", *, ask: bool = True, work: bool = True, **more: Any) -> Job:
        """What a process does for this trial alone."""
        return Job(
            workflows=((self.scenario, self.id),), asks=self.asks if ask else (), crash_at=crash_at,
            until=self.transactions if work else (), **more,
        )  # fmt: skip


class Stage:
    """Everything that trials share."""

    def __init__(self, world: World, book: Book, history: History, forks: ForkServerContext) -> None:
        self.world, self.book, self.history, self._forks = world, book, history, forks
        self.trials: list[Trial] = []
        self.children: list[Child] = []
        self._writing = threading.Lock()

    def admit(self, trials: Iterable[Trial]) -> list[Trial]:
        """Make the workflows and topics of ``trials`` known."""
        new = list(trials)
        self.trials += new
        asyncio.run(self._admit(new))
        return new

    async def _admit(self, trials: Sequence[Trial]) -> None:
        async with self._app(trials) as app:
            scope = app.runtime.scope(self.world.environment)
            await workflows.apply(scope, create=[clone(trial.scenario, trial.id).spec() for trial in trials])
            for trial in trials:
                if trial.members:
                    await subscribers.upsert_many(scope, [person(who) for who in trial.people])
                    await subscriptions.subscribe(scope, trial.id, [(who, None, None) for who in trial.people])

    def _app(self, trials: Sequence[Trial]) -> App:
        return build(self.world, Registry(clone(trial.scenario, trial.id) for trial in trials))

    def start(self, job: Job) -> Child:
        """A process that does ``job``; what it asks for goes into the history, and so does what it is answered."""
        for ask in job.asks:
            assert ask.transaction_id is not None
            trial = next(t for t in self.trials if ask.transaction_id in t.transactions)
            who = {"members": trial.people} if trial.members else {"to": trial.people}
            self.history.invoke(ask.transaction_id, "trigger", **who)
        for transaction_id in job.cancels:
            self.history.invoke(f"cancel {transaction_id}", "cancel", transaction_id=transaction_id)
        ours, theirs = self._forks.Pipe(duplex=False)
        process = self._forks.Process(target=live, args=(self.world, job, theirs))
        with _reaping:
            process.start()
        theirs.close()
        child = Child(process)
        child.hearing = threading.Thread(target=self._listen, args=(ours, child), daemon=True)
        child.hearing.start()
        self.children.append(child)
        return child

    def _listen(self, ours: Any, child: Child) -> None:
        """Write down each answer when it comes: that is the moment when the client knows."""
        with ours:
            while True:
                try:
                    what, operation, facts = ours.recv()
                except (EOFError, OSError):
                    return
                child.told.append((what, operation, facts))
                if what == "ok":
                    with self._writing:
                        self.history.ok(operation, **facts)

    def run(self, job: Job) -> Child:
        """Let a process do ``job`` to its end, which must be a good one."""
        child = self.start(job)
        assert child.wait() == 0, f"it ended with {child.wait()}"
        return child

    def die(self, trial: Trial, crash_at: str, **more: Any) -> None:
        """Let a process that works for ``trial`` die by its own hand at ``crash_at``."""
        code = self.start(trial.job(crash_at, **more)).wait()
        assert code == -signal.SIGKILL, f"{trial.id}: it never came to {crash_at}, and ended with {code}"

    def freeze(self, trial: Trial, crash_at: str, **more: Any) -> Child:
        """Let a process that works for ``trial`` stand still at ``crash_at``.

        It takes over from nobody: one that is frozen while it does holds what it takes over.
        """
        child = self.start(trial.job(f"{crash_at}:stop", reaps=False, **more))
        await_true(lambda: child.stopped or not child.alive, f"{trial.id}: {crash_at}")
        assert child.alive, f"{trial.id}: it never came to {crash_at}, and ended with {child.wait()}"
        if self._locked():
            # Frozen while it held SQLite's only writer, it would keep everyone from working: that is SQLite's own
            # limit. Here its lot is to be killed instead.
            child.process.kill()
            child.wait()
        return child

    def _locked(self) -> bool:
        """Whether somebody who does not move on holds SQLite's writer."""
        if not self.world.database.startswith("sqlite"):
            return False
        with contextlib.closing(sqlite3.connect(self.world.database.removeprefix("sqlite:///"))) as connection:
            connection.isolation_level = None
            try:
                connection.execute("pragma busy_timeout = 1000")
                connection.execute("begin immediate")
                connection.execute("rollback")
            except sqlite3.OperationalError:
                return True
        return False

    def kill_in_call(self, trial: Trial) -> None:
        """Kill the process that works for ``trial`` while the provider has its request and has not answered."""
        child, asked = self.start(trial.job()), f"{trial.id}@"
        await_true(lambda: self.book.calls(asked), f"{trial.id}: a request")
        os.kill(child.pid, signal.SIGKILL)
        child.wait()

    def together(self, does: Callable[[T], Any], trials: Sequence[T]) -> list[Any]:
        """Do the same to many trials, a few at a time."""
        with ThreadPoolExecutor(SIDE_BY_SIDE) as several:
            return list(several.map(does, trials))

    def recover(self, trials: Sequence[Trial] | None = None, *, workers: int = 1, **more: Any) -> None:
        """Ask again for what nobody answered, and work until all has ended, in ``workers`` clean processes."""
        chosen = self.trials if trials is None else trials
        answered = {one.op for one in self.history.operations() if one.state == "ok"}
        known = [(trial.scenario, trial.id) for trial in chosen]
        asks = [ask for trial in chosen for ask in trial.asks if ask.transaction_id not in answered]
        until = [transaction_id for trial in chosen for transaction_id in trial.transactions]
        first = self.start(Job(workflows=known, asks=asks, until=until, **more))
        others = [self.start(Job(workflows=known, until=until, **more)) for _ in range(workers - 1)]
        for child in (first, *others):
            assert child.wait() == 0, f"a recovering process ended with {child.wait()}"

    def record(self, prefix: str = "") -> Record:
        """What the database says now."""
        return asyncio.run(record_of(self.world.database, prefix))

    def judge(self, record: Record, trials: Sequence[Trial] | None = None, **how: Any) -> list[str]:
        """The promises that are broken, among ``trials`` (all of them)."""
        ids = {trial.id for trial in (self.trials if trials is None else trials)}
        operations = [one for one in self.history.operations() if trial_of(one.op) in ids]
        kept = [ran for ran in record.executions if trial_of(ran.transaction_id) in ids]
        events = {key: event for key, event in record.events.items() if trial_of(key) in ids}
        calls = [call for call in self.book.calls() if trial_of(call.to) in ids]
        return broken(operations, calls, Record(events, kept), **how)

    def calls(self, trial: Trial, step: str = "first") -> list[Call]:
        """The requests for one step of a trial."""
        return [call for call in self.book.calls() if trial_of(call.to) == trial.id and call.subject.startswith(step)]


def person(id: str) -> Subscriber:
    """A subscriber whose address says to which trial they belong."""
    return Subscriber(subscriber_id=id, email=f"{id}@example.com")


def trial_of(name: str) -> str:
    """The trial that a transaction, a cancel, a member or an address belongs to."""
    return name.removeprefix("cancel ").partition("@")[0].partition(".")[0].partition("_m")[0]


def await_true(check: Callable[[], Any], what: str) -> None:
    """Wait until ``check`` holds; fail when it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.005)


def build(world: World, registry: Registry, settings: Settings | None = None) -> App:
    """An app in the world, for the test's own process."""
    settings = settings or Settings(root=world.folder, database=world.database)
    host = PluginHost([plugin], installed=False, http=HttpClient(allow_private=True))
    return App(settings, host=host, registry=registry, secrets=KeyRing([world.master_key]), synchronous="NORMAL")


@contextmanager
def staged(database: str, folder: Path) -> Iterator[Stage]:
    """A stage over an empty, migrated database."""
    with ledger(folder) as book:
        key = generate_master_key()
        usual = plugin.integrations(book.url, timeout=LONG)
        hasty = plugin.integrations(book.url, None, timeout=HASTY, suffix="-hasty")
        settings = Settings(root=folder, database=database, integrations=(*usual, *hasty))

        async def furnish() -> Any:
            world = World(database, None, key, folder)  # type: ignore[arg-type]
            async with build(world, Registry(), settings) as app:
                return await app.bootstrap()

        world = World(database, asyncio.run(furnish()), key, folder)
        history = History(folder / "history.jsonl")
        stage = Stage(world, book, history, forks())
        try:
            yield stage
        finally:
            for child in stage.children:
                if child.alive:
                    child.process.kill()
                    child.wait()
            history.close()


def forks() -> ForkServerContext:
    """Python's fork server, with novukit imported and its crash points armed later."""
    os.environ[crash.VARIABLE] = crash.LATER
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash.nursery"])
    return context
