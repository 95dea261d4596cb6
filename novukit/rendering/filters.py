"""The filters that novukit adds to Jinja2's: ``date`` and ``number``.

They exist because a template sees JSON: a moment arrives as an ISO 8601 string, a ``Decimal`` as a string of digits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from jinja2.exceptions import FilterArgumentError


def date(value: Any, form: str = "%d %B %Y", zone: str | None = None) -> str:
    """A date or moment in words: ``{{ order.arrives|date("%A at %H:%M", zone=subscriber.timezone) }}``.

    ``value`` is ISO 8601; ``form`` a strftime format; ``zone`` an IANA time zone (default: as written in ``value``).
    """
    try:
        text = str(value)
        moment = dt.date.fromisoformat(text) if len(text) == len("2026-01-31") else dt.datetime.fromisoformat(text)
    except ValueError:
        raise FilterArgumentError(f"date: {str(value)[:40]!r} is not an ISO 8601 date or moment") from None
    if zone is not None and isinstance(moment, dt.datetime):
        try:
            moment = moment.astimezone(ZoneInfo(zone))
        except (ValueError, LookupError, OSError):
            raise FilterArgumentError(f"date: {str(zone)[:40]!r} is not an IANA time zone") from None
    return moment.strftime(form)


def number(value: Any, places: int = 2) -> str:
    """A number with thousands apart and fixed places: ``€{{ item.price|number }}`` gives ``€1,234.50``."""
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise FilterArgumentError(f"number: {str(value)[:40]!r} is not a number") from None
    if not exact.is_finite() or exact.adjusted() > 30 or not 0 <= places <= 20:
        raise FilterArgumentError("number: takes numbers of up to 30 digits and 0 to 20 places")
    return f"{exact:,.{places}f}"


FILTERS: dict[str, Callable[..., Any]] = {"date": date, "number": number}
