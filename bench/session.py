"""One session of the bench: its servers, its scratch folder, how long it may take, and whom it compares with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from . import project
from .machine import Servers
from .project import Project

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """What every row gets."""

    servers: Servers
    folder: Path
    short: bool
    compare: bool
    """Whether novukit is compared with anything at all."""
    peers: Path | None
    """The Python of the peers; None leaves them out."""
    rounds: int
    """How many rounds each row has; 0 leaves it to the row."""
    worker: tuple[str, ...]
    """Settings of the worker that differ from what is shipped: ``concurrency=500``."""
    tell: Callable[[str], None]
    """Say in a line what is going on."""

    def pick(self, short: T, full: T) -> T:
        """A size for this kind of session."""
        return short if self.short else full

    async def project(self, name: str) -> Project:
        """A new project over a new Postgres database of that name, prepared."""
        url = await self.servers.create(f"bench_{name}")
        made = self.write(name, url, self.servers.redis)
        await project.prepare(made)
        return made

    def write(self, name: str, database: str, broker: str) -> Project:
        """A new project with this session's settings, not prepared."""
        return project.make(self.folder / name, database, broker, self.worker)
