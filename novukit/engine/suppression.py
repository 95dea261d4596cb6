"""Suppression, as a delivery sees it: the address that the commit of an intent looks at, and why it was refused."""

from __future__ import annotations

from ..model import AnyContent, EmailContent, Reason, SmsContent, address_of
from ..store import suppressions
from ..store.entries import OpenMessage
from ..store.journal import Addressed
from .compose import Uncomposable
from .frame import Frame


def addressed(intent: OpenMessage, content: AnyContent, *, critical: bool) -> Addressed | None:
    """What must not be suppressed when ``intent`` goes on record; None for channels without such addresses."""
    if isinstance(content, EmailContent | SmsContent):
        return Addressed(intent.id, intent.channel, address_of(intent.channel, content.to), critical)
    return None


async def told(frame: Frame, refused: Addressed | None) -> Uncomposable:
    """Why the message is skipped, in words."""
    assert refused is not None
    found = await suppressions.in_force(frame.scope, refused.channel, refused.address)
    why = ", ".join(part for part in (found.reason.value, found.detail) if part) if found else "released by now"
    return Uncomposable(Reason.SUPPRESSED, f"Nothing is sent to {refused.address}: {why}.", skip=True)
