"""Every line marked ``reject`` must be an error to pyright and mypy, both strict, and no other; it is never run."""

# pyright: strict

from datetime import timedelta

from pydantic import BaseModel

from novukit import Context, Step, workflow


class Comment(BaseModel):
    post_id: str


class Order(BaseModel):
    number: int


async def charge(order: str) -> int:
    return len(order)


def blocking() -> int:
    return 1


@workflow("comment")
async def comment(ctx: Context[Comment]) -> None:
    step = ctx.step
    ctx.payload.text  # reject: payload-field # noqa: B018
    ctx.payload = Comment(post_id="1")  # reject: frozen-context
    await step.email("a")  # reject: subject-missing
    await step.email("b", subject=5)  # reject: subject-type
    await step.email("c", subject="x", cc=[1])  # reject: cc-type
    await step.email("d", subject="x", variabels={})  # reject: argument-unknown
    await step.email("e", subject="x", template=3)  # reject: option-type
    await step.email("f", "subject")  # reject: positional
    await step.in_app("g", body="x", redirect=3)  # reject: redirect-type
    await step.in_app("h", body="x", severity="urgent")  # reject: severity
    await step.in_app("i", body="x", layout="plain")  # reject: other-channels-argument
    await step.sms("j", body="x", on_unknown="drop")  # reject: on-unknown
    await step.sms("k", body="x", key=1)  # reject: key-type
    await step.push("l", body="x")  # reject: push-subject
    await step.chat("m", body=b"x")  # reject: chat-body
    await step.digest("n")  # reject: digest-without-end
    await step.digest("o", window=timedelta(1), cron="@daily")  # reject: digest-two-ends
    await step.digest("p", window=3600)  # reject: digest-seconds
    await step.delay("q")  # reject: delay-without-end
    await step.delay("r", timedelta(1), if_past="skip")  # reject: delay-if-past
    await step.throttle("s", limit=1)  # reject: throttle-window
    await step.custom("t", blocking)  # reject: custom-not-async
    await step.fax("u")  # reject: kind-unknown
    order: Order = (await step.digest("v", window=timedelta(1))).payloads[0]  # reject: digest-element
    text: str = await step.custom("w", charge, "a")  # reject: custom-result
    assert order and text  # noqa: PT018
    await helper(step)  # reject: step-of-other-payload


async def helper(step: Step[Order]) -> None:
    await step.sms("x", body="x")


@workflow("plain")
async def plain(ctx: Context[None]) -> None:
    ctx.payload.post_id  # reject: no-payload # noqa: B018
    await ctx.step.sms("y", body="x")


async def triggers() -> None:
    await comment.trigger(to="ada")  # reject: payload-missing
    await comment.trigger(to="ada", payload=Order(number=1))  # reject: payload-type
    await comment.trigger(to="ada", payload=None)  # reject: payload-none
    await comment.trigger(to="ada", payload={"post_id": "1"})  # reject: payload-dict
    await comment.trigger(payload=Comment(post_id="1"))  # reject: recipient-missing
    await comment.trigger(to=5, payload=Comment(post_id="1"))  # reject: recipient-type
    await plain.trigger(to="ada", payload=Comment(post_id="1"))  # reject: payload-given
    await plain.trigger(to="ada", payload={})  # reject: payload-given-dict
    await plain.trigger(to=[1])  # reject: recipients-type


@workflow("sync")  # reject: workflow-not-async
def sync(ctx: Context[None]) -> None: ...


@workflow("nothing")  # reject: workflow-without-context
async def nothing() -> None: ...


@workflow("more")  # reject: workflow-with-more
async def more(ctx: Context[None], count: int) -> None: ...


@workflow("loud", severity="urgent")  # reject: workflow-severity
async def loud(ctx: Context[None]) -> None: ...


@workflow  # reject: workflow-without-id
async def bare(ctx: Context[None]) -> None: ...


async def mapping(ctx: Context[dict[str, str]]) -> None: ...  # reject: payload-not-a-model
