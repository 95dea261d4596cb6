"""``Breaker``: gives an integration that fails again and again a rest in this process, and then tries it with one call.

Closed, all calls pass. After ``FAILURES`` calls in a row that could not be made, or whose answer was lost, it opens.
While it is open one call passes at the end of each rest: if that succeeds it closes, if not the next rest is longer.
"""

from __future__ import annotations

from uuid import UUID

from ..model import Integration, Reason
from ..providers import Delivery, Outcome

FAILURES = 10
"""Calls in a row that fail before an integration is given a rest."""
REST, LONGEST = 5.0, 60.0
"""Seconds of the first rest, and of the longest; each is twice the one before."""

_NOT_CALLED = frozenset({Reason.UNSUPPORTED_FEATURE, Reason.CONTENT_INVALID, Reason.PLUGIN_ERROR})
"""Reasons for which novukit itself refuses, or which tell of the plugin and not of the vendor."""


class Breaker:
    """The breaker of one integration in this process. Times are monotonic, in seconds."""

    def __init__(self) -> None:
        self.is_open = False
        self._failures = 0
        self._rest = REST
        self._until = 0.0
        self._trying = False

    def wait(self, now: float) -> float:
        """For how long nothing may be sent; 0 if a call may begin."""
        return max(self._until - now, 0.0) if self.is_open else 0.0

    def enter(self, now: float) -> bool:
        """Whether the caller may begin a call now. Where it is open, one caller may at the end of each rest."""
        if not self.is_open:
            return True
        if now < self._until:
            return False
        self._trying, self._until = True, now + self._rest  # whoever comes next waits, even if this call never ends
        return True

    def heard(self, delivery: Delivery, now: float) -> bool:
        """Take note of what came of a call. Whether that has opened or closed it."""
        if delivery.outcome is Outcome.THROTTLED or delivery.reason in _NOT_CALLED:
            return False  # it wants less, but it answers; or it was not asked
        if delivery.outcome not in (Outcome.UNAVAILABLE, Outcome.UNKNOWN):
            was, self.is_open = self.is_open, False
            self._failures, self._rest, self._trying = 0, REST, False
            return was
        self._failures += 1
        if self.is_open:
            if self._trying:  # the others began before it was opened, and tell nothing new
                self._trying, self._rest = False, min(self._rest * 2, LONGEST)
                self._until = now + self._rest
            return False
        if self._failures < FAILURES:
            return False
        self.is_open, self._until = True, now + self._rest
        return True


class Breakers:
    """All breakers of this process."""

    def __init__(self) -> None:
        self._kept: dict[UUID, Breaker] = {}

    def of(self, integration: Integration) -> Breaker:
        """The breaker of an integration."""
        return self._kept.setdefault(integration.id, Breaker())
