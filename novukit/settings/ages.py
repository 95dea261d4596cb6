"""Ages, as people write them: ``90d``, ``12h``, ``4w``."""

from __future__ import annotations

import re
from datetime import timedelta

LEAST = timedelta(hours=1)
MOST = timedelta(days=36_500)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AGE = re.compile(r"\s*([0-9]{1,6})\s*([hdw])\s*", re.ASCII)


def age(text: str) -> timedelta:
    """The span that ``text`` names, from an hour to a hundred years. Raises ``ValueError`` with a sentence."""
    found = _AGE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:64]!r} is not an age; write a number and h, d or w, as in '90d'.")
    span = int(found[1]) * _UNITS[found[2]]
    if not LEAST <= span <= MOST:
        raise ValueError(f"{text[:64]!r} is not between an hour and a hundred years.")
    return span
