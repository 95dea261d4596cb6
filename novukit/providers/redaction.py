"""Take secrets, control characters and length out of what is told of a call."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "***"
DETAIL_LIMIT = 200


def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every secret, plain or as URLs, JSON and base64 spell it, replaced by ``***``."""
    for pattern in _patterns(tuple(secrets)):
        text = pattern.sub(MASK, text)
    return text


@lru_cache(maxsize=100)  # a provider's secrets are looked for in every answer that it gives
def _patterns(secrets: tuple[str, ...]) -> list[re.Pattern[str]]:
    # Longest first: a short secret may be part of a long one, and would leave the rest of it standing.
    forms = sorted({form for secret in secrets for form in spellings(secret)}, key=len, reverse=True)
    # A very short one only as a word of its own, or every other word would lose letters.
    return [re.compile(re.escape(form) if len(form) >= 4 else rf"(?<!\w){re.escape(form)}(?!\w)") for form in forms]


def spellings(secret: str) -> set[str]:
    """The forms in which ``secret`` may turn up. Each line of a long one (a PEM key, a JSON file) is a secret too."""
    parts = {secret, secret.strip(), *(line.strip() for line in secret.splitlines() if len(line.strip()) >= 16)}
    parts |= {value for value in strings_in(secret) if len(value) >= 16}
    forms: set[str] = set()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        escaped = json.dumps(part)[1:-1]
        forms |= {part, quote(raw, safe=""), quote(raw), quote_plus(raw), escaped, repr(part)[1:-1]}
        forms |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return forms - {""}


def strings_in(secret: str) -> Iterable[str]:
    """The strings in a secret that is itself a JSON object, such as a service account file."""
    if not secret.lstrip().startswith("{"):
        return []
    try:
        values: list[object] = list(json.loads(secret).values())
    except (ValueError, RecursionError):
        return []
    return [value for value in values if isinstance(value, str)]


def one_line(text: str, limit: int = DETAIL_LIMIT) -> str:
    """``text`` on one line, without control characters, cut to ``limit`` characters."""
    if len(text) <= limit and text.isprintable() and "  " not in text:  # as most are
        return text.strip()
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: limit * 8]).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def tell(text: str, secrets: Iterable[str], limit: int = DETAIL_LIMIT) -> str:
    """``text`` as it may be kept and shown. Masked before it is cut: half a secret would not be recognised."""
    return one_line(mask(text, secrets), limit)
