"""The simulated providers, one of each class of idempotency, and the ledger of what they were asked and did."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from novukit.providers import (
    AnyProvider,
    Credentials,
    EmailCredentials,
    EmailProvider,
    PushProvider,
    Receipt,
    Rejected,
    SmsProvider,
    Throttled,
    Unavailable,
    hookimpl,
)  # fmt: skip

from .loop import OWNER

if TYPE_CHECKING:
    from .site import Site
    from .world import World

TIMEOUT = 3.0
ARRIVES_WITHIN = 0.4
"""Seconds in which a request is at the provider. Less than the lease that must be left when a call begins."""


@dataclass
class Call:
    """One request."""

    site: Site
    life: int
    execution: str
    step: str
    key: str
    body: str
    kind: str
    answered: str = ""
    """What the caller heard; empty while it has heard nothing."""


class Ledger:
    """All that left the workers: requests to providers, and runs of the author's own functions."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calls: dict[tuple[str, str], list[Call]] = defaultdict(list)
        self.delivered: dict[tuple[str, str], int] = defaultdict(int)
        self._accepted: set[str] = set()
        self._noted = 0

    async def send(self, site: Site, provider: AnyProvider, content: Any, key: str) -> Receipt:
        """A call, from the moment that it begins."""
        world, rates = self.world, self.world.rates
        body = getattr(content, "subject", None) or content.body
        execution, step = body.split()[:2]
        call = Call(site, site.lives, execution, step, key, body, provider.idempotency)
        world.said(f"calls {provider.id} for {world.short(execution)} {step}", site)
        world.judge.call_begins(call, self.calls[execution, step])
        self.calls[execution, step].append(call)
        if site.rng.random() < rates.crash:
            site.kill()
            await site.never()
        drawn, slow = site.rng.random(), site.rng.random() < rates.post_slow
        arrives = site.rng.random() * (ARRIVES_WITHIN if slow else 0.01)
        answers = arrives + site.rng.random() * (2.0 if slow else 0.02)
        known = provider.idempotency == "native" and key in self._accepted
        for chance, fate in (
            (rates.post_refuses, "refused"), (rates.post_unavailable, "unavailable"),
            (rates.post_silent_after, "silent after"), (rates.post_silent_before, "silent before"),
        ):  # fmt: skip
            if drawn < chance:
                fate = "silent after" if known and fate == "refused" else fate
                return await self._fails(call, fate, arrives, answers)
            drawn -= chance
        self._arrives(call, arrives)
        await asyncio.sleep(answers)
        call.answered = "accepted"
        return Receipt(provider_message_id=f"sim-{key}")

    async def _fails(self, call: Call, fate: str, arrives: float, answers: float) -> Receipt:
        if fate == "silent after":
            self._arrives(call, arrives)
        if fate.startswith("silent"):
            await asyncio.sleep(TIMEOUT * 2)
        await asyncio.sleep(answers)
        call.answered = fate
        if fate == "refused":
            raise Rejected("The simulation said so.")
        if call.site.rng.random() < 0.5:
            raise Throttled("The simulation said so.", retry_after=1)
        raise Unavailable("The simulation said so.")

    def _arrives(self, call: Call, after: float) -> None:
        self.world.loop.outside(self.world.loop.time() + after, lambda: self._accept(call))

    def _accept(self, call: Call) -> None:
        self.world.said(f"accepted {self.world.short(call.execution)} {call.step}", None)
        if call.kind == "native" and call.key in self._accepted:
            return
        self._accepted.add(call.key)
        self.delivered[call.execution, call.step] += 1

    async def look_up(self, site: Site, key: str) -> Receipt | None:
        """Whether a message with ``key`` was accepted."""
        self.world.happens(f"looks up {'a message' if key in self._accepted else 'nothing'}", site)
        await asyncio.sleep(site.rng.random() * 0.02)
        if site.rng.random() < self.world.rates.post_unavailable:
            raise Unavailable("The simulation said so.")
        return Receipt(provider_message_id=f"sim-{key}") if key in self._accepted else None

    async def note(self, site: Site, execution: str, step: str) -> int:
        """The author's function runs."""
        self.world.judge.function_begins(site, execution, step)
        self._noted += 1
        value = self._noted
        await site.on_the_way()
        await asyncio.sleep(site.rng.random() * self.world.rates.author_slow)
        return value


def site_here() -> Site:
    """The machine whose process runs now."""
    life: Any = OWNER.get()
    return life.site


async def _send(provider: AnyProvider, content: Any, key: str) -> Receipt:
    site = site_here()
    return await site.world.ledger.send(site, provider, content, key)


class SimEmail(EmailProvider[EmailCredentials]):
    id = "sim-email"
    idempotency = "native"
    timeout = TIMEOUT

    async def send(self, content: Any, key: str) -> Receipt:
        return await _send(self, content, key)


class SimSms(SmsProvider[Credentials]):
    id = "sim-sms"
    idempotency = "lookup"
    timeout = TIMEOUT

    async def send(self, content: Any, key: str) -> Receipt:
        return await _send(self, content, key)

    async def lookup(self, key: str) -> Receipt | None:
        site = site_here()
        return await site.world.ledger.look_up(site, key)


class SimPush(PushProvider[Credentials]):
    id = "sim-push"
    any_address: ClassVar[bool] = True
    timeout = TIMEOUT

    async def send(self, content: Any, key: str) -> Receipt:
        return await _send(self, content, key)


class Plugin:
    """All three."""

    @hookimpl
    def novukit_providers(self) -> list[type[AnyProvider]]:
        return [SimEmail, SimSms, SimPush]
