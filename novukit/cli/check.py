"""``Check``: one thing that ``novukit doctor`` looked at, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import NovukitError


@dataclass(frozen=True)
class Check:
    """One subject, what was found, and what to do about it."""

    subject: str
    status: Literal["ok", "warning", "failed"]
    finding: str
    fix: str | None = None


def failed(subject: str, err: NovukitError) -> Check:
    """What an error says, as a check."""
    return Check(subject, "failed", err.message, err.hint)
