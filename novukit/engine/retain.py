"""Retain: delete what ended longer ago than it is to be kept, a little at a time, beside the work."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from ..store import retention
from .runtime import Runtime

REST = 4.0
"""How long it rests after each transaction, in times of what that took: a fifth of one connection is its share."""


async def retain(rt: Runtime, kept_for: timedelta) -> retention.Gone:
    """One sweep over all environments; says what went. Several workers may do it: each takes what no other has."""
    gone: retention.Gone = Counter()
    sweeping = retention.sweep(rt.database, retention.Rule(rt.clock.now() - kept_for))
    while True:
        began = rt.clock.monotonic()
        some = await anext(sweeping, None)
        if some is None:
            return gone
        gone += some
        await rt.clock.sleep(REST * (rt.clock.monotonic() - began))
