"""Hashes: how an application vouches for whom and for what a session is opened, with its secret key.

Both are the HMAC-SHA256, in lowercase hex, under a secret key of the environment: of the subscriber id; and of the
context's canonical JSON, as OLPC defines it (http://wiki.laptop.org/go/Canonical_JSON).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, cast


def of_subscriber(secret: str, subscriber_id: str) -> str:
    """The ``subscriberHash`` of a subscriber."""
    return hmac.digest(secret.encode(), subscriber_id.encode("utf-8", "replace"), hashlib.sha256).hex()


def of_context(secret: str, context: Mapping[str, Any]) -> str:
    """The ``contextHash`` of a context, as the client passes it. Raises :class:`ValueError` for a float in it."""
    return hmac.digest(secret.encode(), canonical(context).encode("utf-8", "replace"), hashlib.sha256).hex()


def same(known: Sequence[str], given: str) -> bool:
    """Whether ``given`` is one of the hashes that are ``known``; the time it takes tells nothing of them."""
    found = False
    for one in known:
        found |= hmac.compare_digest(one.encode(), given.encode("utf-8", "replace"))
    return found


def canonical(value: Any) -> str:
    r"""A JSON value as canonical JSON: keys sorted, no blanks, only ``\`` and ``"`` escaped, whole numbers only.

    Raises :class:`ValueError` for a float.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case dict():
            # As JavaScript sorts, by UTF-16 units, for that is where most of them are made.
            several = sorted(
                cast("dict[str, Any]", value).items(), key=lambda pair: pair[0].encode("utf-16-be", "replace")
            )
            return "{" + ",".join(f"{canonical(key)}:{canonical(one)}" for key, one in several) + "}"
        case list() | tuple():
            return "[" + ",".join(canonical(one) for one in cast("list[Any]", value)) + "]"
        case _:
            raise ValueError("canonical JSON has whole numbers only")
