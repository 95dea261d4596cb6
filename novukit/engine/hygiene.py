"""Hygiene: device tokens that a vendor calls gone are forgotten, and the activity tells of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..model import ActivityKind, Checkpoint
from ..providers import Delivery
from ..store import tokens
from .frame import Frame


async def forget(frame: Frame, calling: Checkpoint, provider_ids: Iterable[str], delivery: Delivery) -> None:
    """Forget what the answer to a call names, unless it was registered again since the step began."""
    who, as_of = frame.execution.subscriber_uuid, calling.started_at
    dropped: list[str] = []
    for provider_id in sorted(set(provider_ids)):
        dropped += await tokens.forget(frame.scope, who, provider_id, delivery.gone_tokens, as_of=as_of)
    if dropped:
        frame.record([frame.line(ActivityKind.TOKENS_FORGOTTEN, calling, detail=named(dropped))])


def named(dropped: Collection[str]) -> str:
    """Device tokens by their ends: enough to find them, too little to send to them."""
    shown = sorted({f"…{token[-6:]}" for token in dropped})
    return f"{', '.join(shown[:5])}{f' and {len(shown) - 5} more' if len(shown) > 5 else ''}"
