"""Callback: take in what a vendor tells of messages. Each thing counts once, in any order, and nothing goes back.

An event and all that follows from it are one commit: its record, the times on its message, the activity line, a
suppressed address, forgotten device tokens, an unknown outcome that is known now. Only then is the vendor answered 200.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from ..crash import crash_point
from ..model import ActivityKind, ExecutionStatus, MessageStatus, Resolution, SuppressionReason
from ..providers import DeliveryEvent, EventKind, ProviderNotFound
from ..store import Scope, activities, deliveries, executions, outcomes, suppressions, tokens
from ..store.activities import Line
from ..store.database import plain
from ..store.deliveries import Target, Told
from . import hygiene
from .runtime import Runtime

CHUNK = 100
"""Events in one transaction."""
AT_ONCE = 100
"""Events that one sweep takes up again."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No vendor tells of anything before: what is older is no time, but a mistake."""
LONGEST = 500
"""Characters of an id, an address or a token."""

_SUPPRESSES = {
    EventKind.BOUNCED: SuppressionReason.BOUNCED,
    EventKind.FAILED: SuppressionReason.BOUNCED,
    EventKind.COMPLAINED: SuppressionReason.COMPLAINED,
    EventKind.UNSUBSCRIBED: SuppressionReason.UNSUBSCRIBED,
}
_ONLY_IF_PERMANENT = {EventKind.BOUNCED, EventKind.FAILED}
_TOLD_ONCE = {EventKind.OPENED, EventKind.CLICKED}
"""What may happen to a message again and again; the first time has a line in the activity, each is on record."""
_OPEN = (MessageStatus.CALLING, MessageStatus.RETRYING)
"""The provider's answer is not on record, or it will be asked again: the event waits for that."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Which integration tells, and how it is called in the log."""

    integration_id: UUID
    identifier: str

    @property
    def name(self) -> str:
        """For the log."""
        return f"integration {self.identifier!r}"


async def take(rt: Runtime, scope: Scope, teller: Teller, events: Sequence[DeliveryEvent]) -> None:
    """Put ``events`` on record with all that follows from them; it is durable when this returns."""
    told = _told(rt, scope, teller, events)
    for start in range(0, len(told), CHUNK):
        async with scope.database.transaction():
            new = await deliveries.keep(scope, told[start : start + CHUNK])
            await _Taking(rt, scope, teller).apply(new)
            crash_point("callback.mid")
    crash_point("callback.after")


async def take_up(rt: Runtime) -> bool:
    """Look again for the messages of events that came before them. Returns whether there were any to look for."""
    async with rt.database.transaction():
        due = await deliveries.due(rt.database, AT_ONCE)
        groups: dict[tuple[UUID, UUID], list[Told]] = defaultdict(list)
        for one in due:
            groups[one.environment_id, one.integration_id].append(one)
        for environment_id, integration_id in sorted(groups):
            scope, some = rt.scope(environment_id), groups[environment_id, integration_id]
            left = await _Taking(rt, scope, Teller(integration_id, "…")).apply(some)
            for one in left:
                await deliveries.postpone(scope, one)
    return bool(due)


class _Taking:
    """One transaction's worth of events of one integration."""

    def __init__(self, rt: Runtime, scope: Scope, teller: Teller) -> None:
        self._rt, self._scope, self._teller = rt, scope, teller
        self._lines: list[Line] = []

    async def apply(self, told: Sequence[Told]) -> list[Told]:
        """Do what follows from ``told``, oldest first; those whose message is not (yet) on record are left over.

        Rows are locked in the order of the rest of novukit: executions, then steps, messages, and addresses.
        """
        found = await deliveries.targets(self._scope, self._teller.integration_id, told)
        by_id = {one.provider_message_id: one for one in found if one.provider_message_id}
        by_key = {one.doubtful_key: one for one in found if one.doubtful_key}
        pairs: list[tuple[Told, Target]] = []
        for event in sorted(told, key=lambda one: (one.at, one.id)):
            target = by_id.get(event.provider_message_id or "") or by_key.get(event.key or "")
            if target is not None and target.status not in _OPEN:
                pairs.append((event, target))
        undecided = await self._confirm({one.id: one for _, one in pairs if one.status is MessageStatus.UNKNOWN})
        pairs = [pair for pair in pairs if pair[1].id not in undecided]
        for event, target in sorted(pairs, key=lambda pair: pair[1].id):
            await deliveries.note(self._scope, target.id, event.kind, event.at, event.provider_message_id)
        seen = {(target.id, kind) for _, target in pairs for kind in target.facts}
        for event, target in pairs:
            if event.kind not in _TOLD_ONCE or (target.id, event.kind) not in seen:
                self._tell(ActivityKind(f"message.{event.kind}"), target, event.detail, event.at)
            seen.add((target.id, event.kind))
            await deliveries.settle(self._scope, event, target.id)
        for event, target in sorted(pairs, key=lambda pair: pair[0].recipient or pair[1].to or ""):
            await self._suppress(event, target)
        for event, target in pairs:
            await self._forget(event, target)
        await activities.write(self._scope.database, self._lines)
        settled = {event.id for event, _ in pairs}
        return [event for event in told if event.id not in settled]

    async def _confirm(self, unknown: dict[UUID, Target]) -> set[UUID]:
        """The vendor speaks of messages whose outcome is unknown: it has them. Which of them cannot be settled yet?"""
        ids = sorted({one.execution_id for one in unknown.values()})
        stand = [one for one in await outcomes.unknown(self._scope, ids) if one.message_id in unknown]
        await outcomes.settle(self._scope, stand, Resolution.SENT, self._teller.name)
        for one in stand:
            self._tell(ActivityKind.STEP_CONFIRMED, unknown[cast("UUID", one.message_id)], self._teller.name)
        if stand:
            self._rt.ring_after_commit(self._scope.environment_id)
        statuses = await executions.statuses(self._scope, ids)
        undecided: set[UUID] = set()
        for message_id in sorted(unknown.keys() - {one.message_id for one in stand}):
            if statuses.get(unknown[message_id].execution_id) in (ExecutionStatus.RUNNING, ExecutionStatus.PENDING):
                undecided.add(message_id)  # a worker is about to ask the provider again
            else:
                await deliveries.was_sent(self._scope, message_id)
        return undecided

    async def _suppress(self, event: Told, target: Target) -> None:
        kind = EventKind(event.kind)
        reason, address = _SUPPRESSES.get(kind), event.recipient or target.to
        if reason is None or not address or target.channel not in ("email", "sms"):
            return
        if kind in _ONLY_IF_PERMANENT and not event.permanent:
            return
        if await suppressions.suppress(
            self._scope, target.channel, address, reason, by=self._teller.name, detail=event.detail, as_of=event.at
        ):
            self._tell(ActivityKind.ADDRESS_SUPPRESSED, target, f"{reason.value}: {plain(address, LONGEST)}")

    async def _forget(self, event: Told, target: Target) -> None:
        if event.kind != EventKind.TOKEN_GONE or not target.provider_id:
            return
        names, dropped = {target.provider_id}, list[str]()
        with suppress(ProviderNotFound):  # its plugin is gone; tokens are on record under its own id all the same
            names.add(self._rt.host.get(target.provider_id).novu_id)
        for name in sorted(names - {""}):
            dropped += await tokens.forget(self._scope, target.subscriber_uuid, name, event.tokens, as_of=event.at)
        if dropped:
            self._tell(ActivityKind.TOKENS_FORGOTTEN, target, hygiene.named(dropped))

    def _tell(self, kind: ActivityKind, target: Target, detail: str, at: datetime | None = None) -> None:
        line = Line(
            id=self._rt.new_id(), environment_id=self._scope.environment_id, kind=kind, at=at or self._rt.clock.now(),
            event_id=target.event_id, execution_id=target.execution_id, step=target.step, detail=detail,
            message_id=target.id,
        )  # fmt: skip
        self._lines.append(line)


def _told(rt: Runtime, scope: Scope, teller: Teller, events: Iterable[DeliveryEvent]) -> list[Told]:
    """``events`` as they are kept. Whatever a plugin took over from a vendor fits into a database afterwards."""
    now, made = rt.clock.now(), list[Told]()
    for event in dict.fromkeys(_hashable(event) for event in events):
        made.append(
            Told(
                id=rt.new_id(), environment_id=scope.environment_id, integration_id=teller.integration_id,
                event_id=plain(event.id, LONGEST), kind=EventKind(event.kind).value,
                provider_message_id=_plain(event.provider_message_id), key=_plain(event.key),
                recipient=_plain(event.recipient), permanent=bool(event.permanent),
                tokens=tuple(plain(str(token), LONGEST) for token in event.tokens[:LONGEST]),
                detail=plain(event.detail), at=_when(event.at, now), received_at=now,
            )
        )  # fmt: skip
    return _each_its_own_id(made)


def _hashable(event: DeliveryEvent) -> DeliveryEvent:
    return replace(event, tokens=tuple(event.tokens))


def _each_its_own_id(told: Sequence[Told]) -> list[Told]:
    """A vendor that signs a request with several events may give all of them the request's id: they are numbered."""
    met: dict[str, int] = defaultdict(int)
    made: list[Told] = []
    for one in told:
        met[one.event_id] += 1
        number = met[one.event_id]
        made.append(one if number == 1 else replace(one, event_id=f"{one.event_id}#{number}"))
    return made


def _plain(text: str | None) -> str | None:
    return plain(str(text), LONGEST) if text else None


def _when(at: datetime | None, now: datetime) -> datetime:
    """When it happened, by the vendor's clock, unless that is no sensible time."""
    if at is None:
        return now
    try:
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return now
    return at if EARLIEST <= at <= now else now
