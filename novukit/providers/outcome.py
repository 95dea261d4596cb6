"""The closed list of what can come of a call to a provider, and the words with which a plugin says it.

A plugin's ``send`` returns a :class:`Receipt` when the provider has accepted the message, and raises one of the
:class:`ProviderError` subclasses when it has not, or when that cannot be known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from ..errors import NovukitError
from ..model import Reason


class Outcome(StrEnum):
    """What came of a call. Only ``unknown`` leaves open whether the message went out."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    RECIPIENT_GONE = "recipient_gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has accepted the message.

    ``provider_message_id`` is the provider's own id, None where it gave none; ``detail`` a remark worth keeping, such
    as the copies that were refused; ``gone_tokens`` the device tokens of a push message that no longer exist.
    """

    provider_message_id: str | None = None
    detail: str = ""
    gone_tokens: tuple[str, ...] = ()


NOTHING = Receipt()


class ProviderError(NovukitError):
    """The provider did not accept the message.

    Raise a subclass, never this class. ``detail`` is one sentence for a person, best in the provider's own words;
    secrets in it are masked and it is cut to 200 characters before it is kept. ``reason`` narrows the default one.
    """

    code = "provider_error"
    outcome: ClassVar[Outcome] = Outcome.REJECTED
    default_reason: ClassVar[Reason] = Reason.PROVIDER_REJECTED
    retry_after: float | None = None

    def __init__(self, detail: str = "", *, reason: Reason | None = None, hint: str | None = None) -> None:
        self.detail = detail
        self.reason = reason or self.default_reason
        super().__init__(detail or None, hint=hint)


class Rejected(ProviderError):
    """The provider refused the message for good; the same message will not be tried again."""

    code = "provider_rejected"


class RecipientGone(ProviderError):
    """The recipient does not exist any more.

    ``tokens`` are the device tokens that are gone (push); novukit forgets them.
    """

    code = "recipient_gone"
    outcome = Outcome.RECIPIENT_GONE
    default_reason = Reason.RECIPIENT_GONE

    def __init__(self, detail: str = "", *, tokens: Iterable[str] = (), hint: str | None = None) -> None:
        self.tokens = tuple(tokens)
        super().__init__(detail, hint=hint)


class RetryLater(ProviderError):
    """The message was definitely not sent, and may be tried again.

    ``retry_after`` is in seconds, None to leave the wait to novukit.
    """

    retryable = True

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after: float | None = None,
        reason: Reason | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(detail, reason=reason, hint=hint)
        self.retry_after = retry_after


class Throttled(RetryLater):
    """The provider asks for a slower pace."""

    code = "provider_throttled"
    outcome = Outcome.THROTTLED
    default_reason = Reason.PROVIDER_THROTTLED


class Unavailable(RetryLater):
    """The provider could not be reached, or said that it cannot serve now; the message was not sent."""

    code = "provider_unavailable"
    outcome = Outcome.UNAVAILABLE
    default_reason = Reason.PROVIDER_UNAVAILABLE


class Unknown(ProviderError):
    """The message may have gone out, but the provider's answer was lost."""

    code = "outcome_unknown"
    retryable = True
    outcome = Outcome.UNKNOWN
    default_reason = Reason.OUTCOME_UNKNOWN


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the engine is told of one call. ``detail`` has no secret and at most 200 characters.

    ``receipt`` is empty unless the message was accepted, ``reason`` is None when it was; ``retry_after`` is in
    seconds, 0 to 3600. ``held_back``: the sender had lost the right to send before the first byte left.
    """

    outcome: Outcome
    receipt: Receipt = NOTHING
    reason: Reason | None = None
    detail: str = ""
    retry_after: float | None = None
    gone_tokens: tuple[str, ...] = ()
    held_back: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the provider has taken the message on."""
        return self.outcome is Outcome.ACCEPTED

    @property
    def provider_message_id(self) -> str | None:
        """The provider's own id of the message, where it gave one."""
        return self.receipt.provider_message_id
