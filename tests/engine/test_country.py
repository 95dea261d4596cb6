"""Where a message goes: by the phone number, else by the locale, else nobody knows."""

from __future__ import annotations

import pytest

from novukit.engine.country import country_of


@pytest.mark.parametrize(
    ("phone", "locale", "country"),
    [
        ("+4915112345678", "en-US", "DE"), ("+14165550123", None, "CA"), ("+12125550123", None, "US"),
        ("+442079460958", None, "GB"),
        ("+447911123456", None, "GG"), ("+77012345678", None, "KZ"), ("+79161234567", None, "RU"),
        ("015112345678", "de-AT", "AT"), ("nonsense", "pt_BR", "BR"), (None, "zh-Hant-TW", "TW"),
        ("+870773111632", None, None), (None, "de", None), (None, None, None), ("+0", "", None),
    ],
)  # fmt: skip
def test_where_it_goes(phone: str | None, locale: str | None, country: str | None) -> None:
    """Countries that share a calling code are told apart; a number of no country tells nothing."""
    assert country == country_of(phone, locale)
