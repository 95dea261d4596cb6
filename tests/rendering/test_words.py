"""Words: which locale somebody is spoken to in, and what is put into a text."""

from __future__ import annotations

from typing import Any

import pytest

from novukit.model import Words
from novukit.model.translation import filled, locale_name, locales_for


@pytest.mark.parametrize(
    ("wanted", "known", "found"),
    [
        ("de-AT", ["de_DE", "en_US"], ["de_DE", "en_US"]),
        ("de-AT", ["de_DE", "de", "de_AT", "en"], ["de_AT", "de", "de_DE", "en"]),
        ("de", ["de_DE", "de_AT"], ["de_AT", "de_DE"]),
        ("zh-Hant-TW", ["zh_Hant_TW", "zh_Hans_CN"], ["zh_Hant_TW", "zh_Hans_CN"]),
        ("fr", ["de_DE", "en_GB"], ["en_GB"]),
        ("fr", ["de_DE"], []),
        (None, ["de_DE", "en_US"], ["en_US"]),
        ("en-US", ["en_US"], ["en_US"]),
    ],
)
def test_the_closest_locale_comes_first(wanted: str | None, known: list[str], found: list[str]) -> None:
    """One's own, its language, others of that language, then the default one in the same order; each once."""
    assert locales_for(wanted, known, "en_US") == found


def test_a_locale_is_written_as_novu_writes_it() -> None:
    """However it came."""
    assert [locale_name(tag) for tag in ("en-us", "EN_US", "zh-hant-tw")] == ["en_US", "en_US", "zh_Hant_TW"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello {name}", "Hello Ada"),
        ("Hello {{ name }}, {{payload.title}}", "Hello Ada, A & B"),
        ("{lost} {payload.lost} {} {{}} { name }", "{lost} {payload.lost} {} {{}} { name }"),
        ("{nested}", "{name}"),
        ("{payload.title.upper} {payload.__class__}", "{payload.title.upper} {payload.__class__}"),
        ("{count}", "0"),
        ("100% {", "100% {"),
    ],
)
def test_places_are_filled_once_and_nothing_is_run(text: str, said: str) -> None:
    """A value is text, and is not looked through for places again."""
    values: dict[str, Any] = {"name": "Ada", "payload": {"title": "A & B"}, "nested": "{name}", "count": 0}
    assert filled(text, values) == said


def test_a_key_is_found_by_its_parts_or_as_a_whole() -> None:
    """Per key: what the first locale lacks the next one has; where there is none, the key itself."""
    words = Words([{"a": {"b": "first"}, "x.y": "whole"}, {"a": {"c": "second"}}], {})
    assert [words("a.b"), words("a.c"), words("x.y"), words("a.d")] == ["first", "second", "whole", "a.d"]
    inner: Any = words["a"]
    assert [inner["b"], inner["c"], str(inner["d"])] == ["first", "second", "a.d"]
