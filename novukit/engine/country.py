"""Country: where a phone number is at home, or else a locale. The one door of ``phonenumbers``, opened when needed."""

from __future__ import annotations

import re

_REGION = re.compile(r"^[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?[-_]([A-Za-z]{2})(?:$|[-_.@])")


def country_of(phone: str | None, locale: str | None) -> str | None:
    """The ISO 3166-1 code (``DE``) of an international phone number, else of a locale (``de-AT``, ``pt_BR``).

    None where neither tells: a number without its ``+`` could be anywhere, and so could someone who reads ``en``.
    """
    if phone and (found := _of_phone(phone)):
        return found
    match = _REGION.match(locale or "")
    return match[1].upper() if match else None


def _of_phone(phone: str) -> str | None:
    import phonenumbers

    try:
        code = phonenumbers.region_code_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return None
    return None if code in (None, "001") else code  # 001: numbers of no country, such as those of satellites
