"""`novukit worker` with several processes: all of them work, and all of them end with it, however it ends."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path
from uuid import UUID

import pytest

from novukit.cli.processes import MOST, usual

from .conftest import until
from .test_processes import Plant, Works, plant

__all__ = ["plant"]

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM for processes"),
]


async def two(plant: Plant) -> tuple[Works, int]:
    """A worker of two processes, and the pid of the second one."""
    toml = plant.folder / "novukit.toml"
    toml.write_text(toml.read_text().replace("processes = 1", "processes = 2"))
    works = await plant.start()

    async def both() -> bool:
        return len(await pids(plant)) == 2

    await until(both, 60)
    (other,) = await pids(plant) - {works.process.pid}
    return works, other


async def pids(plant: Plant) -> set[int]:
    """The processes of all workers that hold a lease."""
    return {row["pid"] for row in await plant.scope.database.fetch("select pid from novukit_worker")}


async def took_part(plant: Plant) -> set[UUID]:
    """The workers that run something now."""
    rows = await plant.scope.database.fetch(
        "select distinct worker_id from novukit_execution where worker_id is not null"
    )
    return {row["worker_id"] for row in rows}


async def test_all_of_them_work_and_one_signal_ends_all(plant: Plant) -> None:
    """Each has a lease of its own and takes its share; SIGTERM to the first one is enough, and nothing is lost."""
    works, other = await two(plant)
    seen = set[UUID]()
    for n in range(40):
        await plant.trigger(f"s{n}")
        seen |= await took_part(plant)
    await until(plant.ended, 60)

    await works.stop()

    assert 2 == len(seen)
    assert set() == await pids(plant)
    assert not alive(other)
    assert 80 == len(set(plant.box.subjects))


async def test_they_end_with_the_first_one_even_by_kill_9(plant: Plant) -> None:
    """Nobody goes on working unseen; what they held is taken over."""
    works, other = await two(plant)
    await plant.trigger("ann")
    await until(lambda: plant.box.mails, 20)

    works.close()

    await until(lambda: not alive(other), 20)
    await plant.start()
    await until(plant.ended, 60)
    assert {"first ann", "second ann"} == set(plant.box.subjects)


async def test_one_that_dies_is_replaced(plant: Plant) -> None:
    """The log names its end, and another process takes its place."""
    works, other = await two(plant)

    os.kill(other, signal.SIGKILL)

    async def replaced() -> bool:
        return len(await pids(plant) - {works.process.pid, other}) == 1

    await until(replaced, 60)
    log = (plant.folder / "worker.log").read_text()
    assert re.search(r"a process of this worker ended with -9; another takes its place in \d+ s", log)
    await works.stop()


def test_sqlite_has_one_writer_so_one_process() -> None:
    """Elsewhere there is one for each core, and never so many that Postgres runs out of connections."""
    assert 1 == usual("sqlite:///novukit.db")
    assert 1 <= usual("postgres://localhost/novukit") <= MOST


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
