"""``python -m tests.simulation``: replay one seed, or run seeds on every core for a while.

--seed N             one seed; with --trace all that happens in it
--seeds A B          the seeds from A to B
--minutes M          new seeds, from --start on, until the time is up
--mutant NAME        with a planted bug (--mutants names them)
--jobs J             processes; as many as there are cores if left out
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from .mutants import MUTANTS
from .world import Outcome, run


def one(seed: int, mutant: str | None = None, *, tell: Any = None) -> Outcome:
    """One seed, it may be with a planted bug."""
    return run(seed, bug=MUTANTS[mutant] if mutant else None, tell=tell)


def say(line: object) -> None:
    """One line of output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _chunk(seeds: range, mutant: str | None) -> list[Outcome]:
    return [one(seed, mutant) for seed in seeds]


def main(argv: list[str] | None = None) -> int:
    """Run what the arguments ask for; 1 if any promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--seeds", type=int, nargs=2)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--start", type=int, default=1_000_000)
    parser.add_argument("--mutant", choices=MUTANTS)
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args(argv)
    if asked.mutants:
        say("\n".join(MUTANTS))
        return 0
    if asked.seed is not None:
        outcome = one(asked.seed, asked.mutant, tell=say if asked.trace else None)
        say(outcome)
        say(f"trace {outcome.trace}: {'broken' if outcome.broken else 'all promises kept'}")
        return bool(outcome.broken)
    first, last = asked.seeds or (asked.start, 10**12)
    return _many(first, last, asked.minutes, asked.mutant, asked.jobs)


def _many(first: int, last: int, minutes: float | None, mutant: str | None, jobs: int) -> int:
    began, done, broken, commits = time.monotonic(), 0, list[int](), 0
    chunks = (range(n, min(n + 10, last)) for n in range(first, last, 10))
    with ProcessPoolExecutor(jobs) as pool:
        running = [pool.submit(_chunk, seeds, mutant) for seeds in itertools.islice(chunks, jobs * 2)]
        while running:
            outcomes = running.pop(0).result()
            if minutes is None or time.monotonic() - began < minutes * 60:
                running += [pool.submit(_chunk, seeds, mutant) for seeds in itertools.islice(chunks, 1)]
            for outcome in outcomes:
                done, commits = done + 1, commits + outcome.commits
                if outcome.broken:
                    broken.append(outcome.seed)
                    say(outcome)
    took = time.monotonic() - began
    say(f"{done} seeds in {took:.0f} s ({done / took * 60:.0f} a minute), {commits} commits looked at, "
          f"{len(broken)} seeds broke a promise: {broken}")  # fmt: skip
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
