"""``Move``: one import under way, from a server that speaks Novu's API to one that does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from ...client import Client
from ...errors import InvalidInput, NotFound, NovukitError
from .ledger import Ledger, Stage

T = TypeVar("T")
Record = dict[str, Any]
PAGE = 100
"""Records of a page: as many as Novu gives at once."""
SEVERAL = 8
"""Calls at a time, unless told otherwise."""


@dataclass
class Move:
    """Where things come from and go to. ``write`` is false in a dry run: then the destination is only looked at."""

    source: Client
    to: Client
    ledger: Ledger
    write: bool = True
    at_once: int = SEVERAL
    environment_id: str | None = None
    workflows: frozenset[str] = frozenset()
    show: Callable[[Stage], None] = lambda stage: None
    _room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.at_once)

    async def read(self, path: str, **params: Any) -> Any:
        """What the source answers."""
        async with self._room:
            return await self.source.request("GET", path, params=params)

    async def put(self, method: str, path: str, body: Any) -> Record:
        """Tell the destination something that does no harm when it is told twice; nothing in a dry run."""
        if not self.write:
            return {}
        async with self._room:
            answer = await self.to.request(method, path, json=body, repeatable=True)
        return cast("Record", answer) if isinstance(answer, dict) else {}

    async def each(self, things: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
        """Do ``work`` for all ``things``; so many at a time that the room is full."""
        async with asyncio.TaskGroup() as group:
            for thing in things:
                group.create_task(_alone(work, thing))

    async def pages(self, stage: Stage, path: str, **params: Any) -> AsyncIterator[list[Record]]:
        """The pages of a list of the source from where ``stage`` is; what was done with one is kept when the next is
        asked for.

        A cursor that the source does not take any more begins again: what is moved twice is there once.
        """
        seen: set[str] = set()
        while True:
            try:
                page = await self.read(path, limit=PAGE, after=stage.after, orderDirection="ASC", **params)
            except (InvalidInput, NotFound):
                if stage.after is None:
                    raise
                stage.begin_again()
                stage.note("the list", "The source did not know its own cursor any more: it was read again.")
                continue
            rows, onward = page_of(page)
            if isinstance(total := page.get("totalCount"), int | float):
                stage.total = int(total)
            yield rows
            if onward is None or onward in seen:
                break
            seen.add(onward)
            stage.after = onward
            self.kept(stage)
        stage.after = None

    def kept(self, stage: Stage) -> None:
        """Keep how far it has come, and show it."""
        self.ledger.save()
        self.show(stage)


def page_of(page: Any) -> tuple[list[Record], str | None]:
    """The records of a page, and the cursor of the next one. What is no record is left out."""
    if not isinstance(page, dict) or not isinstance(cast("Record", page).get("data"), list):
        raise NovukitError("The source answered with something that is no page of a list.", hint="Is it a Novu server?")
    told = cast("Record", page)
    rows = [cast("Record", row) for row in told["data"] if isinstance(row, dict)]
    onward = told.get("next")
    return rows, onward if isinstance(onward, str) and onward else None


def text(record: Record, name: str) -> str | None:
    """A text of a record that others wrote; ``None`` where it is none, or empty."""
    value = record.get(name)
    return value if isinstance(value, str) and value else None


def within(record: Record, name: str) -> Record:
    """An object of a record that others wrote; an empty one where it is none."""
    value = record.get(name)
    return cast("Record", value) if isinstance(value, dict) else {}


def listed(record: Record, name: str) -> list[Record]:
    """The objects in a list of a record that others wrote."""
    value = record.get(name)
    return (
        [cast("Record", one) for one in cast("list[Any]", value) if isinstance(one, dict)]
        if isinstance(value, list)
        else []
    )


def said(err: NovukitError) -> str:
    """An error in one line, with what is wrong where."""
    if not err.issues or (len(err.issues) == 1 and err.issues[0].message in err.message):
        return err.message
    return "; ".join(f"{issue.path} {issue.message}".strip() for issue in err.issues[:3])


async def _alone(work: Callable[[T], Awaitable[None]], thing: T) -> None:
    await work(thing)
