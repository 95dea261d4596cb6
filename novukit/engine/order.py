"""Order: which integrations of a channel may carry a message, and which of them comes first."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from uuid import UUID

from ..model import Facts, Integration, conditions_hold


def in_order(usable: Sequence[Integration], execution_id: UUID, facts: Callable[[], Facts]) -> list[Integration]:
    """Those of ``usable`` (of one channel, oldest first) whose conditions hold, best first.

    One with conditions comes before those without: it was made for such a message. Among equals, those with a weight
    share the messages by it; after them come the primary one, then the oldest. It depends on nothing but its
    arguments, so a message that is run again is routed alike.
    """
    if not any(has_conditions(one) for one in usable):
        return _ranked(usable, execution_id)
    known = facts()
    meant = [one for one in usable if has_conditions(one) and _may(one, known)]
    others = [one for one in usable if not has_conditions(one)]
    return _ranked(meant, execution_id) + _ranked(others, execution_id)


def is_fixed(usable: Sequence[Integration]) -> bool:
    """Whether their order is the same for every message."""
    return not any(has_conditions(one) or one.routing.weight for one in usable)


def has_conditions(integration: Integration) -> bool:
    """Whether it is for some messages only."""
    return bool(integration.conditions) or bool(integration.routing.when)


def _may(integration: Integration, facts: Facts) -> bool:
    return integration.routing.when.holds(facts) and conditions_hold(integration.conditions, facts)


def _ranked(those: Sequence[Integration], execution_id: UUID) -> list[Integration]:
    shared = [one for one in those if one.routing.weight]
    if len(shared) > 1:
        shared.sort(key=lambda one: _draw(one, execution_id))
    spare = sorted((one for one in those if not one.routing.weight), key=lambda one: not one.primary)
    return shared + spare


def _draw(integration: Integration, execution_id: UUID) -> float:
    """A lot that is the smallest one in proportion to the weight (weighted rendezvous hashing).

    When an integration comes or goes, only its own share of the messages is routed otherwise.
    """
    digest = hashlib.blake2b(execution_id.bytes + integration.id.bytes, digest_size=8).digest()
    return -math.log((int.from_bytes(digest, "big") + 1) / 2**64) / integration.routing.weight
