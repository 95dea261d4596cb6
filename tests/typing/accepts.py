"""Everything here must type-check under pyright and mypy, both strict; it is never run."""

# pyright: strict

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from pydantic import BaseModel

from novukit import (
    Action,
    Attachment,
    Client,
    Context,
    Digest,
    DigestEvent,
    Everyone,
    Redirect,
    Retry,
    Sent,
    Step,
    StepFailed,
    Subscriber,
    Throttled,
    TopicRecipient,
    Triggered,
    Workflow,
    WorkflowPreferences,
    workflow,
)


class Comment(BaseModel):
    post_id: str
    likes: int = 0


class Receipt(BaseModel):
    id: str


async def charge(order: str, *, cents: int) -> Receipt:
    return Receipt(id=f"{order}-{cents}")


async def forget() -> None: ...


@workflow(
    "comment",
    name="Comment",
    description="Tells of a comment.",
    tags=["social"],
    severity="high",
    critical=True,
    preferences=WorkflowPreferences(channels={"sms": False}),
)
async def comment(ctx: Context[Comment]) -> None:
    step = ctx.step
    assert_type(ctx.payload, Comment)
    assert_type(ctx.payload.post_id, str)
    assert_type(step, Step[Comment])
    assert_type(ctx.subscriber.email, str | None)
    assert_type(ctx.actor, Subscriber | None)
    assert_type(ctx.tenant, dict[str, Any] | None)
    assert_type((ctx.transaction_id, ctx.environment), tuple[str, str])

    shown = await step.in_app(
        "inbox",
        subject="New",
        body="Text",
        redirect="/posts/1",
        primary_action=Action(label="Open", redirect=Redirect(url="/posts/1", target="_blank")),
        severity="low",
        data={"post": 1},
    )
    assert_type(shown, Sent)
    await step.in_app("other", body="Text", redirect=Redirect(url="/"))

    digest = await step.digest("hourly", window=timedelta(hours=1), key=ctx.payload.post_id)
    assert_type(digest, Digest[Comment])
    assert_type(digest.payloads, list[Comment])
    assert_type(digest.payloads[0].likes, int)
    assert_type(digest.events, tuple[DigestEvent[Comment], ...])
    assert_type(sum(gathered.likes for gathered in digest), int)
    await step.digest("daily", cron="0 9 * * *", look_back=timedelta(minutes=5))

    assert_type(
        await step.email(
            "email",
            subject="New",
            body="Text",
            template="comments.html",
            variables={"comments": digest.payloads, "at": datetime.now(UTC)},
            layout="plain",
            preheader="Text",
            to="a@example.com",
            sender="b@example.com",
            sender_name="B",
            reply_to="c@example.com",
            cc=["d@example.com"],
            bcc=("e@example.com",),
            headers={"X-A": "1"},
            attachments=[Attachment(name="a.txt", content=b"hi")],
            unless_seen="inbox",
            unless_read="inbox",
            integration="main",
            overrides={"pool": "a"},
            retry=Retry(attempts=3),
            on_unknown="park",
            key="1",
        ),
        Sent,
    )

    try:
        assert_type(await step.sms("sms", body="Text", to="+4915112345678", sender="Shop"), Sent)
    except StepFailed as failed:
        assert_type(failed.reason, str)
        assert_type(await step.push("push", subject="New", body="Text", data={"a": 1}), Sent)
        assert_type(await step.chat("chat", body="Text"), Sent)

    await step.delay("wait", timedelta(days=1), key="1")
    await step.delay("date", until=datetime.now(UTC), if_past="skip")

    throttled = await step.throttle("calm", limit=3, window=timedelta(hours=1), key="a", on_limit="continue")
    assert_type(throttled, Throttled)

    assert_type(await step.custom("charge", charge, "a", cents=5, key="1", retry=Retry(attempts=1)), Receipt)
    assert_type(await step.custom("forget", forget), None)

    await helper(step)
    await whole(ctx)


async def helper(step: Step[Comment]) -> None:
    await step.sms("helper", body="Text")


async def whole(ctx: Context[Comment]) -> None:
    await ctx.step.sms("whole", body=ctx.payload.post_id)


@workflow("plain")
async def plain(ctx: Context[None]) -> None:
    assert_type(ctx.payload, None)
    assert_type(ctx.step, Step[None])
    await ctx.step.sms("code", body="Text")


async def triggers() -> None:
    assert_type(comment, Workflow[Comment])
    assert_type(plain, Workflow[None])
    assert_type(comment.parse_payload({}), Comment)
    assert_type(await comment.trigger(to="ada", payload=Comment(post_id="1")), Triggered)
    await comment.trigger(
        to=["ada", Subscriber(subscriber_id="bob"), TopicRecipient(topic_key="fans")],
        payload=Comment(post_id="1"),
        transaction_id="t1",
        actor=Subscriber(subscriber_id="eve"),
        tenant={"identifier": "acme"},
        overrides={"email": {"subject": "x"}},
    )
    assert_type(await plain.trigger(to=Everyone()), Triggered)
    await plain.trigger(to=["ada", "bob"], actor="eve", tenant="acme")
    await plain.trigger(to="ada", payload=None)


def client() -> Callable[[], object]:
    return Client("http://localhost", "key").close
