"""Endpoints: a chat message goes to each place where its integration reaches the subscriber, an SMS to one number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from novukit import Context, Retry, Subscriber, workflow
from novukit.authoring import Registry
from novukit.model import ChannelAddress, ConnectionAuth, ExecutionStatus, Reason
from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Credentials,
    ProviderError,
    Receipt,
    RecipientGone,
    Rejected,
    SmsContent,
    SmsProvider,
    Throttled,
    Unknown,
    hookimpl,
)  # fmt: skip
from novukit.settings import Settings
from novukit.store import connections, endpoints, history, integrations, subscribers
from novukit.testing import Harness

ADA = Subscriber(subscriber_id="ada", phone="+4915112345678")
ONE_MORE = Retry(attempts=2, first=timedelta(seconds=1), cap=timedelta(seconds=1))

CALLS: list[tuple[str | None, str | None, str | None, str]] = []
"""Token, channel or number, webhook and key of each call."""
FAILS: dict[str, list[ProviderError]] = {}
"""What happens at a place, call by call."""


class TalkCredentials(Credentials):
    token: SecretStr | None = None


class Talk(ChatProvider[TalkCredentials]):
    id = "talk"
    endpoints = frozenset({"slack_user", "slack_channel", "webhook"})
    connection_credential = "token"
    supports = frozenset({"thread"})

    async def send(self, content: ChatContent, key: str) -> Receipt:
        token = self.credentials.token.get_secret_value() if self.credentials.token else None
        assert type(content) is ChatContent
        assert "hello" == content.body
        CALLS.append((token, content.channel, content.webhook_url, key))
        if failures := FAILS.get(content.channel or content.webhook_url or ""):
            raise failures.pop(0)
        return Receipt(provider_message_id=f"at-{content.channel}")


class Text(SmsProvider[TalkCredentials]):
    id = "text"

    async def send(self, content: SmsContent, key: str) -> Receipt:
        CALLS.append((None, content.to, None, key))
        return Receipt()


class Plugin:
    """Both."""

    @hookimpl
    def novukit_providers(self) -> list[type[AnyProvider]]:
        return [Talk, Text]


@workflow("talk")
async def talk(ctx: Context[None]) -> None:
    await ctx.step.chat("chat", body="hello", retry=ONE_MORE)


@workflow("text")
async def text(ctx: Context[None]) -> None:
    await ctx.step.sms("sms", body="hello")


@pytest.fixture
async def novukit(tmp_path: Path, database_url: str, anyio_backend: str) -> AsyncIterator[Harness]:
    """A harness with an integration `team` for chat, another for chat, and `phones` for SMS."""
    CALLS.clear()
    FAILS.clear()
    registry = Registry([talk, text])
    harness = Harness(Settings(root=tmp_path), tmp_path, workflows=registry, database=database_url, plugins=[Plugin()])
    harness.app.settings = harness.app.settings.model_copy(update={"integrations": ()})
    async with harness:
        ring = harness.app.runtime.secrets
        for identifier, provider, channel in (
            ("team", "talk", "chat"),
            ("spare", "talk", "chat"),
            ("sms", "text", "sms"),
        ):
            await integrations.create(
                harness.scope, ring, provider_id=provider, channel=channel, credentials={"token": "own"},
                identifier=identifier,
            )  # fmt: skip
        await subscribers.upsert_many(harness.scope, [ADA])
        yield harness


async def reach(novukit: Harness, type: Any, integration: str = "team", connection: Any = None, **endpoint: str) -> str:
    """Give Ada an endpoint, and say its identifier."""
    ada = await subscribers.get(novukit.scope, "ada")
    chosen = await integrations.by_identifier(novukit.scope, novukit.app.runtime.secrets, integration)
    assert ada is not None
    made = await endpoints.create(
        novukit.scope, identifier=None, integration_id=chosen.id, connection_id=connection, subscriber_uuid=ada.id,
        context_keys=endpoint.pop("context", ""), type=type, endpoint=endpoint,
    )  # fmt: skip
    assert made is not None
    return made.identifier


async def connect(novukit: Harness, token: str) -> Any:
    """A connection with this token, and its id."""
    ring = novukit.app.runtime.secrets
    chosen = await integrations.by_identifier(novukit.scope, ring, "team")
    made = await connections.create(
        novukit.scope, ring, identifier=None, integration_id=chosen.id, subscriber_uuid=None, context_keys="",
        workspace={"id": "T"}, auth=ConnectionAuth(access_token=token),
    )  # fmt: skip
    assert made is not None
    return made.id


async def step(novukit: Harness) -> Any:
    """The only step of the last execution."""
    (found,) = await history.steps(novukit.scope, (await novukit.executions())[-1].id)
    return found


async def test_a_message_goes_to_each_endpoint_of_the_integration(novukit: Harness) -> None:
    """Each with a key of its own; what the subscriber has at another integration stays unused."""
    await reach(novukit, "slack_user", userId="U1")
    await reach(novukit, "webhook", url="https://hooks.example.com/1", channel="#a")
    await reach(novukit, "slack_user", "spare", userId="elsewhere")
    await novukit.trigger(talk, to="ada")

    assert [("own", "U1", None), ("own", "#a", "https://hooks.example.com/1")] == [call[:3] for call in CALLS]
    assert 2 == len({call[3] for call in CALLS})
    (message,) = await history.messages_of(novukit.scope, (await novukit.executions())[0].id)
    assert ("sent", "at-U1") == (message.status, message.provider_message_id)


async def test_an_endpoint_comes_before_the_old_credentials(novukit: Harness) -> None:
    """Which serve again once it is gone."""
    await subscribers.set_address(novukit.scope, "ada", ChannelAddress(provider_id="talk", channel="#old"))
    name = await reach(novukit, "slack_channel", channelId="C1")
    await novukit.trigger(talk, to="ada")
    await endpoints.delete(novukit.scope, name)
    await novukit.trigger(talk, to="ada")

    assert ["C1", "#old"] == [call[1] for call in CALLS]


async def test_who_has_endpoints_at_another_integration_only_is_reached_there(novukit: Harness) -> None:
    """As with addresses: integrations are asked in their order."""
    await reach(novukit, "slack_user", "spare", userId="U2")
    await novukit.trigger(talk, to="ada")

    assert ["U2"] == [call[1] for call in CALLS]


async def test_a_connection_lends_its_token(novukit: Harness) -> None:
    """In place of the integration's; the token is neither in the message nor in any line."""
    await reach(novukit, "slack_user", connection=await connect(novukit, "xoxb-acme"), userId="U1")
    await reach(novukit, "slack_user", userId="U2")
    await novukit.trigger(talk, to="ada")

    assert [("xoxb-acme", "U1"), ("own", "U2")] == [call[:2] for call in CALLS]
    for table in ("message", "checkpoint", "activity"):
        rows = await novukit.app.runtime.database.fetch(f"select * from novukit_{table}")
        assert "xoxb-acme" not in str([dict(row) for row in rows])


async def test_a_message_counts_as_sent_when_one_endpoint_was_reached(novukit: Harness) -> None:
    """The others are not tried again, and the step tells of them."""
    FAILS["U1"] = [Throttled("slow down")]
    name = await reach(novukit, "slack_user", userId="U1")
    await reach(novukit, "slack_user", userId="U2")
    await novukit.trigger(talk, to="ada")

    assert ["U1", "U2"] == [call[1] for call in CALLS]
    assert f"1 of 2 endpoints; {name}: slow down" == (await step(novukit)).detail


async def test_a_message_that_reached_no_endpoint_is_tried_again_under_the_same_keys(novukit: Harness) -> None:
    """If one of them may be reached later."""
    FAILS.update(U1=[Rejected("no")], U2=[Throttled("slow down")])
    await reach(novukit, "slack_user", userId="U1")
    await reach(novukit, "slack_user", userId="U2")
    await novukit.trigger(talk, to="ada")
    await novukit.travel(timedelta(minutes=1))

    assert ["U1", "U2", "U1", "U2"] == [call[1] for call in CALLS]
    assert CALLS[0][3] == CALLS[2][3]
    assert ExecutionStatus.COMPLETED is (await novukit.executions())[0].status


async def test_an_unknown_outcome_at_one_place_is_one_of_the_message(novukit: Harness) -> None:
    """If nobody else was reached: it is never folded into «failed»."""
    FAILS.update(U1=[RecipientGone("left"), RecipientGone("left")], U2=[Unknown("lost"), Unknown("lost")])
    await reach(novukit, "slack_user", userId="U1")
    await reach(novukit, "slack_user", userId="U2")
    await novukit.trigger(talk, to="ada")
    await novukit.travel(timedelta(minutes=1))

    assert Reason.OUTCOME_UNKNOWN is (await step(novukit)).reason


async def test_an_endpoint_of_a_context_is_for_messages_of_that_context(novukit: Harness) -> None:
    """Of exactly that one; others are not meant."""
    await reach(novukit, "slack_user", context="tenant:acme", userId="acme")
    await reach(novukit, "slack_user", userId="plain")
    await novukit.trigger(talk, to="ada")
    await novukit.trigger(talk, to="ada", context={"tenant": "acme"})
    await novukit.trigger(talk, to="ada", context={"tenant": "other"})

    assert ["plain", "acme"] == [call[1] for call in CALLS]
    assert Reason.NO_ADDRESS is (await step(novukit)).reason


async def test_an_sms_goes_to_the_newest_number(novukit: Harness) -> None:
    """Before the one of the profile."""
    await novukit.trigger(text, to="ada")
    for number in ("+4915112340001", "+4915112340002"):
        await reach(novukit, "phone", "sms", phoneNumber=number)
    await novukit.trigger(text, to="ada")

    assert ["+4915112345678", "+4915112340002"] == [call[1] for call in CALLS]
