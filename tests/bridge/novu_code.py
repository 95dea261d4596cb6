"""Workflows for Novu's server to run, and the fixtures that serve them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel

from novukit import Action, Context, Redirect, StepFailed, workflow
from novukit.authoring import Registry
from novukit.bridge.protocol import BridgeProtocol
from novukit.testing.clock import VirtualClock

from .novu_worker import SECRET, NovuWorker

effects: list[str] = []


class Order(BaseModel):
    number: int
    vip: bool = False


class Receipt(BaseModel):
    total: float


async def charge(number: int) -> Receipt:
    effects.append(f"charged {number}")
    return Receipt(total=number * 1.5)


async def count() -> int:
    return 3


@workflow("order", name="An order", tags=["shop"], severity="high", critical=True)
async def order(ctx: Context[Order]) -> None:
    """Every kind of step."""
    step, payload = ctx.step, ctx.payload
    receipt = await step.custom("charge", charge, payload.number)
    number = await step.custom("count", count)
    await step.in_app(
        "bell", subject=f"Order {payload.number}", body=f"{receipt.total:.2f} × {number}", redirect="/orders",
        primary_action=Action(label="Look", redirect=Redirect(url="https://example.org/")), data={"n": payload.number},
    )  # fmt: skip
    await step.delay("wait", timedelta(hours=36))
    gathered = await step.digest("gather", window=timedelta(minutes=90), look_back=timedelta(hours=1))
    await step.throttle("limit", limit=2, window=timedelta(hours=1))
    await step.email(
        "mail", subject=f"{len(gathered)} for {ctx.subscriber.first_name}", body="<b>\nThanks", unless_seen="bell",
        sender="shop@example.com", preheader="soon", providers={"sendgrid": {"category": "x"}},
    )  # fmt: skip
    if payload.vip:
        await step.sms("call", body="We call you")
    await step.push("push", subject="Hi", body=ctx.environment)
    await step.chat("chat", body="Done")


@workflow("fallback")
async def fallback(ctx: Context[None]) -> None:
    """Falls back when the first one failed."""
    try:
        await ctx.step.email("mail", subject="A", body="B")
    except StepFailed:
        await ctx.step.sms("sms", body="Instead")


@workflow("wrong")
async def wrong(ctx: Context[None]) -> None:
    """Asks for what Novu has no words for, and raises."""
    step = ctx.step
    await step.email("cc", subject="A", body="B", cc=["x@example.com"])
    await step.digest("by", window=timedelta(hours=1), key="x")
    await step.throttle("short", limit=1, window=timedelta(seconds=90))
    await step.email("plain", subject="A", overrides={"x": 1})
    for n in range(2):
        await step.sms("loop", body="x", key=str(n))
    raise RuntimeError("It broke")


@workflow("nightly")
async def nightly(ctx: Context[None]) -> None:
    """Waits for a slot, and for a moment that has passed."""
    await ctx.step.digest("gather", cron="0 9 * * *")
    await ctx.step.delay("until", until=datetime(2020, 1, 1, tzinfo=UTC))
    await ctx.step.in_app("bell", body="Morning")


REGISTRY = Registry([order, fallback, wrong, nightly])


async def known() -> list[str]:
    """The keys that may sign."""
    return ["another", SECRET]


@pytest.fixture
def clock() -> VirtualClock:
    """The first moment of 2026."""
    return VirtualClock()


@pytest.fixture
def protocol(clock: VirtualClock) -> BridgeProtocol:
    """The workflows above, served strictly."""
    effects.clear()
    return BridgeProtocol(REGISTRY, clock, known)


@pytest.fixture
def novu(protocol: BridgeProtocol, clock: VirtualClock) -> NovuWorker:
    """Novu's worker."""
    return NovuWorker(protocol, clock)
