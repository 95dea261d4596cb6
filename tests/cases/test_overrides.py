"""Overrides: what a trigger may say differently, from the strongest to the weakest."""

from __future__ import annotations

from pathlib import Path

import pytest

from novukit import Context, Subscriber, workflow
from novukit.engine import trigger
from novukit.model import ChannelAddress, Reason, Trigger
from novukit.store import history, subscribers
from novukit.testing import Harness


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    await ctx.step.email("first", subject="As written", template="note.html")
    await ctx.step.in_app("inbox", body="hello")


@workflow("buzz")
async def buzz(ctx: Context[None]) -> None:
    await ctx.step.push("push", subject="Hi", body="there")


ADA = Subscriber(subscriber_id="ada", email="ada@example.com")


@pytest.fixture(autouse=True)
def _templates(tmp_path: Path) -> None:
    (tmp_path / "note.html").write_text("<p>Note</p>")
    for name in ("plain", "fancy"):
        (tmp_path / f"{name}.html").write_text(f"<body>{name}{{% block content %}}{{% endblock %}}</body>")


async def test_an_email_may_be_told_other_words_and_more_recipients(novukit: Harness) -> None:
    """The subject, the sender, copies and headers of the trigger win over those of the step."""
    told = {"subject": "As told", "from": "told@example.com", "to": ["bob@example.com"], "bcc": ["cy@example.com"]}
    await novukit.trigger(mail, to=ADA, overrides={"email": told})

    content = novukit.outbox.email[0].content
    assert ("As told", "told@example.com") == (content["subject"], content["sender"])
    assert (["bob@example.com"], ["cy@example.com"]) == (content["cc"], content["bcc"])


async def test_the_layout_of_the_step_wins_over_that_of_the_channel_and_of_all(novukit: Harness) -> None:
    """Strongest first: step, channel, trigger."""
    await novukit.trigger(mail, to=ADA, overrides={"layoutIdentifier": "plain.html"})
    steps = {"first": {"layoutId": "fancy.html"}}
    await novukit.trigger(mail, to=ADA, overrides={"layoutIdentifier": "plain.html", "steps": steps})

    assert ["plain" in sent.html for sent in novukit.outbox.email] == [True, False]
    assert "fancy" in novukit.outbox.email[1].html


async def test_provider_data_reaches_the_content_strongest_last(novukit: Harness) -> None:
    """The step's own provider data wins over the provider's, and that over the channel's."""
    overrides = {
        "email": {"pool": "a", "track": True},
        "providers": {"outbox-email": {"pool": "b", "tag": "x"}},
        "steps": {"first": {"providers": {"outbox-email": {"tag": "y"}}}},
    }
    await novukit.trigger(mail, to=ADA, overrides=overrides)

    assert {"pool": "b", "track": True, "tag": "y"} == novukit.outbox.email[0].content["overrides"]


async def test_severity_and_integration_can_be_named(novukit: Harness) -> None:
    """An integration that is not there fails the step with the reason."""
    await novukit.trigger(mail, to=ADA, overrides={"severity": "high"})
    assert "high" == novukit.outbox.in_app[0].message.severity

    await novukit.trigger(mail, to=ADA, overrides={"email": {"integrationIdentifier": "nowhere"}})
    last = (await novukit.executions())[-1]
    (step,) = await history.steps(novukit.scope, last.id)
    assert Reason.NO_INTEGRATION is step.reason


async def test_addresses_that_come_with_a_recipient_are_kept_only_if_the_trigger_is(novukit: Harness) -> None:
    """In the same transaction as the event."""
    rt, address = novukit.app.runtime, ChannelAddress(provider_id="outbox-push", device_tokens=("t1",))
    ask = Trigger(
        workflow="buzz", to=(Subscriber(subscriber_id="eve"),), transaction_id="one", addresses={"eve": (address,)}
    )
    await trigger(rt, novukit.scope, ask)
    await novukit.settle()
    assert ["t1"] == [sent.to for sent in novukit.outbox.push]

    other = ask.model_copy(update={"addresses": {"eve": (address.model_copy(update={"device_tokens": ("t2",)}),)}})
    with pytest.raises(Exception, match="used before"):
        await trigger(rt, novukit.scope, other)
    eve = await subscribers.get(novukit.scope, "eve")
    assert eve is not None
    assert [("t1",)] == [one.device_tokens for one in eve.addresses]
