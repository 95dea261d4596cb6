"""Several integrations that write down who was called and fail as they are told: what the tests of routing share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from novukit import Context, Facts, Retry, Subscriber, route, workflow
from novukit.authoring import Registry
from novukit.model import ActivityKind
from novukit.providers import (
    AnyProvider,
    Credentials,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    Receipt,
    SmsContent,
    SmsProvider,
    hookimpl,
)  # fmt: skip
from novukit.settings import IntegrationSettings, Settings
from novukit.store import integrations, timeline
from novukit.testing import Harness

ADA = Subscriber(subscriber_id="ada", email="ada@example.com", phone="+4915112345678", locale="en_US")
TWICE = Retry(attempts=2, first=timedelta(seconds=1), cap=timedelta(seconds=2))


class Order(BaseModel):
    plan: str = "free"
    amount: int = 0


@workflow("receipt", tags=["billing"])
async def receipt(ctx: Context[Order]) -> None:
    await ctx.step.email("email", subject="Hi", body="-", retry=TWICE)


@workflow("otp")
async def otp(ctx: Context[Order]) -> None:
    await ctx.step.sms("sms", body="1234", retry=TWICE, on_unknown="next")


@workflow("text")
async def text(ctx: Context[Order]) -> None:
    await ctx.step.sms("sms", body="hello", retry=TWICE)


@workflow("careful")
async def careful(ctx: Context[Order]) -> None:
    await ctx.step.sms("sms", body="hello", retry=TWICE, on_unknown="park")


@workflow("named")
async def named(ctx: Context[Order]) -> None:
    await ctx.step.email("email", subject="Hi", body="-", integration="a", retry=TWICE)


CHOSEN: dict[str, str | None] = {}
CALLS: list[tuple[str, str]] = []
"""By which integration each call was, in order, and its key."""
FAILS: dict[str, list[Exception]] = {}


@route("email")
def by_hand(facts: Facts) -> str | None:
    """What a test has said."""
    if "raises" in CHOSEN:
        raise KeyError("plan")
    return CHOSEN.get("to")


def answer(name: str, key: str) -> Receipt:
    CALLS.append((name, key))
    if failures := FAILS.get(name):
        raise failures.pop(0)
    return Receipt(provider_message_id=f"{name}-{len(CALLS)}")


class NamedEmailCredentials(EmailCredentials):
    name: str


class NamedCredentials(Credentials):
    name: str


class Post(EmailProvider[NamedEmailCredentials]):
    id = "post"
    supports = frozenset({"cc"})

    async def send(self, content: EmailContent, key: str) -> Receipt:
        return answer(self.credentials.name, key)


class Text(SmsProvider[NamedCredentials]):
    id = "text"

    async def send(self, content: SmsContent, key: str) -> Receipt:
        return answer(self.credentials.name, key)


class Plugin:
    """Both."""

    @hookimpl
    def novukit_providers(self) -> list[type[AnyProvider]]:
        return [Post, Text]


@pytest.fixture
async def routed(tmp_path: Path, database_url: str, anyio_backend: str) -> AsyncIterator[Harness]:
    """A harness without integrations of its own, with the providers `post` and `text`."""
    CHOSEN.clear()
    CALLS.clear()
    FAILS.clear()
    registry = Registry([receipt, otp, text, careful, named], [by_hand])
    harness = Harness(Settings(root=tmp_path), tmp_path, workflows=registry, database=database_url, plugins=[Plugin()])
    harness.app.settings = harness.app.settings.model_copy(update={"integrations": ()})
    async with harness:
        yield harness


async def declare(routed: Harness, *declared: str | dict[str, Any], channel: str = "email") -> None:
    """Make integrations as novukit.toml would: a name, or a name with what is said of it."""
    rt = routed.app.runtime
    made: list[IntegrationSettings] = []
    for one in declared:
        said: dict[str, Any] = {"identifier": one} if isinstance(one, str) else one
        credentials = {"name": said["identifier"]} | ({"from": "x@example.com"} if channel == "email" else {})
        provider = "post" if channel == "email" else "text"
        made.append(IntegrationSettings(provider=provider, credentials=credentials, **said))
    missing = await integrations.sync_settings(routed.scope, rt.secrets, made, rt.host.get)
    assert [] == missing


def by() -> list[str]:
    return [name for name, _ in CALLS]


async def lines(routed: Harness, kind: ActivityKind) -> list[Any]:
    (execution,) = await routed.executions()
    page = await timeline.of_execution(routed.scope, execution.id)
    return [line for line in page if line.kind is kind]
