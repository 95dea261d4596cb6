"""What vendors tell of messages, by HTTP and signed: each thing once, in any order, and from nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from novukit import Context, Subscriber, workflow
from novukit.model import ActivityKind, ChannelAddress, DeliveryStatus, ExecutionStatus, MessageStatus, Reason
from novukit.store import Scope, deliveries, environments, integrations, organizations, subscribers, timeline
from novukit.testing import Harness

from . import vendor as vendors
from .vendor import SECRET, Pager, Vendor, vendor_of

ADA = Subscriber(subscriber_id="ada", email="Ada@Example.com")
MINUTE = timedelta(minutes=1)


@workflow("mail")
async def mail(ctx: Context[None]) -> None:
    await ctx.step.email("mail", subject="Hi", body="Hello")


@workflow("page")
async def page(ctx: Context[None]) -> None:
    await ctx.step.push("page", subject="Now", body="Come", on_unknown="park")
    await ctx.step.in_app("after", body="paged")


@pytest.fixture
async def vendor(novukit: Harness) -> AsyncIterator[Vendor]:
    novukit.app.runtime.host._load("pager", "given", lambda: vendors)
    async with vendor_of(novukit) as found:
        yield found


async def test_a_message_is_delivered_opened_and_clicked(novukit: Harness, vendor: Vendor) -> None:
    """Each is on record with its time, in the message, the activity and the API; `status` stays what it was."""
    await novukit.trigger(mail, to=ADA)
    sent = novukit.now
    for kind in ("sent", "delivered", "opened", "clicked"):
        novukit.clock.advance(MINUTE)
        answer = await vendor.tell(kind, "re-1")
        assert (200, b"") == (answer.status_code, answer.content)
    message = await vendor.only()
    assert (MessageStatus.SENT, DeliveryStatus.CLICKED) == (message.status, message.delivery)
    assert (sent + 2 * MINUTE, sent + 3 * MINUTE, sent + 4 * MINUTE) == (
        message.delivered_at, message.opened_at, message.clicked_at,
    )  # fmt: skip
    assert ["message.accepted", "message.delivered", "message.opened", "message.clicked"] == await vendor.kinds()
    listed = (await vendor.api("GET", "/v1/messages"))["data"][0]["delivery"]
    story = (await vendor.api("GET", f"/v1/executions/{message.execution_id}"))["data"]
    assert listed == story["messages"][0]["delivery"]
    assert {"status", "deliveredAt", "openedAt", "clickedAt"} == set(listed)
    assert ("clicked", "2026-01-01T00:02:00.000Z") == (listed["status"], listed["deliveredAt"])
    feed = (await vendor.api("GET", "/v1/notifications"))["data"][0]["jobs"][1]["executionDetails"]
    assert ("ReadConfirmation", "Webhook") == (feed[-1]["status"], feed[-1]["source"])


@pytest.mark.parametrize("order", ["clicked delivered opened", "opened clicked delivered"])
async def test_out_of_order_nothing_goes_back(novukit: Harness, vendor: Vendor, order: str) -> None:
    """Whatever comes first, the same is on record in the end."""
    await novukit.trigger(mail, to=ADA)
    times = {kind: novukit.now + n * MINUTE for n, kind in enumerate(("delivered", "opened", "clicked"), 1)}
    novukit.clock.advance(10 * MINUTE)
    reached: list[DeliveryStatus | None] = []
    for kind in order.split():
        await vendor.tell(kind, "re-1", at=times[kind])
        reached.append((await vendor.only()).delivery)
    ranks = [list(DeliveryStatus).index(one) for one in reached if one]
    assert 3 == len(ranks)
    assert sorted(ranks) == ranks
    message = await vendor.only()
    assert list(times.values()) == [message.delivered_at, message.opened_at, message.clicked_at]
    await vendor.tell("opened", "re-1", at=times["opened"] - MINUTE / 2)
    await vendor.tell("opened", "re-1", at=times["opened"] + MINUTE)
    assert times["opened"] - MINUTE / 2 == (await vendor.only()).opened_at, "the first time counts"


async def test_told_twice_counts_once(novukit: Harness, vendor: Vendor) -> None:
    """The second time is answered 200 and changes nothing."""
    await novukit.trigger(mail, to=ADA)
    assert 200 == (await vendor.tell("delivered", "re-1", event="msg_same")).status_code
    before = await vendor.only()
    novukit.clock.advance(MINUTE)
    assert 200 == (await vendor.tell("delivered", "re-1", event="msg_same")).status_code
    assert before == await vendor.only()
    assert ["message.delivered"] == await vendor.kinds()
    for _ in range(3):
        await vendor.tell("opened", "re-1")
    assert ["message.delivered", "message.opened"] == await vendor.kinds(), "more than the first fills no log"


async def test_an_event_of_an_unknown_message_is_answered_and_kept(novukit: Harness, vendor: Vendor) -> None:
    """Nothing else changes; after three days nobody looks for its message any more."""
    await novukit.trigger(mail, to=ADA)
    before = await vendor.only()
    assert 200 == (await vendor.tell("bounced", "re-99", bounce={"type": "Permanent"})).status_code
    assert before == await vendor.only()
    looks = 0
    while (due := await _look_at(novukit)) is not None:
        novukit.clock.advance(due - novukit.now)
        await novukit.settle()
        looks += 1
    assert 14 <= looks <= 18
    assert before == await vendor.only()
    assert [] == (await vendor.api("GET", "/v1/suppressions"))["data"]


async def _look_at(novukit: Harness):
    rows = await novukit.scope.database.fetch("select look_at from novukit_delivery_event")
    return rows[0]["look_at"]


async def test_an_event_that_is_faster_than_the_answer_is_not_lost(novukit: Harness, vendor: Vendor) -> None:
    """It is kept, and counts as soon as the message has the vendor's id."""
    assert 200 == (await vendor.tell("delivered", "re-1")).status_code
    novukit.clock.advance(timedelta(seconds=2))
    await novukit.trigger(mail, to=ADA)
    assert DeliveryStatus.SENT is (await vendor.only()).delivery
    novukit.clock.advance(timedelta(seconds=4))
    await novukit.settle()
    message = await vendor.only()
    assert (DeliveryStatus.DELIVERED, novukit.now - timedelta(seconds=6)) == (message.delivery, message.delivered_at)
    assert ["message.delivered"] == await vendor.kinds()
    await vendor.tell("delivered", "re-1", event="msg_1")
    assert ["message.delivered"] == await vendor.kinds()


async def test_what_is_not_signed_is_refused(novukit: Harness, vendor: Vendor) -> None:
    """Forged, changed, stale, from the future or not signed at all: 401, the same body for each, and no effect."""
    await novukit.trigger(mail, to=ADA)
    before = await vendor.only()
    other = "whsec_" + "b3RoZXI=" * 4
    answers = [
        await vendor.tell("bounced", "re-1", secret=other),
        await vendor.tell("bounced", "re-1", signed_as=b"{}"),
        await vendor.tell("bounced", "re-1", skew=-301),
        await vendor.tell("bounced", "re-1", skew=301),
        await vendor.tell("bounced", "re-1", headers={"svix-signature": "v0,abc"}),
        await vendor.tell("bounced", "re-1", event="a.b"),
        await vendor.post(b'{"type": "email.bounced", "data": {"email_id": "re-1"}}', {}),
        await vendor.post(b"\xff\x00", {"svix-id": "x"}),
    ]
    assert {401} == {answer.status_code for answer in answers}
    assert 1 == len({(answer.json()["code"], answer.json()["message"]) for answer in answers})
    assert all("www-authenticate" not in answer.headers for answer in answers)
    assert before == await vendor.only()
    assert [] == await novukit.scope.database.fetch("select 1 from novukit_delivery_event")


async def test_the_door_tells_nobody_what_is_behind_it(novukit: Harness, vendor: Vendor) -> None:
    """Another environment, another integration, one without callbacks, no name at all: one answer for all."""
    rt = novukit.app.runtime
    owner = await organizations.first(rt.database)
    assert owner is not None
    production = await environments.by_slug(rt.database, owner.id, "production")
    answers = [
        await vendor.tell("delivered", "re-1", environment=production.identifier),
        await vendor.tell("delivered", "re-1", environment="nowhere"),
        await vendor.tell("delivered", "re-1", environment="development"),
        await vendor.tell("delivered", "re-1", environment="a%00b"),
        await vendor.tell("delivered", "re-1", integration="other"),
        await vendor.tell("delivered", "re-1", integration="outbox-email"),
    ]
    assert {404} == {answer.status_code for answer in answers}
    said = [{k: v for k, v in one.json().items() if k not in ("path", "requestId")} for one in answers]
    assert all(one == said[0] for one in said)


async def test_odd_requests(novukit: Harness, vendor: Vendor) -> None:
    """Too large, compressed, of a kind that nobody knows, by GET, or more than the plugin can take: never a 5xx."""
    await novukit.trigger(mail, to=ADA)
    before = await vendor.only()
    assert 413 == (await vendor.post(b" " * 1_000_001, {})).status_code
    assert 415 == (await vendor.post(b"\x1f\x8b", {"content-encoding": "gzip"})).status_code
    assert 200 == (await vendor.tell("scheduled", "re-1")).status_code
    assert 401 == (await vendor.http.get(f"/v1/callbacks/{vendor.environment.identifier}/resend?a=1")).status_code
    failed = await vendor.page({"kind": "delivered", "id": "riddle"})
    assert (422, "callback_failed") == (failed.status_code, failed.json()["code"])
    assert "Pager" not in failed.text
    assert "riddle" not in failed.text
    odd = [
        {"kind": "failed", "id": "\ud800\x00", "event": "\x00", "to": "a\x00", "at": "0001-01-01T00:00:00+14:00"},
        {"kind": "delivered", "id": "x" * 10_000, "at": "9999-12-31T23:59:59"},
    ]
    assert 200 == (await vendor.page(*odd)).status_code
    assert before == await vendor.only()


async def test_another_environment_changes_nothing(novukit: Harness, vendor: Vendor) -> None:
    """The same vendor's id, told to the same integration of Production: Development is as it was."""
    await novukit.trigger(mail, to=ADA)
    rt = novukit.app.runtime
    owner = await organizations.first(rt.database)
    assert owner is not None
    production = await environments.by_slug(rt.database, owner.id, "production")
    await integrations.create(
        rt.scope(production.id), rt.secrets, provider_id="resend", channel="email", identifier="resend",
        credentials={"from": "a@example.com", "apiKey": "re_test", "webhookSecret": SECRET},
    )  # fmt: skip
    before = await vendor.only()
    answer = await vendor.tell(
        "bounced", "re-1", event="msg_same", environment=production.identifier, bounce={"type": "Permanent"}
    )
    assert 200 == answer.status_code
    novukit.clock.advance(MINUTE)
    await novukit.settle()
    assert before == await vendor.only()
    assert [] == await vendor.kinds()
    assert [] == await novukit.scope.database.fetch("select 1 from novukit_suppression")
    await vendor.tell("delivered", "re-1", event="msg_same")
    assert ["message.delivered"] == await vendor.kinds(), "nor is an event of this one taken for a repetition"


async def paged(novukit: Harness, *, lost: int = 0) -> None:
    """A page that is sent, or whose answer is lost."""
    Pager.lost = lost
    await novukit.subscriber("ada")
    address = ChannelAddress(provider_id="pager", device_tokens=("token-a", "token-b"))
    await subscribers.set_address(novukit.scope, "ada", address)
    await novukit.trigger(page, to="ada")


async def test_an_unknown_outcome_is_known_when_the_vendor_speaks_of_it(novukit: Harness, vendor: Vendor) -> None:
    """By our key, which the vendor gives back: the step is complete, the workflow goes on, nothing is sent again."""
    await paged(novukit, lost=1)
    (execution,) = await novukit.executions()
    assert (ExecutionStatus.PARKED, Reason.OUTCOME_UNKNOWN) == (execution.status, execution.reason)
    ((key, _),) = Pager.sent
    assert 200 == (await vendor.page({"kind": "delivered", "id": "page-7", "key": key})).status_code
    await novukit.settle()
    (execution,) = await novukit.executions()
    assert ExecutionStatus.COMPLETED is execution.status
    assert 1 == len(Pager.sent)
    message = (await vendor.messages())[0]
    assert (MessageStatus.SENT, DeliveryStatus.DELIVERED, "page-7") == (
        message.status, message.delivery, message.provider_message_id,
    )  # fmt: skip
    assert ["message.delivered", "step.confirmed"] == sorted(await vendor.kinds())
    await vendor.page({"kind": "opened", "id": "page-7"})
    assert DeliveryStatus.OPENED is (await vendor.messages())[0].delivery, "from now on its own id finds it"
    answer = await vendor.http.post(
        f"/v1/executions/{execution.id}/resolve", json={"outcome": "failed"},
        headers={"Authorization": f"ApiKey {vendor.secret_key}"},
    )  # fmt: skip
    assert "resolved_otherwise" == answer.json()["code"]


async def test_gone_tokens_are_forgotten(novukit: Harness, vendor: Vendor) -> None:
    """And the activity says so, without telling the token; one that was registered again since then stays."""
    await paged(novukit)
    gone = novukit.now
    novukit.clock.advance(MINUTE)
    await vendor.page({"kind": "token_gone", "id": "page-1", "tokens": ["token-a"], "at": gone.isoformat()})
    assert ["token-b"] == await tokens(vendor)
    assert {"message.token_gone", "tokens.forgotten"} == set(await vendor.kinds())
    (execution,) = await novukit.executions()
    (line,) = [
        one for one in await timeline.of_execution(novukit.scope, execution.id)
        if one.kind is ActivityKind.TOKENS_FORGOTTEN
    ]  # fmt: skip
    assert "…oken-a" == line.detail
    body = {"providerId": "pager", "credentials": {"deviceTokens": ["token-a", "token-b"]}}
    await vendor.api("PUT", "/v1/subscribers/ada/credentials", json=body)
    novukit.clock.advance(MINUTE)
    await vendor.page(
        {"kind": "token_gone", "id": "page-1", "tokens": ["token-a"], "at": gone.isoformat(), "event": "2"}
    )
    assert ["token-a", "token-b"] == await tokens(vendor)


async def tokens(vendor: Vendor) -> list[str]:
    """Ada's device tokens."""
    ada = await subscribers.get(vendor.novukit.scope, "ada")
    assert ada is not None
    return list(ada.addresses[0].device_tokens)


async def test_events_of_one_request_that_share_an_id(novukit: Harness, vendor: Vendor) -> None:
    """Several events under the id of their request are several; the same twice is one."""
    await paged(novukit)
    some = {"id": "page-1", "event": "same"}
    await vendor.page({"kind": "delivered", **some}, {"kind": "opened", **some}, {"kind": "opened", **some})
    assert ["message.delivered", "message.opened"] == sorted(await vendor.kinds())


async def test_a_fault_that_counts_repetitions_is_found(
    novukit: Harness, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: everything that is told is taken for new."""
    keep = deliveries.keep

    async def all_is_new(scope: Scope, told: list[deliveries.Told]) -> list[deliveries.Told]:
        await keep(scope, told)
        return told

    monkeypatch.setattr(deliveries, "keep", all_is_new)
    with pytest.raises(AssertionError):
        await test_told_twice_counts_once(novukit, vendor)


async def test_a_fault_that_goes_back_is_found(
    novukit: Harness, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: what is told last counts."""
    note = deliveries.note

    async def the_last_counts(scope: Scope, message_id: UUID, kind: str, at: datetime, given: str | None) -> None:
        if column := deliveries.FACTS.get(kind):
            await scope.database.fetch(f"update novukit_message set {column} = null where id = $1", message_id)
        await note(scope, message_id, kind, at, given)

    monkeypatch.setattr(deliveries, "note", the_last_counts)
    with pytest.raises(AssertionError):
        await test_out_of_order_nothing_goes_back(novukit, vendor, "clicked delivered opened")
