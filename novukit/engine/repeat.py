"""Triggers under idempotency keys: the answer is kept in the commit that accepts the event, so that neither is there
without the other; a key that comes again gives its answer again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from ..errors import IdempotencyKeyInUse, IdempotencyKeyReused, NovukitError
from ..model import Triggered
from ..store import Database, idempotency
from ..store.idempotency import Kept, Receipt


@dataclass(frozen=True, slots=True)
class Keyed:
    """That a trigger is to be accepted once under ``key``; ``kept`` writes its answer as it is told and kept."""

    key: str
    kept: Callable[[Triggered], Kept]


class Repeated(NovukitError):
    """The request was answered before; ``kept`` is what it was told."""

    code = "repeated"

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        self.kept = kept


def judge(kept: Kept, fingerprint: str) -> NovukitError:
    """What a request is told whose key is on record."""
    if kept.fingerprint != fingerprint:
        return IdempotencyKeyReused(hint="Use a new key for a new request; repeat the same request to ask again.")
    if kept.status is None:
        return IdempotencyKeyInUse(hint="Ask again in a moment.")
    return Repeated(kept)


async def refusals(database: Database, receipts: Sequence[Receipt]) -> dict[UUID, NovukitError]:
    """What those are told whose keys are on record, by the id of the event that is not to be accepted."""
    found = await idempotency.on_record(database, receipts)
    return {
        each.event_id: judge(found[each.event_id], each.kept.fingerprint) for each in receipts if each.event_id in found
    }
