"""Call a provider and say what came of it: whatever a plugin does, the engine gets one of six outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from ..errors import AddressRefused, CredentialsInvalid, UnsupportedFeature
from ..model import Content, Reason
from .base import AnyProvider
from .credentials import secrets_of
from .flight import CURRENT, Flight
from .injection import refuse_injection
from .limits import refuse_excess
from .outcome import Delivery, Outcome, ProviderError, Receipt, RecipientGone, Rejected
from .redaction import tell

ID_LIMIT = 255


async def deliver(
    provider: AnyProvider,
    content: Content,
    key: str,
    timeout: float | None = None,  # noqa: ASYNC109 - it decides between two outcomes, so it cannot be the caller's
    *,
    may_depart: Callable[[], bool] | None = None,
) -> Delivery:
    """Send ``content`` through ``provider`` and tell the outcome. It never raises; being cancelled is not raising.

    ``key`` is the message's idempotency key. ``timeout`` is in seconds, the provider's own if left out. What the
    provider does not support, and what could be misread, is refused before it is called. A timeout is ``unknown``,
    unless the HTTP client saw that no byte of the message had left: then it is ``unavailable``. ``may_depart`` is asked
    just before the first byte leaves, by the HTTP client and by SMTP; if it says no, the delivery is ``held_back``.
    """
    if (refusal := refused(provider, content)) is not None:
        return verdict(provider, refusal)
    flight = Flight(may_depart)
    delivery = await observe(provider, lambda: provider.send(content, key), timeout, flight)
    return replace(delivery, held_back=True) if flight.held_back else delivery


async def look_up(provider: AnyProvider, key: str) -> Delivery | None:
    """Ask whether the message with ``key`` went out: ``accepted`` if so, None if not, else ``unknown`` and why.

    Only a provider with ``idempotency = "lookup"`` knows; of others the answer is ``unknown``.
    """
    if provider.idempotency != "lookup":
        return Delivery(Outcome.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN, detail=f"{provider.id} has no look-up.")
    found = True

    async def ask() -> Receipt:
        nonlocal found
        receipt = await provider.lookup(key)
        found = receipt is not None
        return receipt or Receipt()

    delivery = await observe(provider, ask, None)
    if not found:
        return None
    # That the question failed says nothing of the message.
    return delivery if delivery.accepted else replace(delivery, outcome=Outcome.UNKNOWN)


async def check(provider: AnyProvider) -> Delivery:
    """Try the provider's credentials without sending: ``accepted`` if they work; ``detail`` has a remark, if any."""

    async def ask() -> Receipt:
        return Receipt(detail=str(await provider.check() or ""))

    return await observe(provider, ask, None)


def refused(provider: AnyProvider, content: Content) -> ProviderError | None:
    """Why ``content`` must not reach ``provider`` at all, None if it may."""
    if not isinstance(content, provider.content_type):
        said = f"{provider.id} sends {provider.channel}, not {type(content).__name__}."
        return Rejected(said, reason=Reason.CONTENT_INVALID)
    if missing := content.features() - provider.supports:
        said = f"{provider.id} does not support {', '.join(sorted(missing))}."
        return Rejected(said, reason=Reason.UNSUPPORTED_FEATURE)
    try:
        refuse_injection(content)
        refuse_excess(content, provider.limits)
    except Rejected as err:
        return err
    return None


async def observe(
    provider: AnyProvider, call: Callable[[], Awaitable[Receipt]], seconds: float | None, flight: Flight | None = None
) -> Delivery:
    """Await ``call`` within its time and make one of the outcomes of whatever it does."""
    limit = provider.timeout if seconds is None else seconds
    flight = flight or Flight()
    token = CURRENT.set(flight)
    try:
        async with asyncio.timeout(limit):
            receipt = cast("object", await call())
    except TimeoutError:
        return late(provider, flight, limit)
    except asyncio.CancelledError as err:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled us: a task of the plugin's own was, and it let that fly.
        return fault(provider, flight, told(err))
    except (Exception, SystemExit) as err:
        return failure(provider, flight, err)
    finally:
        CURRENT.reset(token)
    if isinstance(receipt, Receipt):
        return accepted(provider, receipt)
    return fault(provider, flight, f"returned {type(receipt).__name__} instead of a Receipt")


def failure(provider: AnyProvider, flight: Flight, error: BaseException) -> Delivery:
    """What an exception stands for. Any that is not of the contract is the plugin's fault."""
    match error:
        case ProviderError():
            return verdict(provider, error)
        case AddressRefused():
            return verdict(provider, Rejected(f"address_refused: {error}"))
        case UnsupportedFeature():
            return verdict(provider, Rejected(str(error), reason=Reason.UNSUPPORTED_FEATURE))
        case CredentialsInvalid():
            return verdict(provider, Rejected(str(error), reason=Reason.CREDENTIALS_INVALID))
        case _:
            return fault(provider, flight, told(error))


def late(provider: AnyProvider, flight: Flight, seconds: float) -> Delivery:
    """The time was up: not sent if the HTTP client is sure of it, unknown otherwise."""
    if flight.grounded:
        said = f"{provider.id} could not be reached within {seconds:g} s."
        return Delivery(Outcome.UNAVAILABLE, reason=Reason.PROVIDER_UNAVAILABLE, detail=said)
    said = f"{provider.id} did not answer within {seconds:g} s."
    return Delivery(Outcome.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN, detail=said)


def accepted(provider: AnyProvider, receipt: Receipt) -> Delivery:
    """The provider has the message."""
    secrets = secrets_of(provider.credentials)
    raw_id = cast("object", receipt.provider_message_id)
    message_id = tell(str(raw_id), secrets, ID_LIMIT) if raw_id not in (None, "") else None
    detail = tell(receipt.detail, secrets) if receipt.detail else ""
    kept = Receipt(message_id, detail, tuple(receipt.gone_tokens))
    return Delivery(Outcome.ACCEPTED, receipt=kept, detail=detail, gone_tokens=kept.gone_tokens)


def verdict(provider: AnyProvider, error: ProviderError) -> Delivery:
    """The plugin said, or we did, why not."""
    wait = error.retry_after
    return Delivery(
        error.outcome,
        reason=error.reason,
        detail=tell(error.detail or error.message, secrets_of(provider.credentials)),
        # Anything but a sensible number, NaN included, leaves the wait to the engine.
        retry_after=min(float(wait), 3600.0) if wait is not None and wait >= 0 else None,
        gone_tokens=error.tokens if isinstance(error, RecipientGone) else (),
    )


def fault(provider: AnyProvider, flight: Flight, said: str) -> Delivery:
    """The plugin itself failed. It is named, and the message is not tried again: the next call would fail alike."""
    plugin = f"{provider.id} ({type(provider).__module__})"
    late = " after its request had left; the message may have gone out" if flight.departed else ""
    detail = tell(f"{plugin} {said}{late}", secrets_of(provider.credentials))
    return Delivery(Outcome.REJECTED, reason=Reason.PLUGIN_ERROR, detail=detail)


def told(error: BaseException) -> str:
    """What a plugin let fly. ``str`` of a foreign exception may itself fail."""
    try:
        words = str(error)
    except Exception:
        words = ""
    return f"raised {type(error).__name__}{f': {words}' if words else ''}"
