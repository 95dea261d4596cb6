"""Waiting for a novukit in another process, whose clock no test can wind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from .serving import Live

T = TypeVar("T")
LONGEST = 30.0
"""Seconds; on a machine that does nothing else it is a few milliseconds."""
_ENDED = {"completed", "merged", "failed", "cancelled", "parked"}


def until(ask: Callable[[], T | None], what: str) -> T:
    """The first answer that is something. Fails with ``what`` did not come."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if answer := ask():
            return answer
        threading.Event().wait(0.02)
    raise AssertionError(f"It did not come: {what}.")


def settle(live: Live, *transaction_ids: str) -> None:
    """Wait until all executions of these transactions have ended."""

    def ended(transaction_id: str) -> bool:
        told = api.get(f"/v1/events/trigger/{transaction_id}").raise_for_status().json()["data"]
        return told["status"] == "expanded" and told["statuses"].keys() <= _ENDED

    with live.api() as api:
        for each in transaction_ids:
            until(lambda each=each: ended(each), f"the end of {each}")
