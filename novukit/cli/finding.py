"""Finding executions by what a person has at hand: an execution's or transaction's id, or the first part of it."""

from __future__ import annotations

import re
from typing import Any

from ..errors import InvalidInput, NotFound
from .session import Session

LEAST = 8
"""Characters that a part of an id must have."""
RECENT = 500
"""How many executions are looked through for the beginning of an id."""


async def executions(session: Session, id: str, *, steps: bool = True) -> list[dict[str, Any]]:
    """The execution of this id, or all of the transaction. With ``steps`` each comes with steps and messages.

    Raises :class:`NotFound`; :class:`InvalidInput` for a part that is too short, or that several ids have.
    """
    found = await _by_id(session, id) or await _by_transaction(session, id) or await _by_beginning(session, id)
    if not found:
        raise NotFound(
            f"There is no execution and no transaction {id[:64]!r} in this environment.",
            hint="`novukit executions list` shows the latest.",
        )
    return [await session.get(f"/v1/executions/{one['id']}") for one in found] if steps else found


async def _by_id(session: Session, id: str) -> list[dict[str, Any]]:
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", id.lower()):
        return []
    try:
        return [await session.get(f"/v1/executions/{id.lower()}")]
    except NotFound:
        return []


async def _by_transaction(session: Session, id: str) -> list[dict[str, Any]]:
    return (await session.pages("/v1/executions", 100, transactionId=id)).data


async def _by_beginning(session: Session, part: str) -> list[dict[str, Any]]:
    if len(part) < LEAST:
        raise InvalidInput(f"{part!r} is too short for a part of an id.", hint=f"Give {LEAST} characters or more.")
    recent = (await session.pages("/v1/executions", RECENT)).data
    by_id = [one for one in recent if one["id"].startswith(part.lower()) or one["id"].endswith(part.lower())]
    if len(by_id) > 1:
        raise InvalidInput(f"{len(by_id)} executions have {part!r} in their id.", hint="Give more of it.")
    if by_id:
        return by_id
    transactions = sorted({one["transactionId"] for one in recent if one["transactionId"].startswith(part)})
    if len(transactions) > 1:
        raise InvalidInput(f"{len(transactions)} transactions begin with {part!r}.", hint="Give more of it.")
    return await _by_transaction(session, transactions[0]) if transactions else []
