"""What the status and the headers of an answer mean, where a plugin does not know better."""

from __future__ import annotations

import httpx
import pytest

from novukit.providers import (
    Reason,
    Rejected,
    Throttled,
    Unavailable,
    Unknown,
    outcome_for,
    raise_for_outcome,
    retry_after,
)

TABLE = [(status, Rejected, Reason.CREDENTIALS_INVALID) for status in (401, 403)]
TABLE += [(s, Rejected, Reason.PROVIDER_REJECTED) for s in (400, 402, 404, 405, 409, 410, 413, 415, 422, 451, 499)]
TABLE += [(status, Rejected, Reason.PROVIDER_REJECTED) for status in (300, 301, 302, 304, 307, 308)]
TABLE += [(status, Throttled, Reason.PROVIDER_THROTTLED) for status in (408, 425, 429)]
TABLE += [(503, Unavailable, Reason.PROVIDER_UNAVAILABLE)]
TABLE += [(status, Unknown, Reason.OUTCOME_UNKNOWN) for status in (500, 501, 502, 504, 520, 599, 600, 999, 101)]


@pytest.mark.parametrize(("status", "error", "reason"), TABLE)
def test_a_status_stands_for_an_outcome(status: int, error: type, reason: Reason) -> None:
    """The default table, which a plugin may overrule before it asks."""
    found = outcome_for(httpx.Response(status, text="words of the provider"))

    assert found is not None
    assert (error, reason) == (type(found), found.reason)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_accepted(status: int) -> None:
    """There is nothing to raise, and the answer comes back."""
    response = httpx.Response(status)

    assert outcome_for(response) is None
    assert response is raise_for_outcome(response)


def test_the_providers_words_are_told() -> None:
    """They explain most; a plugin may pick better ones."""
    response = httpx.Response(400, text="no such template")

    assert str(outcome_for(response)) == "answered 400: no such template"
    assert str(outcome_for(response, detail="picked")) == "answered 400: picked"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("0", 0),
        ("999999", 3600),
        ("9" * 400, 3600),
        ("abc", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("٥", None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2015 07:27:00 GMT", None),
        ("Thu, 22 Oct 2015 07:28:00 GMT", 3600),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_nonsense(value: str, seconds: float | None) -> None:
    """Capped at an hour; what is past or cannot be read leaves the wait to novukit."""
    headers = {"Retry-After": value.encode(), "Date": b"Wed, 21 Oct 2015 07:28:00 GMT"}

    assert seconds == retry_after(httpx.Response(429, headers=headers))


def test_the_wait_is_part_of_the_outcome() -> None:
    """Of throttling and of an outage alike."""
    for status in (429, 503):
        error = outcome_for(httpx.Response(status, headers={"Retry-After": "7"}))
        assert error is not None
        assert error.retry_after == 7
