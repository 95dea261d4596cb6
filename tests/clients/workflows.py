"""Workflows that the official clients trigger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from novukit import Action, Context, Redirect, workflow


class Note(BaseModel):
    title: str = "Hello"
    body: str = "How are you?"
    data: dict[str, Any] = {}


class Order(BaseModel):
    number: int
    paid: bool = False


@workflow("note", name="A note", tags=["notes"])
async def note(ctx: Context[Note]) -> None:
    """One notification with a button."""
    await ctx.step.in_app(
        "inbox",
        subject=ctx.payload.title,
        body=ctx.payload.body,
        data=ctx.payload.data,
        redirect="/notes",
        primary_action=Action(label="Read it", redirect=Redirect(url="/notes/1")),
        secondary_action=Action(label="Later"),
    )


@workflow("alarm", name="An alarm", tags=["alarms"], severity="high")
async def alarm(ctx: Context[Note]) -> None:
    """One notification of high severity."""
    await ctx.step.in_app("inbox", subject=ctx.payload.title, body=ctx.payload.body)


@workflow("order", name="An order", tags=["orders"])
async def order(ctx: Context[Order]) -> None:
    """In the inbox and by mail."""
    await ctx.step.in_app("inbox", subject="Order", body=f"Order {ctx.payload.number}")
    await ctx.step.email("mail", subject=f"Order {ctx.payload.number}", body="Thank you.")


@workflow("reminder", name="A reminder")
async def reminder(ctx: Context[Note]) -> None:
    """Waits a day: something to cancel."""
    await ctx.step.delay("wait", timedelta(days=1))
    await ctx.step.in_app("inbox", body=ctx.payload.body)


@workflow("security", name="Security", critical=True)
async def security(ctx: Context[Note]) -> None:
    """What subscribers cannot switch off."""
    await ctx.step.in_app("inbox", body=ctx.payload.body)
