"""DBOS as the bench runs it: a worker, a client, or both in one process. Runs in the peers' own environment.

Three synchronous no-op steps in a workflow, as on novukit's side. 16 threads and a poll of 0.1 s were the best of a
sweep over 2 to 64 threads, polls of 0.02 to 1 s, and asynchronous steps.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbos import DBOS, DBOSClient  # pyright: ignore[reportMissingImports] - it is in the peers' environment

from bench.wire import commands, say

THREADS, POLL, CLIENT_THREADS = 16, 0.1, 8
QUEUE = "bench"
LEFT = "select 1 from workflow_status where status in ('ENQUEUED', 'PENDING') limit 1"


@DBOS.step()
def noop(n: int) -> dict[str, int]:
    return {"n": n}


@DBOS.workflow()
def custom(n: int) -> int:
    noop(1)
    noop(2)
    noop(3)
    return n


def launch(url: str, executor: str = "local") -> None:
    DBOS(
        config={
            "name": "bench", "system_database_url": url, "max_executor_threads": THREADS, "log_level": "ERROR",
            "application_version": "1", "executor_id": executor,
        }
    )  # fmt: skip
    DBOS.launch()
    DBOS.register_queue(QUEUE, polling_interval_sec=POLL)


def worker(url: str, executor: str) -> None:
    launch(url, executor)
    say(ready=True)
    for _ in commands():
        pass
    DBOS.destroy()


def client(url: str) -> None:
    asking = DBOSClient(system_database_url=url, system_database_pool_size=CLIENT_THREADS, application_name="bench")
    options: Any = {"workflow_name": "custom", "queue_name": QUEUE, "app_version": "1"}
    say(ready=True)
    with ThreadPoolExecutor(CLIENT_THREADS) as threads:
        for ask in commands():
            began = time.monotonic()
            list(threads.map(lambda n: asking.enqueue(options, n), range(ask["n"])))
            say(seconds=time.monotonic() - began)
    asking.destroy()


def embedded(url: str) -> None:
    launch(url)
    looking = sqlite3.connect(url.removeprefix("sqlite:///"))
    say(ready=True)
    with ThreadPoolExecutor(CLIENT_THREADS) as threads:
        for ask in commands():
            began = time.monotonic()
            list(threads.map(lambda n: DBOS.enqueue_workflow(QUEUE, custom, n), range(ask["n"])))
            while looking.execute(LEFT).fetchone():
                time.sleep(0.05)
            say(seconds=time.monotonic() - began)
    DBOS.destroy()


if __name__ == "__main__":
    {"worker": worker, "client": client, "embedded": embedded}[sys.argv[1]](*sys.argv[2:])
