"""Clients: they trigger, cancel, choose and read, and ask again under the same id when they hear nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from novukit.engine import Runtime, cancel, cancel_executions, resume, trigger
from novukit.model import Everyone, Subscriber, TopicRecipient, Trigger, Triggered
from novukit.store import messages, preferences
from novukit.store.outage import outage

from .ground import MEMBERS, PEOPLE, TOPIC

if TYPE_CHECKING:
    from .site import Site
    from .world import World

PATIENCE = 10.0
CLIENTS = 3
NOTHING: Any = object()
Verb = Callable[[Runtime], Awaitable[Any]]


@dataclass
class Sent:
    """A trigger that a client has sent."""

    environment: UUID
    ask: Trigger
    direct: tuple[str, ...]
    meant: frozenset[str]
    accepted: Triggered | None = None
    cancelled: bool = False


class Client:
    """Somebody with things to send."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name, self.rng = world, name, world.rng

    async def live(self, seconds: float) -> None:
        """Do what the seed says within so many seconds; then wait for the answers that are still to come."""
        world, rates = self.world, self.world.rates
        pending: list[asyncio.Task[None]] = []
        for _ in range(rates.triggers // CLIENTS):
            await asyncio.sleep(self.rng.random() * 2 * seconds * CLIENTS / rates.triggers)
            sent = self._draw()
            world.sent.append(sent)
            pending += [
                world.loop.create_task(self._trigger(sent)) for _ in range(2 if self.rng.random() < rates.again else 1)
            ]
            if self.rng.random() < rates.cancels:
                pending.append(world.loop.create_task(self._cancel(self.rng.choice(world.sent), self.rng.random() * 6)))
            if self.rng.random() < rates.resumes:
                pending.append(world.loop.create_task(self._resume(self.rng.random() * 20)))
            if self.rng.random() < rates.choices:
                pending.append(world.loop.create_task(self._choose()))
        for task in pending:
            await task

    def _draw(self) -> Sent:
        rng, world, rates = self.rng, self.world, self.world.drawn
        environment = rng.choice(world.base.environments[: rates.environments])
        number = len(world.sent)
        drawn = rng.random()
        direct: tuple[str, ...] = ()
        if drawn < 0.1:
            to: tuple[Any, ...] = (Everyone(),)
            meant = frozenset(PEOPLE)
        elif drawn < 0.3:
            direct = tuple(rng.sample(PEOPLE, rng.randint(0, 1)))
            to = (*map(_person, direct), TopicRecipient(topic_key=TOPIC))
            meant = frozenset((*MEMBERS, *direct))
        else:
            direct = tuple(rng.sample(PEOPLE[: rates.people], min(rates.people, rng.choice((1, 1, 2)))))
            to, meant = tuple(map(_person, direct)), frozenset(direct)
        workflow = rng.choice(rates.workflows)
        ask = Trigger(workflow=workflow, to=to, payload={"n": number}, transaction_id=f"t{number}")
        world.judge.members[str(environment), f"t{number}"] = set(meant)
        return Sent(environment, ask, direct, meant)

    async def _trigger(self, sent: Sent) -> None:
        answer: Triggered = await self._ask(lambda rt: trigger(rt, rt.scope(sent.environment), sent.ask))
        self.world.said(f"hears that {sent.ask.transaction_id} is accepted", None)
        sent.accepted = answer
        assert sent.ask.transaction_id is not None
        self.world.judge.accepted(str(sent.environment), sent.ask.transaction_id, str(answer.event_id), sent.direct)

    async def _cancel(self, sent: Sent, after: float) -> None:
        await asyncio.sleep(after)
        transaction = sent.ask.transaction_id
        assert transaction is not None
        if self.rng.random() < 0.3:
            await self._cancel_some(sent)
            return
        answer = await self._ask(lambda rt: cancel(rt, rt.scope(sent.environment), transaction))
        if answer.found:
            sent.cancelled = True
            self.world.said(
                f"hears that {transaction} has {answer.cancelled} cancelled, {answer.cancelling} cancelling", None
            )
            self.world.judge.cancelled(str(sent.environment), transaction, answer.cancelling)

    async def _cancel_some(self, sent: Sent) -> None:
        """Cancel the executions that are there by now, by their ids."""
        mirror = self.world.judge.mirror
        events = [e["id"] for e in mirror.event.values() if e["transaction_id"] == sent.ask.transaction_id]
        ids = [UUID(row["id"]) for event in events for row in mirror.executions_of(event)]
        answer = await self._ask(lambda rt: cancel_executions(rt, rt.scope(sent.environment), ids))
        if not answer.cancelling:
            self.world.judge.all_cancelled(map(str, ids))

    async def _resume(self, after: float) -> None:
        await asyncio.sleep(after)
        for environment in self.world.base.environments:
            ids = [
                UUID(row["id"]) for row in self.world.judge.mirror.execution.values()
                if row["environment_id"] == str(environment) and row["status"] in ("failed", "parked")
            ]  # fmt: skip
            if ids:
                await self._ask(lambda rt: resume(rt, rt.scope(environment), ids))  # noqa: B023

    async def _choose(self) -> None:
        """Switch a channel off, and on again later; or read all that is in an inbox."""
        rates = self.world.drawn
        environment = self.rng.choice(self.world.base.environments[: rates.environments])
        person = self.world.base.people[environment, self.rng.choice(PEOPLE[: rates.people])]
        if self.rng.random() < 0.3:
            everything = messages.InboxFilter()
            await self._ask(
                lambda rt: messages.mark(rt.scope(environment), person, everything, at=rt.clock.now(), read=True)
            )
            return
        channel = self.rng.choice(("email", "sms", "push"))
        for on in (False, True):
            chosen: Any = {channel: on}
            await self._ask(lambda rt: preferences.set(rt.scope(environment), person, None, chosen))  # noqa: B023
            await asyncio.sleep(self.rng.random() * 4)

    async def _ask(self, verb: Verb) -> Any:
        """Ask one of the servers until there is an answer."""
        while True:
            up = [site for site in self.world.apis if site.ready]
            if up:
                answer = await self._once(self.rng.choice(up), verb)
                if answer is not NOTHING:
                    return answer
            await asyncio.sleep(0.1 + self.rng.random())

    async def _once(self, site: Site, verb: Verb) -> Any:
        task = site.run(_of(verb, site.rt))
        heard: asyncio.Future[None] = self.world.loop.create_future()
        task.add_done_callback(lambda _: heard.done() or heard.set_result(None))
        try:
            async with asyncio.timeout(PATIENCE):
                await heard
        except TimeoutError:
            if self.rng.random() < 0.5:  # the connection is cut, and the server notices
                task.cancel()
            return NOTHING
        if task.cancelled():
            return NOTHING
        if (error := task.exception()) is None:
            return task.result()
        if outage(error) is None:
            self.world.broken("P13", f"a client was told {type(error).__name__}: {error}")
        return NOTHING


async def _of(verb: Verb, rt: Runtime) -> Any:
    return await verb(rt)


def _person(who: str) -> Subscriber:
    return Subscriber(subscriber_id=who)
