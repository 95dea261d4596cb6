"""The workflows that simulated clients trigger. What they send says which execution and step it is of."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from novukit import Context, workflow
from novukit.errors import StepFailed
from novukit.model import Retry

from .post import site_here

RETRY = Retry(attempts=4, first=timedelta(seconds=1), cap=timedelta(seconds=4))
LIMIT, SPAN = 2, timedelta(seconds=20)
"""The throttle of ``turnstile``."""


class Number(BaseModel):
    """An event that can be told from the others."""

    n: int = 0


async def note(execution: str, step: str) -> int:
    """The author's own code: it leaves a trace in the world, and each time gives another value."""
    site = site_here()
    return await site.world.ledger.note(site, execution, step)


@workflow("letter")
async def letter(ctx: Context[Number]) -> None:
    """A value, an e-mail that says it, and the same in the inbox."""
    me = str(ctx.execution_id)
    value = await ctx.step.custom("value", note, me, "value")
    await ctx.step.email("mail", subject=f"{me} mail {value}", body="-", retry=RETRY)
    await ctx.step.in_app("inbox", body=f"{me} inbox {value}")


@workflow("alarm")
async def alarm(ctx: Context[Number]) -> None:
    """The inbox, then an SMS, or else a push message."""
    me = str(ctx.execution_id)
    await ctx.step.in_app("inbox", body=f"{me} inbox")
    try:
        await ctx.step.sms("sms", body=f"{me} sms", retry=RETRY)
    except StepFailed:
        await ctx.step.push("push", subject=f"{me} push", body="-", retry=RETRY, on_unknown="park")


@workflow("gather")
async def gather(ctx: Context[Number]) -> None:
    """A digest, and an e-mail that names what is in it."""
    me = str(ctx.execution_id)
    digest = await ctx.step.digest("digest", window=timedelta(seconds=6))
    numbers = ",".join(str(event.payload.n) for event in digest.events)
    await ctx.step.email("mail", subject=f"{me} mail {numbers}", body="-", retry=RETRY)


@workflow("lull")
async def lull(ctx: Context[Number]) -> None:
    """The first one goes on at once; those that come soon after it are gathered."""
    me = str(ctx.execution_id)
    digest = await ctx.step.digest("digest", window=timedelta(seconds=3), look_back=timedelta(seconds=4))
    numbers = ",".join(str(event.payload.n) for event in digest.events)
    await ctx.step.sms("sms", body=f"{me} sms {numbers}", retry=RETRY)


@workflow("later")
async def later(ctx: Context[Number]) -> None:
    """Two messages with a sleep before each."""
    me = str(ctx.execution_id)
    await ctx.step.delay("first", timedelta(seconds=3))
    await ctx.step.push("push", subject=f"{me} push", body="-", retry=RETRY)
    await ctx.step.delay("second", timedelta(milliseconds=50))
    await ctx.step.sms("sms", body=f"{me} sms", retry=RETRY)


@workflow("turnstile")
async def turnstile(ctx: Context[Number]) -> None:
    """At most a few of these in a while."""
    me = str(ctx.execution_id)
    await ctx.step.throttle("throttle", limit=LIMIT, window=SPAN)
    await ctx.step.push("push", subject=f"{me} push", body="-", retry=RETRY, on_unknown="park")
    await ctx.step.in_app("inbox", body=f"{me} inbox")


ALL = (letter, alarm, gather, lull, later, turnstile)
