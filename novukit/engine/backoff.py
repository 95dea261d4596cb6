"""Back-off: how long a step sleeps before it is tried again."""

from __future__ import annotations

import random
from datetime import timedelta

from ..model import Retry


def wait_before(attempt: int, retry: Retry, rng: random.Random, retry_after: float | None = None) -> timedelta:
    """The sleep before ``attempt`` (2, 3, …): drawn evenly from 0 to an exponential bound, and never shorter than
    the ``retry_after`` seconds that the provider asked for (at most an hour of them is honoured)."""
    bound = min(retry.cap, retry.first * 2 ** min(attempt - 2, 30))
    drawn = bound * rng.random()
    asked = timedelta(seconds=min(retry_after or 0.0, 3600.0))
    return max(drawn, asked)
