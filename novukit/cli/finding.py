"""Finding executions by what a person has at hand: an execution's or transaction's id, or the first part of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from ..errors import InvalidInput, NotFound
from .session import Session

LEAST = 8
"""Characters that a part of an id must have."""
RECENT = 500
"""How many executions are looked through for the beginning of an id."""


@dataclass(frozen=True)
class Found:
    """What an id means: one execution, or all of a transaction."""

    executions: list[dict[str, Any]]
    transaction: str | None = None
    """Set when the id is that of a transaction."""

    async def stories(self, session: Session) -> list[dict[str, Any]]:
        """The executions with their steps and messages."""
        return [await session.get(f"/v1/executions/{one['id']}") for one in self.executions]


async def find(session: Session, id: str) -> Found:
    """The execution of this id, or all of the transaction.

    Raises :class:`NotFound`; :class:`InvalidInput` for a part that is too short, or that several ids have.
    """
    if one := await _by_id(session, id):
        return Found([one])
    if several := await _by_transaction(session, id):
        return Found(several, id)
    if found := await _by_part(session, id):
        return found
    raise NotFound(
        f"There is no execution and no transaction {id[:64]!r} in this environment.",
        hint="`novukit executions list` shows the latest.",
    )


async def progress_of(session: Session, transaction: str) -> dict[str, Any] | None:
    """How far a transaction has come; None when there is none."""
    try:
        return cast("dict[str, Any]", await session.get(f"/v1/events/trigger/{quote(transaction, safe='')}"))
    except NotFound:
        return None


async def _by_id(session: Session, id: str) -> dict[str, Any] | None:
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", id.lower()):
        return None
    try:
        return cast("dict[str, Any]", await session.get(f"/v1/executions/{id.lower()}"))
    except NotFound:
        return None


async def _by_transaction(session: Session, id: str) -> list[dict[str, Any]]:
    return (await session.pages("/v1/executions", 100, transactionId=id)).data


async def _by_part(session: Session, part: str) -> Found | None:
    if len(part) < LEAST:
        raise InvalidInput(f"{part!r} is too short for a part of an id.", hint=f"Give {LEAST} characters or more.")
    recent = (await session.pages("/v1/executions", RECENT)).data
    by_id = [one for one in recent if one["id"].startswith(part.lower()) or one["id"].endswith(part.lower())]
    if len(by_id) > 1:
        raise InvalidInput(f"{len(by_id)} executions have {part!r} in their id.", hint="Give more of it.")
    if by_id:
        return Found(by_id)
    transactions = sorted({one["transactionId"] for one in recent if one["transactionId"].startswith(part)})
    if len(transactions) > 1:
        raise InvalidInput(f"{len(transactions)} transactions begin with {part!r}.", hint="Give more of it.")
    return Found(await _by_transaction(session, transactions[0]), transactions[0]) if transactions else None
