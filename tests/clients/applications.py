"""Applications with Novu's own framework, in a Node process of their own."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import serving


@dataclass(frozen=True)
class Framework:
    """A running application: where its route is, and the file in which it counts what its steps' code did."""

    url: str
    counts: Path

    def ran(self) -> Counter[str]:
        """How often the code of each step has run."""
        return Counter(self.counts.read_text().split()) if self.counts.exists() else Counter()

    @property
    def port(self) -> str:
        """Where it listens: for one that takes its place."""
        return self.url.split(":")[2].split("/")[0]


@contextmanager
def framework(secret_key: str, counts: Path, **environ: str) -> Generator[Framework]:
    """``bridge.mjs`` until the block ends."""
    env = {**os.environ, "NOVU_SECRET_KEY": secret_key, "BRIDGE_COUNTS": str(counts), **environ}
    process = subprocess.Popen(
        ["node", "bridge.mjs"], cwd=serving.packages(), env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Framework(json.loads(process.stdout.readline())["url"], counts)
    finally:
        process.kill()
        process.communicate()
