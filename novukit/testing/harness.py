"""``Harness``: a whole novukit on the real engine and a real database, with a clock that the test winds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from uuid import UUID

from ..app import App
from ..authoring import Registry, Workflow
from ..authoring.sending import use_sender
from ..engine import CancelAnswer, Shift, cancel, claim, resolve, resume, run, sweep, sync, trigger
from ..errors import InvalidInput, did_you_mean
from ..model import (
    Channel,
    ChannelAddress,
    Everyone,
    Execution,
    GivenContext,
    Recipient,
    Resolution,
    Subscriber,
    TopicRecipient,
    Trigger,
    Triggered,
)  # fmt: skip
from ..providers import PluginHost
from ..settings import IntegrationSettings, Settings
from ..store import Scope, executions, history, messages, preferences, snoozes, subscribers, subscriptions
from ..store.history import ExecutionFilter
from ..store.secrets import KeyRing, generate_master_key
from .clock import VirtualClock
from .explain import timeline
from .outbox import OUTCOMES, Outbox, OutboxPlugin, SentMessage

Outcome = Literal["rejected", "throttled", "unavailable", "recipient_gone", "unknown"]
To = str | Recipient | Sequence[str | Recipient]
CHANNELS: tuple[Channel, ...] = ("email", "sms", "push", "chat")
FOR_EVER = timedelta(days=365 * 100)
BATCH = 500


class Harness:
    """Trigger workflows, let time pass, and look at what went out.

    Nothing sleeps and nothing leaves the process: time stands still until :meth:`travel`, and every integration is the
    outbox. All else is as in production: the same engine, SQL, retries, digests and records. ``plugins`` are further
    providers, for a test that makes integrations of its own.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        workflows: Registry | None = None,
        database: str | None = None,
        plugins: Sequence[object] = (),
    ) -> None:
        self.clock = VirtualClock()
        self._plugin = OutboxPlugin()
        settings = settings.model_copy(
            update={
                "database": database or f"sqlite:///{folder / 'novukit.db'}",
                "broker": "memory://",
                "environment": "development",
                "root": folder if workflows is not None else settings.root,
                "integrations": tuple(
                    IntegrationSettings(
                        identifier=f"outbox-{channel}",
                        provider=f"outbox-{channel}",
                        channel=channel,
                        primary=True,
                        concurrency=1000,  # time stands still: nobody has to stand in line
                        credentials={"from": "test@example.com"} if channel == "email" else {},
                    )
                    for channel in CHANNELS
                ),
            }
        )
        self.app = App(
            settings, clock=self.clock, host=PluginHost([self._plugin, *plugins]), registry=workflows, seed=0,
            secrets=KeyRing([generate_master_key()]), synchronous="OFF", inline=True,
        )  # fmt: skip
        self.app.runtime.routes.paces.patience = 0.0  # and nobody waits in memory for a slot
        self.outbox = Outbox()
        self._unsent: set[UUID] = set()
        self._collected = UUID(int=0)

    @property
    def scope(self) -> Scope:
        """The Development environment's rows."""
        return self._scope

    @property
    def now(self) -> datetime:
        """The time by the wound clock."""
        return self.clock.now()

    async def __aenter__(self) -> Self:
        await self.app.__aenter__()
        rt = self.app.runtime
        self._scope = rt.scope(await self.app.bootstrap())
        await sync.apply(rt, self._scope, rt.registry.manifest(), prune=True)
        self._shift = Shift(rt, FOR_EVER)
        await self._shift.begin()
        self._sender = use_sender(self._send)
        self._sender.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sender.__exit__(None, None, None)
        await self._shift.end()
        await self.app.__aexit__(kind, error, trace)

    async def trigger(
        self, workflow: Workflow[Any] | str, *, to: To, payload: Any = None, transaction_id: str | None = None,
        actor: str | Subscriber | None = None, tenant: dict[str, Any] | None = None,
        context: Mapping[str, str | dict[str, Any]] | None = None, overrides: dict[str, Any] | None = None,
    ) -> Triggered:  # fmt: skip
        """Trigger ``workflow`` and run all that is due. ``payload`` is its model or a dict."""
        several = [to] if isinstance(to, str | Subscriber | TopicRecipient | Everyone) else list(to)
        data: Any = payload.model_dump(mode="json") if hasattr(payload, "model_dump") else payload or {}
        return await self._send(
            Trigger(
                workflow=workflow if isinstance(workflow, str) else workflow.id,
                to=tuple(_recipient(one) for one in several),
                payload=data,
                transaction_id=transaction_id,
                actor=Subscriber(subscriber_id=actor) if isinstance(actor, str) else actor,
                tenant=tenant,
                context={kind: _context(one) for kind, one in context.items()} if context else None,
                overrides=overrides or {},
            )
        )

    async def travel(
        self, delta: timedelta | None = None, *, to: datetime | None = None, weeks: float = 0, days: float = 0,
        hours: float = 0, minutes: float = 0, seconds: float = 0,
    ) -> None:  # fmt: skip
        """Let time pass, and everything that comes due on the way happen at its own moment, in order."""
        step = (delta or timedelta()) + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        target = to if to is not None else self.now + step
        if target < self.now:
            raise InvalidInput(f"Time does not go back: it is {self.now.isoformat()}.")
        await self.settle()
        while (due := await self._next_due()) is not None and due <= target:
            self.clock.advance(max(due - self.now, timedelta()))
            await self.settle()
        self.clock.advance(target - self.now)
        await self._collect()

    async def settle(self) -> None:
        """Run everything that is due now."""
        rt = self.app.runtime
        while True:
            swept = await sweep(rt)
            claimed = await claim(rt, self._shift, BATCH)
            if not claimed and not swept:
                break
            await asyncio.gather(*(run(rt, self._shift, one) for one in claimed))
        await self._collect()

    def fail_next(self, provider: str, outcome: Outcome = "unavailable", *, times: int = 1) -> None:
        """Let the next ``times`` sends through ``provider`` (an id, or a channel) end in ``outcome``."""
        known = {*CHANNELS, *(f"outbox-{channel}" for channel in CHANNELS)}
        if provider not in known:
            raise InvalidInput(f"There is no provider {provider!r} in the outbox.", hint=did_you_mean(provider, known))
        if outcome not in OUTCOMES:
            raise InvalidInput(f"{outcome!r} is not an outcome.", hint=did_you_mean(outcome, OUTCOMES))
        self._plugin.trouble.next[provider].extend([outcome] * times)

    async def subscriber(
        self, subscriber_id: str, *, push_tokens: Sequence[str] = (), chat_webhook: str | None = None, **profile: Any
    ) -> None:
        """Create a subscriber, or change the given fields of one."""
        await subscribers.upsert_many(self._scope, [Subscriber(subscriber_id=subscriber_id, **profile)])
        if push_tokens:
            address = ChannelAddress(provider_id="outbox-push", device_tokens=tuple(push_tokens))
            await subscribers.set_address(self._scope, subscriber_id, address)
        if chat_webhook:
            address = ChannelAddress(provider_id="outbox-chat", webhook_url=chat_webhook)
            await subscribers.set_address(self._scope, subscriber_id, address)

    async def topic(self, key: str, members: Sequence[str]) -> None:
        """Put subscribers, who are created where they are new, into a topic."""
        people = [Subscriber(subscriber_id=member) for member in members]
        await subscribers.upsert_many(self._scope, people)
        for start in range(0, len(members), 100):
            part = members[start : start + 100]
            await subscriptions.subscribe(self._scope, key, [(member, None, None) for member in part])

    async def prefer(self, subscriber_id: str, workflow: Workflow[Any] | str | None = None, **channels: bool) -> None:
        """Switch channels on or off for a subscriber: for one workflow, or for all."""
        person = await subscribers.get(self._scope, subscriber_id)
        if person is None:
            raise InvalidInput(f"There is no subscriber {subscriber_id!r}.")
        workflow_id = workflow.id if isinstance(workflow, Workflow) else workflow
        chosen: Any = channels
        await preferences.set(self._scope, person.id, workflow_id, chosen)

    async def inbox(self, subscriber_id: str) -> list[SentMessage]:
        """What stands in a subscriber's inbox, newest first."""
        person = await subscribers.get(self._scope, subscriber_id)
        if person is None:
            return []
        page = await messages.inbox_page(self._scope, person.id, messages.InboxFilter(), limit=100)
        return [SentMessage.of(one.message) for one in page.data]

    async def mark_seen(self, subscriber_id: str) -> None:
        """Let a subscriber see all that is in their inbox."""
        await self._mark(subscriber_id, seen=True)

    async def mark_read(self, subscriber_id: str) -> None:
        """Let a subscriber read all that is in their inbox."""
        await self._mark(subscriber_id, read=True)

    async def executions(self, workflow: Workflow[Any] | str | None = None) -> list[Execution]:
        """All executions, oldest first."""
        workflow_id = workflow.id if isinstance(workflow, Workflow) else workflow
        only = ExecutionFilter(workflow_ids=[workflow_id] if workflow_id else None)
        ids = await history.matching_ids(self._scope, only)
        found = [await history.execution(self._scope, one) for one in sorted(ids)]
        return [one for one in found if one is not None]

    async def cancel(self, transaction_id: str) -> CancelAnswer:
        """Cancel a transaction, as the API does."""
        return await cancel(self.app.runtime, self._scope, transaction_id)

    async def resume(self, *ids: UUID) -> int:
        """Resume failed or parked executions (all of them, if none is named) and run them."""
        every = [one.id for one in await self.executions() if one.status.can_resume]
        resumed = await resume(self.app.runtime, self._scope, list(ids) or every)
        await self.settle()
        return resumed

    async def resolve(self, outcome: Resolution | Literal["sent", "not_sent", "failed"], *ids: UUID) -> int:
        """Say what became of the messages whose outcome is unknown (of all, if none is named), and run what follows."""
        every = [one.id for one in await self.executions()]
        done = await resolve(self.app.runtime, self._scope, list(ids) or every, Resolution(outcome), by="the test")
        await self.settle()
        return done.now

    async def explain(self, transaction_id: str | None = None) -> str:
        """What happened, step by step, in words: the timeline of each execution, or of one transaction's."""
        chosen = [e for e in await self.executions() if transaction_id in (None, e.transaction_id)]
        return "\n\n".join([await timeline(self._scope, one) for one in chosen])

    async def _send(self, ask: Trigger) -> Triggered:
        triggered = await trigger(self.app.runtime, self._scope, ask)
        await self.settle()
        return triggered

    async def _mark(self, subscriber_id: str, **marks: bool) -> None:
        person = await subscribers.get(self._scope, subscriber_id)
        if person is not None:
            everything = messages.InboxFilter()
            await messages.mark(self._scope, person.id, everything, at=self.now, **marks)

    async def _collect(self) -> None:
        """Bring the outbox up to date: new messages, and older ones that went out only now."""
        fresh = await messages.since(self._scope, self._collected, sorted(self._unsent))
        for message in sorted(fresh, key=lambda m: (m.sent_at or m.created_at, m.id)):
            self._collected = max(self._collected, message.id)
            if message.sent_at is not None:
                self._unsent.discard(message.id)
                self.outbox.add(SentMessage.of(message))
            else:
                self._unsent.add(message.id)

    async def _next_due(self) -> datetime | None:
        """When an execution comes due next, or a snooze ends."""
        database = self.app.database
        both = (await executions.next_due(database, self._known()), await snoozes.next_end(database))
        return min((at for at in both if at is not None), default=None)

    def _known(self) -> list[str]:
        return self.app.runtime.workflow_ids


def _context(one: str | dict[str, Any]) -> GivenContext:
    return GivenContext(id=one) if isinstance(one, str) else GivenContext(**one)


def _recipient(to: str | Recipient) -> Recipient:
    return Subscriber(subscriber_id=to) if isinstance(to, str) else to
