"""novu-py: trigger, bulk, broadcast, cancel, and what is refused."""

from __future__ import annotations

import anyio.to_thread
import pytest
from novu_py import Novu
from novu_py.models import (
    ErrorDto,
    PayloadValidationExceptionDto,
    ResponseValidationError,
    TriggerEventResponseDtoStatus,
    ValidationErrorDto,
)

from . import sdk
from .serving import Live
from .waiting import settle

PROCESSED = TriggerEventResponseDtoStatus.PROCESSED


def titles(novu: Novu, subscriber_id: str) -> list[str | None]:
    """The subjects in somebody's inbox, newest first."""
    page = novu.subscribers.notifications.list(request={"subscriber_id": subscriber_id, "limit": 100}).result
    return [one.subject for one in page.data]


@pytest.mark.parametrize(
    "to",
    [
        "ev-text",
        {"subscriber_id": "ev-object", "first_name": "Ada", "data": {"plan": "pro"}},
        [{"subscriber_id": "ev-list", "locale": "de_DE"}],
    ],
    ids=["text", "object", "list"],
)
def test_every_shape_of_a_recipient(novu: Novu, live: Live, to: object) -> None:
    """An id, an object, a list: the subscriber is there afterwards, and has the notification."""
    result = novu.trigger(
        trigger_event_request_dto={"workflow_id": "note", "to": to, "payload": {"title": "Hi", "data": {"n": 1}}}
    ).result
    assert (True, PROCESSED) == (result.acknowledged, result.status)
    assert result.transaction_id
    settle(live, result.transaction_id)

    who = to if isinstance(to, str) else (to[0] if isinstance(to, list) else to)["subscriber_id"]
    assert ["Hi"] == titles(novu, who)
    if isinstance(to, dict):
        found = novu.subscribers.retrieve(subscriber_id=who).result
        assert ("Ada", {"plan": "pro"}) == (found.first_name, found.data)


def test_a_topic_without_some_of_its_members(novu: Novu, live: Live) -> None:
    """``exclude`` leaves out; everybody else of the topic has one."""
    members = [f"ev-member-{n}" for n in range(4)]
    for each in members:
        novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": each})
    novu.topics.subscriptions.create(
        topic_key="ev-topic", create_topic_subscriptions_request_dto={"subscriptions": members}
    )
    to = {"type": "Topic", "topic_key": "ev-topic", "exclude": [members[0]]}
    result = novu.trigger(trigger_event_request_dto={"workflow_id": "note", "to": [to], "payload": {}}).result
    assert result.transaction_id
    settle(live, result.transaction_id)

    assert [0, 1, 1, 1] == [len(titles(novu, each)) for each in members]


def test_the_same_transaction_begins_once(novu: Novu, live: Live) -> None:
    """And under the caller's own idempotency key the first answer comes back, marked."""
    ask = {"workflow_id": "note", "to": "ev-once", "payload": {"title": "Once"}, "transaction_id": "ev-once"}
    for _ in range(2):
        assert "ev-once" == novu.trigger(trigger_event_request_dto=ask).result.transaction_id
    del ask["transaction_id"]
    first, again = (novu.trigger(trigger_event_request_dto=ask, idempotency_key="ev-my-key") for _ in range(2))
    assert first.result == again.result
    assert ["true"] == again.headers["idempotency-replay"]
    assert "idempotency-replay" not in first.headers
    assert first.result.transaction_id
    settle(live, "ev-once", first.result.transaction_id)

    assert ["Once", "Once"] == titles(novu, "ev-once")


@pytest.mark.anyio
async def test_the_asyncio_twin(live: Live) -> None:
    """The same over asyncio."""
    async with sdk.connect(live) as novu:
        answer = await novu.trigger_async(
            trigger_event_request_dto={"workflow_id": "alarm", "to": "ev-async", "payload": {"title": "Fire"}}
        )
        assert answer.result.transaction_id
        await anyio.to_thread.run_sync(settle, live, answer.result.transaction_id)
        page = await novu.subscribers.notifications.list_async(request={"subscriber_id": "ev-async"})

    assert [("Fire", "high")] == [(one.subject, one.severity.value) for one in page.result.data]


def test_a_bulk_answers_for_each_event(novu: Novu, live: Live) -> None:
    """In order; one that fails says why and does not stop the others."""
    events = [
        {"workflow_id": "note", "to": "ev-bulk", "payload": {"title": "1"}, "transaction_id": "ev-bulk-1"},
        {"workflow_id": "no-such", "to": "ev-bulk", "payload": {}},
        {"workflow_id": "order", "to": "ev-bulk", "payload": {"number": "many"}},
        {"workflow_id": "note", "to": "ev-bulk", "payload": {"title": "4"}, "transaction_id": "ev-bulk-4"},
    ]
    told = novu.trigger_bulk(bulk_trigger_event_dto={"events": events}).result
    settle(live, "ev-bulk-1", "ev-bulk-4")

    assert ["processed", "error", "error", "processed"] == [one.status.value for one in told]
    assert ["ev-bulk-1", None, None, "ev-bulk-4"] == [one.transaction_id for one in told]
    assert "no-such" in str(told[1].error)
    assert "number" in str(told[2].error)
    assert {"1", "4"} == set(titles(novu, "ev-bulk"))


def test_a_broadcast_reaches_everyone(novu: Novu, live: Live) -> None:
    """Whoever is a subscriber has it."""
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": "ev-everyone"})
    result = novu.trigger_broadcast(
        trigger_event_to_all_request_dto={"name": "note", "payload": {"title": "To all"}}
    ).result
    assert result.transaction_id
    settle(live, result.transaction_id)

    assert ["To all"] == titles(novu, "ev-everyone")


def test_what_waits_can_be_cancelled(novu: Novu, live: Live) -> None:
    """True when there was something to cancel, false when not."""
    ask = {"workflow_id": "reminder", "to": "ev-cancel", "payload": {}, "transaction_id": "ev-cancel"}
    novu.trigger(trigger_event_request_dto=ask)

    assert novu.cancel(transaction_id="ev-cancel").result
    settle(live, "ev-cancel")
    assert not novu.cancel(transaction_id="ev-cancel").result
    assert not novu.cancel(transaction_id="ev-nothing").result
    assert [] == titles(novu, "ev-cancel")


def test_a_payload_that_does_not_fit(novu: Novu) -> None:
    """PayloadValidationExceptionDto with the field."""
    with pytest.raises(PayloadValidationExceptionDto) as caught:
        novu.trigger(trigger_event_request_dto={"workflow_id": "order", "to": "ev-bad", "payload": {"number": "many"}})
    assert (400, "PAYLOAD_VALIDATION_ERROR") == (caught.value.data.status_code, caught.value.data.type)
    assert ["/payload/number"] == [one.field for one in caught.value.data.errors]


def test_a_workflow_that_is_not_there(novu: Novu) -> None:
    """ValidationErrorDto with a sentence that says what is there."""
    with pytest.raises(ValidationErrorDto) as caught:
        novu.trigger(trigger_event_request_dto={"workflow_id": "notte", "to": "ev-bad", "payload": {}})
    assert 422 == caught.value.data.status_code
    assert "notte" in str(caught.value.data.message)
    assert {"name"} == caught.value.data.errors.keys()


def test_a_key_that_opens_nothing(live: Live) -> None:
    """ErrorDto with 401, of each of the ways to ask."""
    with Novu(secret_key="nk_wrong", server_url=live.url) as novu:
        for ask in (
            lambda: novu.trigger(trigger_event_request_dto={"workflow_id": "note", "to": "a", "payload": {}}),
            lambda: novu.subscribers.retrieve(subscriber_id="ada"),
            lambda: novu.topics.list(request={}),
        ):
            with pytest.raises(ErrorDto) as caught:
                ask()
            assert 401 == caught.value.data.status_code


@pytest.mark.parametrize("left_out", ["bridge_url", "agent_id"])
def test_what_a_trigger_cannot_ask_for_is_said(novu: Novu, left_out: str) -> None:
    """Not silently ignored: a ValidationErrorDto names the field."""
    ask = {"workflow_id": "note", "to": "ev-bad", "payload": {}, left_out: "https://example.org/api/novu"}
    with pytest.raises(ValidationErrorDto) as caught:
        novu.trigger(trigger_event_request_dto=ask)
    assert {left_out.replace("_url", "Url").replace("_id", "Id")} == caught.value.data.errors.keys()


def test_no_error_hides_another(novu: Novu) -> None:
    """Every refusal can be read by the client; an unreadable one would be a ResponseValidationError."""
    for ask in (
        lambda: novu.trigger(trigger_event_request_dto={"workflow_id": "note", "to": [], "payload": {}}),
        lambda: novu.trigger(trigger_event_request_dto={"workflow_id": "note", "to": "", "payload": {}}),
        lambda: novu.trigger_bulk(bulk_trigger_event_dto={"events": []}),
        lambda: novu.subscribers.retrieve(subscriber_id="nobody at all"),
        lambda: novu.subscribers.search(request={"limit": 1000}),
        lambda: novu.topics.get(topic_key="no topic"),
        lambda: novu.messages.delete(message_id="no-message"),
        lambda: novu.notifications.retrieve(notification_id="no-activity"),
        lambda: novu.workflows.get(workflow_id="no-workflow"),
        lambda: novu.environments.update(environment_id="none", update_environment_request_dto={"name": "x"}),
    ):
        with pytest.raises((ErrorDto, ValidationErrorDto, PayloadValidationExceptionDto)) as caught:
            ask()
        assert not isinstance(caught.value, ResponseValidationError)
        assert caught.value.data.status_code in (400, 404, 422)
