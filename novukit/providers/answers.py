"""What an HTTP answer means: the outcome its status stands for, when to come back, and the JSON in it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx

from ..model import Reason
from .outcome import ProviderError, Rejected, Throttled, Unavailable, Unknown

RETRY_AFTER_CAP = 3600.0
WORDS_LIMIT = 2000


def outcome_for(response: httpx.Response, *, detail: str | None = None) -> ProviderError | None:
    """What the status of ``response`` says about the message: None for 2xx, else the exception to raise.

    ===================== ==================================================================
    408, 425, 429         Throttled, with the answer's Retry-After
    401, 403              Rejected, reason ``credentials_invalid``
    other 4xx             Rejected
    3xx                   Rejected: redirects are never followed
    503                   Unavailable, with the answer's Retry-After
    other 5xx, the rest   Unknown: the message may have been taken on before it went wrong
    ===================== ==================================================================

    Where your provider promises more (a 500 that never sends, a 404 that means a dead device token), say so before
    you ask this function. ``detail`` replaces the words of the answer.
    """
    status = response.status_code
    if 200 <= status < 300:
        return None
    words = response.text[:WORDS_LIMIT] if detail is None else detail
    said = f"answered {status}: {words}" if words.strip() else f"answered {status}"
    match status:
        case 408 | 425 | 429:
            error = Throttled(said, retry_after=retry_after(response))
        case 401 | 403:
            error = Rejected(said, reason=Reason.CREDENTIALS_INVALID)
        case _ if 300 <= status < 400:
            error = Rejected(f"answered {status}: the redirect was refused")
        case _ if 400 <= status < 500:
            error = Rejected(said)
        case 503:
            error = Unavailable(said, retry_after=retry_after(response))
        case _:
            error = Unknown(said)
    return error


def raise_for_outcome(response: httpx.Response, *, detail: str | None = None) -> httpx.Response:
    """Give ``response`` back if its status is 2xx, else raise what ``outcome_for`` makes of it."""
    if error := outcome_for(response, detail=detail):
        raise error
    return response


def retry_after(response: httpx.Response) -> float | None:
    """The seconds that ``Retry-After`` asks for (a number or an HTTP date, RFC 9110 §10.2.3), at most 3600.

    None where the header is missing, past, negative or not understood.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        # Nine digits are 31 years; more would only test Python's patience.
        return min(float(value[:9]), RETRY_AFTER_CAP) if len(value) <= 9 else RETRY_AFTER_CAP
    due = http_date(value)
    # The server's own clock, where it tells it: ours may be off.
    now = http_date(response.headers.get("date", "")) or datetime.now(UTC)
    if due is None or due < now:
        return None
    return min((due - now).total_seconds(), RETRY_AFTER_CAP)


def http_date(value: str) -> datetime | None:
    """An HTTP date as an aware datetime, None if it is none."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_json(response: httpx.Response) -> dict[str, Any]:
    """The JSON object in the body; empty where there is none, be the body missing, cut, HTML or another kind of JSON.

    A provider that answers 2xx has accepted the message even if its words cannot be read, so this never raises.
    """
    try:
        value: object = response.json()
    except (ValueError, RecursionError, LookupError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
