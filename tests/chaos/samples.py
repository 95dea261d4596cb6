"""What grows while a run goes on: sampled every few seconds into a CSV file, and summed up as slopes."""

from __future__ import annotations

import asyncio
import csv
import os
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from .run import Place

EVERY = 5.0
WARM = 1 / 3
"""The share of a life that is not looked at: caches fill and pools open."""
SHORTEST = 12
"""Samples that a life must have for a slope."""
TABLES = ("event", "execution", "checkpoint", "message", "activity", "digest_window", "worker")

OF_PROGRAMS = ("rss_kb", "fds", "threads", "tasks")
OF_SERVERS = (
    "redis_memory", "redis_xlen", "redis_consumers", "connections", "backlog", "oldest_transaction_s", "worker_bytes",
)  # fmt: skip


class Samples:
    """Samples of a place, one row for each of its programs (and one for the servers) every ``EVERY`` seconds."""

    def __init__(self, file: Path, place: Place) -> None:
        self.file, self.place = file, place
        self.rows: list[dict[str, Any]] = []

    def start(self) -> Self:
        self._task = asyncio.create_task(self._sample())
        return self

    async def end(self) -> str:
        """Write the file; the slopes in words."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self.file.parent.mkdir(parents=True, exist_ok=True)
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with self.file.open("w", newline="") as out:
            writer = csv.DictWriter(out, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        return self._summary()

    async def _sample(self) -> None:
        began = time.monotonic()
        while True:
            at = round(time.monotonic() - began, 1)
            for program in self.place.programs:
                if program.is_up:
                    with suppress(OSError, ValueError):
                        self.rows.append({"at": at, "who": program.name, **self._of_program(program.lives[-1].pid)})
            servers: dict[str, Any] = {"at": at, "who": "servers"}
            for part in (self._of_redis, self._of_postgres):
                with suppress(Exception):  # it is away: that is what the run is for
                    async with asyncio.timeout(3):
                        servers |= await part()
            self.rows.append(servers)
            await asyncio.sleep(EVERY)

    def _of_program(self, pid: int) -> dict[str, Any]:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        found: dict[str, Any] = {
            "pid": pid, "rss_kb": int(status["VmRSS"].split()[0]), "threads": int(status["Threads"]),
            "fds": len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208
        }  # fmt: skip
        with suppress(OSError, ValueError):
            found["tasks"] = int((self.place.folder / "tasks" / str(pid)).read_text())
        return found

    async def _of_redis(self) -> dict[str, Any]:
        redis = self.place.redis
        memory = (await redis.tell("INFO", "memory"))["used_memory"]
        found: dict[str, Any] = {"redis_memory": memory, "redis_xlen": await redis.tell("XLEN", "novukit")}
        with suppress(Exception):
            found["redis_consumers"] = len(await redis.tell("XINFO", "CONSUMERS", "novukit", "novukit"))
        return found

    async def _of_postgres(self) -> dict[str, Any]:
        connection = await self.place.postgres.connect("chaos")
        try:
            sizes = ", ".join(
                f"pg_total_relation_size('novukit_{name}') as {name}_bytes, "
                f"(select n_dead_tup from pg_stat_user_tables where relname = 'novukit_{name}') as {name}_dead"
                for name in TABLES
            )
            row = await connection.fetchrow(
                "select (select count(*) from pg_stat_activity where datname = current_database()) as connections, "
                "(select count(*) from novukit_execution) as executions, "
                "(select count(*) from novukit_execution where finished_at is null) as backlog, "
                f"coalesce(extract(epoch from (select max(now() - xact_start) from pg_stat_activity)), 0)::float "
                f"as oldest_transaction_s, {sizes}"
            )
            return dict(row)
        finally:
            await connection.close()

    def _summary(self) -> str:
        lines = ["slopes, without the first third of each life:"]
        for program in self.place.programs:
            for life in program.lives:
                rows = [row for row in self.rows if row.get("pid") == life.pid]
                if len(rows) >= SHORTEST:
                    lines += self._slopes(f"{program.name} ({life.pid})", rows, OF_PROGRAMS)
        rows = [row for row in self.rows if row["who"] == "servers"]
        if len(rows) >= SHORTEST:
            lines += self._slopes("servers", rows, OF_SERVERS)
            if last := next((row for row in reversed(rows) if row.get("executions")), None):
                total = sum(last[f"{name}_bytes"] for name in TABLES)
                lines.append(f"  {total / last['executions']:,.0f} bytes of tables and indexes an execution")
        return "\n".join(lines)

    def _slopes(self, who: str, rows: list[dict[str, Any]], names: tuple[str, ...]) -> list[str]:
        lines: list[str] = []
        for name in names:
            points = [(row["at"], float(row[name])) for row in rows if name in row]
            points = points[int(len(points) * WARM) :]
            if len(points) < 2:
                continue
            half = len(points) // 2
            first, last = median(v for _, v in points[:half]), median(v for _, v in points[half:])
            said = f"{slope(points) * 600:+,.1f} in 10 min (median {first:,.0f}, then {last:,.0f})"
            lines.append(f"  {who} {name}: {said}")
        return lines


def slope(points: list[tuple[float, float]]) -> float:
    """The slope of the line that fits best (least squares), in units a second."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    below = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / below if below else 0.0
