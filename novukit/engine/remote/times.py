"""Times as the framework's outputs name them: an amount of a unit, a cron expression, a path in the payload."""

from __future__ import annotations

import calendar
import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from cronsim import CronSim

from ...authoring import spans
from ...errors import BridgeFailed

UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}
_LONGEST_KEY = 255
_MOST_MONTHS = 12


def end_of(
    step: str, outputs: Mapping[str, Any], payload: Mapping[str, Any], at: datetime, zone: str | None
) -> datetime:
    """When a wait that is asked for at ``at`` ends. Cron slots are those of ``zone``.

    Raises :class:`BridgeFailed` for what names no time.
    """
    if outputs.get("cron") is not None:
        cron = spans.cron(step, outputs["cron"])
        return next(CronSim(cron, at.astimezone(ZoneInfo(zone or "UTC")))).astimezone(UTC)
    if (path := outputs.get("dynamicKey")) is not None:
        return _dynamic(step, str(path), within(payload, str(path)), at)
    return _after(step, outputs.get("amount"), outputs.get("unit"), at)


def key_of(path: object, payload: Mapping[str, Any]) -> str:
    """The text that stands for what the payload has at ``path``; empty without a path or without a value there."""
    value = within(payload, path) if isinstance(path, str) and path else None
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return text if len(text) <= _LONGEST_KEY else hashlib.sha256(text.encode()).hexdigest()


def within(payload: Mapping[str, Any], path: str) -> Any:
    """What the payload has at a dotted path, with or without ``payload.`` before it; None where it ends early."""
    here: Any = payload
    for name in path.removeprefix("payload.").split("."):
        here = cast("Mapping[str, Any]", here).get(name) if isinstance(here, Mapping) else None
    return here


def _dynamic(step: str, path: str, value: Any, at: datetime) -> datetime:
    if isinstance(value, dict):
        asked = cast("dict[str, Any]", value)
        return _after(step, asked.get("amount"), asked.get("unit"), at)
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise BridgeFailed(
        f"Step {step!r}: the payload has neither a date nor a duration at {path!r}.",
        hint='Give it an ISO 8601 date, or {"amount": 3, "unit": "days"}.',
    )


def _after(step: str, amount: Any, unit: Any, at: datetime) -> datetime:
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount) or amount < 0:
        raise BridgeFailed(f"Step {step!r}: {str(amount)[:40]!r} is no amount of time.")
    if unit == "months":
        if amount != int(amount) or amount > _MOST_MONTHS:
            raise BridgeFailed(f"Step {step!r}: only 0 to {_MOST_MONTHS} whole months can be waited for.")
        return _months_later(at, int(amount))
    if unit not in UNITS:
        raise BridgeFailed(f"Step {step!r}: {str(unit)[:40]!r} is no unit of time.")
    return at + spans.span(step, "amount", timedelta(seconds=min(amount * UNITS[unit], 1e12)), least=timedelta())


def _months_later(at: datetime, months: int) -> datetime:
    """The same day of the month, or its last one where it has no such day."""
    years, month = divmod(at.month - 1 + months, 12)
    year, month = at.year + years, month + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))
