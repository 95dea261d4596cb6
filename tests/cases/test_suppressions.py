"""An address that bounced, complained or unsubscribed is not written to, until a person says otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from novukit import Context, Subscriber, workflow
from novukit.model import ExecutionStatus, Reason, StepStatus, SuppressionReason
from novukit.store import environments, history, messages, organizations, suppressions
from novukit.testing import Harness

from . import vendor as vendors
from .vendor import Vendor, vendor_of

ADA = Subscriber(subscriber_id="ada", email="Ada@Example.com", phone="+4915112345678")
PERMANENT = {"bounce": {"type": "Permanent", "message": "no such user"}}
TRANSIENT = {"bounce": {"type": "Transient"}}
MINUTE = timedelta(minutes=1)


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    await ctx.step.email("mail", subject="Hi", body="Hello")
    await ctx.step.in_app("after", body="Hello")


@workflow("both", critical=True)
async def both(ctx: Context[None]) -> None:
    await ctx.step.email("mail", subject="Hi", body="Hello")
    await ctx.step.sms("text", body="Hello")


@pytest.fixture
async def vendor(novukit: Harness) -> AsyncIterator[Vendor]:
    novukit.app.runtime.host._load("pager", "given", lambda: vendors)
    async with vendor_of(novukit) as found:
        yield found


async def in_force(vendor: Vendor) -> list[tuple[str, str, str]]:
    """What is suppressed, as the API lists it."""
    found = (await vendor.api("GET", "/v1/suppressions"))["data"]
    return [(one["channel"], one["address"], one["reason"]) for one in found]


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [("bounced", PERMANENT, "bounced"), ("complained", {}, "complained"), ("bounced", TRANSIENT, "")],
)  # fmt: skip
async def test_what_suppresses(novukit: Harness, vendor: Vendor, kind: str, data: dict[str, str], reason: str) -> None:
    """A hard bounce and a complaint do, a passing trouble does not; the next step is skipped before its intent."""
    await novukit.trigger(mail, to=ADA)
    await vendor.tell(kind, "re-1", to="ADA@example.com", **data)
    assert ([("email", "ada@example.com", reason)] if reason else []) == await in_force(vendor)
    await novukit.trigger(mail, to=ADA)
    assert len(vendor.server.sent) == (1 if reason else 2)
    *_, execution = await novukit.executions()
    assert ExecutionStatus.COMPLETED is execution.status
    step, after = await history.steps(novukit.scope, execution.id)
    assert StepStatus.COMPLETED is after.status, "the other channels go on"
    if not reason:
        return
    assert (StepStatus.SKIPPED, Reason.SUPPRESSED, 0, None) == (
        step.status,
        step.reason,
        step.attempts,
        step.message_id,
    )
    assert step.detail.startswith(f"Nothing is sent to ada@example.com: {reason}")
    assert {"status": "skipped", "message_id": None, "reason": "suppressed"} == step.result
    assert 1 == len((await messages.page(novukit.scope, channel="email")).data)
    assert [f"message.{kind}", "address.suppressed"] == await vendor.kinds()


async def test_a_critical_workflow_is_held_too(novukit: Harness, vendor: Vendor) -> None:
    """By bounces and complaints, for nobody reads there; what one has unsubscribed from it is sent all the same."""
    await novukit.subscriber("ada", email="ada@example.com", phone="+4915112345678")
    suppress, scope = suppressions.suppress, novukit.scope
    await suppress(scope, "email", "ada@example.com", SuppressionReason.UNSUBSCRIBED, by="the test")
    await suppress(scope, "sms", "+49 (151) 1234-5678", SuppressionReason.COMPLAINED, by="the test")
    await novukit.trigger(both, to="ada")
    (execution,) = await novukit.executions()
    statuses = [(step.status, step.reason) for step in await history.steps(scope, execution.id)]
    assert [(StepStatus.COMPLETED, None), (StepStatus.SKIPPED, Reason.SUPPRESSED)] == statuses
    await novukit.trigger(mail, to="ada")
    assert 1 == len(vendor.server.sent), "a workflow that one may leave is held"


async def test_released_and_suppressed_again(novukit: Harness, vendor: Vendor) -> None:
    """A person releases it; what happened before that is no news, what happens after that is."""
    await novukit.trigger(mail, to=ADA)
    bounced_at = novukit.now
    novukit.clock.advance(MINUTE)
    await vendor.tell("bounced", "re-1", at=bounced_at, **PERMANENT)
    (one,) = (await vendor.api("GET", "/v1/suppressions"))["data"]
    novukit.clock.advance(MINUTE)
    told = await vendor.api("DELETE", f"/v1/suppressions/{one['id']}", params={"note": "the mailbox is back"})
    assert ["added", "released"] == [each["kind"] for each in told["data"]["history"]]
    assert ["integration 'resend'", "key 'First key'"] == [each["by"] for each in told["data"]["history"]]
    assert ["no such user", "the mailbox is back"] == [each["detail"] for each in told["data"]["history"]]
    again = await vendor.api("DELETE", f"/v1/suppressions/{one['id']}")
    assert again == told
    await vendor.tell("bounced", "re-1", at=bounced_at, event="msg_late", **PERMANENT)
    assert [] == await in_force(vendor)
    await novukit.trigger(mail, to=ADA)
    assert 2 == len(vendor.server.sent)
    novukit.clock.advance(MINUTE)
    await vendor.tell("bounced", "re-2", **PERMANENT)
    assert [("email", "ada@example.com", "bounced")] == await in_force(vendor)


async def test_by_hand(novukit: Harness, vendor: Vendor) -> None:
    """Added over the API, seen in Development alone; again it stays as it is; what is no address is refused."""
    body = {"channel": "email", "address": "Ada <ADA@example.com>", "note": "asked by phone"}
    made = (await vendor.api("POST", "/v1/suppressions", json=body))["data"]
    assert ("ada@example.com", "manual", "asked by phone") == (made["address"], made["reason"], made["detail"])
    assert made == (await vendor.api("POST", "/v1/suppressions", json={**body, "note": "again"}))["data"]
    assert made == (await vendor.api("GET", f"/v1/suppressions/{made['id']}"))["data"]
    for query, found in (
        ("channel=sms", 0),
        ("address=ADA@EXAMPLE.COM", 1),
        ("reason=bounced", 0),
        ("released=true", 0),
    ):
        assert found == len((await vendor.api("GET", f"/v1/suppressions?{query}"))["data"])
    rt = novukit.app.runtime
    owner = await organizations.first(rt.database)
    assert owner is not None
    production = rt.scope((await environments.by_slug(rt.database, owner.id, "production")).id)
    assert await suppressions.in_force(production, "email", "ada@example.com") is None
    assert await suppressions.in_force(novukit.scope, "email", "ada@example.com") is not None
    await novukit.trigger(mail, to=ADA)
    assert [] == vendor.server.sent
    key = {"Authorization": f"ApiKey {vendor.secret_key}"}
    for bad in ({"channel": "push", "address": "token"}, {"channel": "email", "address": "< >"}, {"channel": "email"}):
        answer = await vendor.http.post("/v1/suppressions", json=bad, headers=key)
        assert 422 == answer.status_code
    answer = await vendor.http.get(f"/v1/suppressions/{production.environment_id}", headers=key)
    assert 404 == answer.status_code


async def test_a_stronger_reason_takes_the_place_of_a_weaker_one(novukit: Harness) -> None:
    """A complaint counts more than an unsubscription, and not the other way round."""

    async def add(reason: SuppressionReason) -> bool:
        return bool(await suppressions.suppress(novukit.scope, "email", "a@example.com", reason, by="the test"))

    assert await add(SuppressionReason.UNSUBSCRIBED)
    assert not await add(SuppressionReason.UNSUBSCRIBED)
    assert await add(SuppressionReason.COMPLAINED)
    assert not await add(SuppressionReason.UNSUBSCRIBED)
    assert not await add(SuppressionReason.BOUNCED)
    found = await suppressions.in_force(novukit.scope, "email", "A@example.com")
    assert found is not None
    assert SuppressionReason.COMPLAINED is found.reason


async def test_of_two_at_once_one_is_held(novukit: Harness, vendor: Vendor) -> None:
    """In one commit with others, the suppressed one alone is left out."""
    people = [Subscriber(subscriber_id=f"s{n}", email=f"s{n}@example.com") for n in range(8)]
    await suppressions.suppress(novukit.scope, "email", "s3@example.com", SuppressionReason.BOUNCED, by="the test")
    await novukit.trigger(mail, to=people)
    assert 7 == len(vendor.server.sent)
    assert {ExecutionStatus.COMPLETED} == {one.status for one in await novukit.executions()}
