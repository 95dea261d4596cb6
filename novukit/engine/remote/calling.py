"""Calling: one signed request of the bridge protocol, and what its answer means."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from ...errors import AddressRefused, BridgeFailed, BridgeUnavailable
from ...providers import HttpClient, ProviderError
from . import javascript, signature
from .answer import list_in, object_in

PASSING = frozenset({408, 429, 500, 503, 504, 521, 522, 524})
"""The statuses after which Novu's server asks again."""
_SHOWN = 300
_NOT_OURS = frozenset({"SignatureMismatchError", "SigningKeyNotFoundError", "MissingSecretKeyError"})


async def call(
    http: HttpClient, url: str, secret: str, now: datetime, action: str, body: dict[str, Any] | None = None,
    **about: str,
) -> dict[str, Any]:  # fmt: skip
    """Ask the application at ``url`` for ``action``: with POST where there is a ``body``, else with GET.

    Raises :class:`BridgeUnavailable` for what may pass, :class:`BridgeFailed` for what will not.
    """
    text = "{}" if body is None else javascript.stringify(body)
    signed = signature.sign(secret, text, now)
    headers = {
        "content-type": "application/json", "accept": "application/json", "novu-signature": signed,
        "x-novu-signature": signed, "bypass-tunnel-reminder": "true",
    }  # fmt: skip
    params = {"action": action, **about}
    try:
        if body is None:
            answer = await http.get(url, params=params, headers=headers)
        else:
            answer = await http.post(url, content=text.encode(), params=params, headers=headers, sends=False)
    except AddressRefused as err:
        raise BridgeFailed(f"The bridge cannot be called: {err.message}", hint=err.hint) from None
    except ProviderError as err:
        raise BridgeUnavailable(f"The bridge does not answer: {err.detail}") from None
    if answer.extensions.get("cut"):
        raise _strange(answer.status_code, "more than 1 MB, or an answer that broke off")
    found = _object(answer.content)
    if answer.status_code == 200 and found is not None:
        return found
    raise _why(answer.status_code, found, answer.headers.get("retry-after", ""))


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        return object_in(json.loads(content))
    except (ValueError, RecursionError):
        return None


def _why(status: int, found: dict[str, Any] | None, retry_after: str) -> BridgeFailed:
    if status in PASSING:
        error = BridgeUnavailable(f"The bridge answered with status {status}{_in_its_words(found)}.")
        if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 7:
            error.retry_after = float(retry_after)
        return error
    if found is None:
        return _strange(status, "no JSON object")
    hint = None
    if found.get("code") in _NOT_OURS:
        hint = (
            "The application signs with another secret key. Give it a key of this environment as NOVU_SECRET_KEY, and "
            "sync with that key."
        )
    error = BridgeFailed(f"The bridge answered with status {status}{_in_its_words(found)}.", hint=hint)
    if found.get("code") == "ExecutionStateCorruptError":
        error.step = (object_in(found.get("data")) or {}).get("stepId")
    return error


def _in_its_words(found: dict[str, Any] | None) -> str:
    """The code and the sentence of an error, and where its data says what is wrong."""
    if not found or not isinstance(found.get("message"), str):
        return ""
    said = f"{found.get('code', 'no code')}: {found['message'].rstrip('.')}"
    for part in map(object_in, list_in(found.get("data"))[:3]):
        said += f"; {part.get('path')}: {part.get('message')}" if part else ""
    return f" ({said[:_SHOWN]})"


def _strange(status: int, what: str) -> BridgeFailed:
    return BridgeFailed(
        f"The bridge answered with status {status} and {what}.",
        hint="Is its URL that of the framework's own route, as in https://app.example.org/api/novu?",
    )
