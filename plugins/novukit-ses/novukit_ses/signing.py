"""Sign a request as AWS wants it: Signature Version 4.

By hand, for botocore's signer takes the time from its own clock and logs what it signs, the session token too. It is
held against AWS's published test vectors, and against botocore.
Source: docs.aws.amazon.com «Create a signed AWS API request».
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from urllib.parse import parse_qsl, quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key; ``token`` is the session token of one that does not last."""

    access: str = field(repr=False)
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def sign(
    keys: Keys,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
    at: datetime,
) -> dict[str, str]:
    """``headers`` with those that sign the request. All of them are signed, so send them as they are.

    The path of ``url`` is not normalised: give it without ``.`` and ``..``. AWS refuses an ``at`` that is more than
    five minutes off.
    """
    parts = urlsplit(url)
    moment = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    made = {**headers, "X-Amz-Date": moment} | ({"X-Amz-Security-Token": keys.token} if keys.token else {})
    signed = {name.lower(): " ".join(value.split()) for name, value in {**made, "Host": parts.netloc}.items()}
    names = ";".join(sorted(signed))
    canonical = [
        method,
        quote(parts.path or "/"),
        "&".join("=".join(pair) for pair in sorted(query(parts.query))),
        *(f"{name}:{signed[name]}" for name in sorted(signed)),
        "",
        names,
        hashlib.sha256(body).hexdigest(),
    ]
    scope = [moment[:8], region, service, "aws4_request"]
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    key = reduce(mac, scope, b"AWS4" + keys.secret.encode())
    signature = mac(key, "\n".join([ALGORITHM, moment, "/".join(scope), digest])).hex()
    credential = "/".join([keys.access, *scope])
    made["Authorization"] = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return made


def query(text: str) -> list[tuple[str, str]]:
    """The names and values of a query, each encoded as AWS encodes them."""
    return [(quote(name, safe=""), quote(value, safe="")) for name, value in parse_qsl(text, keep_blank_values=True)]


def mac(key: bytes, message: str) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, message.encode(), "sha256")
