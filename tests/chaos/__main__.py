"""``python -m tests.chaos``: a run of its own, as long as you like; seed, schedule, figures and verdict are printed."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from . import faults
from .clients import Load
from .mutants import MUTANTS
from .run import Plan, chaos, with_mutant
from .verdict import Verdict


def main() -> int:
    """Run as the command line says; 1 if a promise was broken (or, with a planted fault, if none was)."""
    parser = argparse.ArgumentParser("python -m tests.chaos", description="Hurt a real novukit, and judge it.")
    seconds = float(os.environ.get("NOVUKIT_CHAOS_SECONDS", "90"))
    seed = int(os.environ.get("NOVUKIT_SEED", "0")) or int(time.time()) % 10**6
    parser.add_argument("--seconds", type=float, default=seconds, help="of faults (NOVUKIT_CHAOS_SECONDS, else 90)")
    parser.add_argument("--seed", type=int, default=seed, help="NOVUKIT_SEED, else another one each time")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two faults, on average")
    parser.add_argument("--load", type=float, default=1.0, help="a factor on the operations in a second")
    parser.add_argument("--mild", action="store_true", help="leave novukit's own processes alive: what grows in them?")
    parser.add_argument("--samples", type=Path, help="a CSV file for samples of what grows, every 5 s")
    parser.add_argument("--mutant", choices=["all", *MUTANTS], help="plant a fault, which must turn the run red")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the run, with all logs")
    options = parser.parse_args()
    plan = Plan(
        seed=options.seed, seconds=options.seconds, every=options.every, load=Load().times(options.load),
        what=faults.MILD if options.mild else tuple(faults.FAULTS),
    )  # fmt: skip
    if options.mutant:
        return _planted(plan, list(MUTANTS) if options.mutant == "all" else [options.mutant], options.keep)
    said = _run(plan, options.keep, options.samples)
    sys.stdout.write(f"{said}\n")
    return int(bool(said.broken))


def _planted(plan: Plan, names: Sequence[str], keep: bool) -> int:
    """Whether a planted fault was not found."""
    missed = 0
    for name in names:
        said = _run(with_mutant(plan, name), keep)
        found = [line for line in said.broken if MUTANTS[name].says in line]
        if not found:
            sys.stdout.write(f"{said}\n")
        sys.stdout.write(f"{name}: {f'found, {found[0]}' if found else 'NOT found'}\n")
        missed += not found
    return int(missed > 0)


def _run(plan: Plan, keep: bool, samples: Path | None = None) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="novukit-chaos-run-"))
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # leave nothing behind
    try:
        return asyncio.run(chaos(folder, plan, samples))
    finally:
        if keep:
            sys.stdout.write(f"Kept: {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
