"""One message to several devices at a vendor that takes one device token a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ..errors import AddressRefused
from .outcome import ProviderError, Receipt, RecipientGone, Rejected, RetryLater, Throttled, Unavailable, Unknown


async def send_to_each(
    tokens: Sequence[str], send_one: Callable[[str], Awaitable[str | None]], *, at_once: int = 20
) -> Receipt:
    """Call ``send_one`` for each of ``tokens``, ``at_once`` at a time, and make one receipt of what came of it.

    ``send_one`` returns the vendor's id of the message, or raises: RecipientGone for a token that is gone (with or
    without the token in it). The message counts as accepted if one device was reached; the receipt's ``gone_tokens``
    are the tokens that are gone, its id the first one, and ``detail`` tells of the others. Otherwise this raises, in
    this order: Unknown if any was; Throttled or Unavailable, with the longest wait; RecipientGone with the tokens that
    are gone; what the first device was refused for.
    """
    room = asyncio.Semaphore(at_once)

    async def one(token: str) -> str | ProviderError:
        async with room:
            try:
                return await send_one(token) or ""
            except ProviderError as err:
                return err
            except AddressRefused as err:
                # The address is one device's, as the token of a browser holds one: the others are not to blame.
                return Rejected(f"address_refused: {err}")

    results = await asyncio.gather(*(one(token) for token in tokens))
    ids = [result for result in results if isinstance(result, str)]
    errors = [result for result in results if isinstance(result, ProviderError)]
    gone = tuple(token for token, result in zip(tokens, results, strict=True) if isinstance(result, RecipientGone))
    if ids:
        others = [error for error in errors if not isinstance(error, RecipientGone)]
        detail = f"{len(ids)} of {len(tokens)} devices; {others[0].detail}" if others else ""
        return Receipt(next((one for one in ids if one), None), detail=detail, gone_tokens=gone)
    raise worst(errors, gone)


def worst(errors: Sequence[ProviderError], gone: tuple[str, ...]) -> ProviderError:
    """What stands for all of ``errors`` where no device was reached."""
    if unknown := next((error for error in errors if isinstance(error, Unknown)), None):
        return unknown
    if later := [error for error in errors if isinstance(error, RetryLater)]:
        slowest = max(later, key=lambda error: error.retry_after or 0)
        kind = Throttled if isinstance(slowest, Throttled) else Unavailable
        return kind(slowest.detail, retry_after=slowest.retry_after, reason=slowest.reason)
    if gone:
        return RecipientGone(next(e.detail for e in errors if isinstance(e, RecipientGone)), tokens=gone)
    return errors[0]
