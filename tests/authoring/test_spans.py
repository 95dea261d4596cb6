"""Spans, moments and cron expressions: what can be is kept, what cannot is refused by name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from novukit.authoring import spans
from novukit.errors import StepMisuse


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("0 9 * * MON-FRI", "0 9 * * MON-FRI"),
        ("  */15   * * * * ", "*/15 * * * *"),
        ("0 0 31 * *", "0 0 31 * *"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 * * 7", "0 0 * * 7"),
        ("0 0 L * *", "0 0 L * *"),
        ("@hourly", "0 * * * *"),
        ("@weekly", "0 0 * * 0"),
    ],
)
def test_a_cron_expression_has_five_fields(expression: str, kept: str) -> None:
    """Blanks are evened out and the named ones are written out."""
    assert kept == spans.cron("digest", expression)


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * * * MON#6", "day-of-week"),
        ("5-1 * * * *", "minute"),
        ("*/0 * * * *", "minute"),
        ("0 0 30 2 *", "date that exists"),
        ("0 0 * * H", "day-of-week"),
        ("* * * *", "4 fields"),
        ("0 * * * * *", "6 fields"),
        ("", "0 fields"),
        ("a b c d e", "minute"),
        ("@reboot", "@daily"),
        ("1," * 60 + "1 * * * *", "100 characters"),
        ("٣ * * * *", "minute"),
    ],
)
def test_a_wrong_cron_expression_is_refused(expression: str, word: str) -> None:
    """The message names the field and its range, and shows how one is written."""
    with pytest.raises(StepMisuse) as caught:
        spans.cron("digest", expression)

    assert word in caught.value.message
    assert "'0 9 * * MON-FRI'" in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (90, "90 seconds"), (120, "2 minutes"), (-3600, "-1 hour"), (172800, "2 days")],
)
def test_a_span_is_told_in_its_largest_whole_unit(seconds: int, words: str) -> None:
    """As a person would say it."""
    assert words == spans.length(timedelta(seconds=seconds))
