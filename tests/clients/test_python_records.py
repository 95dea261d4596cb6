"""novu-py: what was sent, what happened, and by what: messages, activity, integrations, workflows, environments."""

from __future__ import annotations

from typing import Any

import pytest
from novu_py import Novu
from novu_py.models import ErrorDto, ValidationErrorDto

from .serving import Live
from .waiting import settle


@pytest.fixture(scope="module")
def ordered(novu: Novu, live: Live) -> str:
    """The transaction of an order: a notification and a mail to one subscriber."""
    novu.subscribers.create(
        create_subscriber_request_dto={"subscriber_id": "rec-ada", "email": "rec@example.org", "first_name": "Ada"}
    )
    novu.trigger(
        trigger_event_request_dto={
            "workflow_id": "order", "to": "rec-ada", "payload": {"number": 7}, "transaction_id": "rec-order",
        }
    )  # fmt: skip
    settle(live, "rec-order")
    return "rec-order"


def test_messages_of_all_channels(novu: Novu, ordered: str) -> None:
    """Found by transaction, subscriber and channel; page by page."""
    by_channel = {
        one.channel.value: one for one in novu.messages.retrieve(request={"transaction_id": [ordered]}).result.data
    }
    assert {"in_app", "email"} == by_channel.keys()
    mail = by_channel["email"]
    assert ("Order 7", "rec@example.org", "sent") == (mail.subject, mail.email, mail.status.value)
    assert "Thank you." in str(mail.content)
    assert "order" == mail.template_identifier

    (only,) = novu.messages.retrieve(request={"subscriber_id": "rec-ada", "channel": "email"}).result.data
    assert mail.id == only.id
    pages = [
        novu.messages.retrieve(request={"transaction_id": [ordered, "rec-none"], "limit": 1, "page": n}).result
        for n in range(3)
    ]
    assert [(1, True), (1, False), (0, False)] == [(len(page.data), page.has_more) for page in pages]
    assert {mail.id, by_channel["in_app"].id} == {one.id for page in pages for one in page.data}


def test_messages_can_be_deleted(novu: Novu, live: Live) -> None:
    """One by its id, the rest by the transaction."""
    ask = {"workflow_id": "note", "to": ["rec-del-1", "rec-del-2"], "payload": {}, "transaction_id": "rec-del"}
    novu.trigger(trigger_event_request_dto=ask)
    settle(live, "rec-del")
    first, second = novu.messages.retrieve(request={"transaction_id": ["rec-del"]}).result.data

    told = novu.messages.delete(message_id=str(first.id)).result
    assert (True, "deleted") == (told.acknowledged, told.status.value)
    assert [second.id] == [
        one.id for one in novu.messages.retrieve(request={"transaction_id": ["rec-del"]}).result.data
    ]
    novu.messages.delete_by_transaction_id(transaction_id="rec-del", channel="email")
    assert 1 == len(novu.messages.retrieve(request={"transaction_id": ["rec-del"]}).result.data)
    novu.messages.delete_by_transaction_id(transaction_id="rec-del")
    assert [] == novu.messages.retrieve(request={"transaction_id": ["rec-del"]}).result.data


@pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")  # a filter that the client itself looks at
def test_the_activity_of_a_trigger(novu: Novu, ordered: str) -> None:
    """A row for each subscriber, with its jobs and what happened in each."""
    page = novu.notifications.list(request={"transaction_id": ordered, "channels": ["email", "in_app"]}).result
    (row,) = page.data
    assert row.subscriber
    assert row.template
    assert ("rec-ada", "order") == (row.subscriber.subscriber_id, row.template.triggers[0].identifier)
    found = novu.notifications.retrieve(notification_id=str(row.id)).result
    jobs = {job.type.value: job for job in found.jobs or []}
    assert {"in_app", "email"} <= jobs.keys()
    assert {"completed"} == {job.status for job in jobs.values()}
    assert all(job.execution_details for job in jobs.values())

    assert [] == novu.notifications.list(request={"transaction_id": "rec-none"}).result.data
    mine = novu.notifications.list(request={"subscriber_ids": ["rec-ada"], "templates": [], "page": 0}).result
    assert [row.id] == [one.id for one in mine.data]


def test_integrations(novu: Novu) -> None:
    """Created, changed, made primary, deleted; credentials stay inside."""
    ask: dict[str, Any] = {
        "name": "Second mail", "identifier": "rec-mail", "provider_id": "console-email", "channel": "email",
        "credentials": {}, "active": False,
    }  # fmt: skip
    made = novu.integrations.create(create_integration_request_dto=ask).result
    assert ("Second mail", False, False) == (made.name, made.active, made.primary)
    assert made.id
    assert made.id in {one.id for one in novu.integrations.list().result}
    assert made.id not in {one.id for one in novu.integrations.list_active().result}

    changed = novu.integrations.update(
        integration_id=made.id, update_integration_request_dto={"name": "Mail", "active": True}
    ).result
    assert ("Mail", True, "rec-mail") == (changed.name, changed.active, changed.identifier)
    assert made.id in {one.id for one in novu.integrations.list_active().result}
    before = next(one for one in novu.integrations.list().result if one.primary and one.channel == made.channel)
    assert novu.integrations.set_as_primary(integration_id=made.id).result.primary
    assert [made.id] == [
        one.id for one in novu.integrations.list().result if one.primary and one.channel == made.channel
    ]
    novu.integrations.set_as_primary(integration_id=str(before.id))

    left = novu.integrations.delete(integration_id=made.id).result
    assert made.id not in {one.id for one in left}
    assert {one.id for one in novu.integrations.list().result} == {one.id for one in left}


def test_an_integration_that_cannot_be(novu: Novu) -> None:
    """A provider that is not installed, and credentials that do not fit, are named."""
    for ask, field in (
        ({"provider_id": "sms77", "channel": "sms"}, "providerId"),
        ({"provider_id": "console-email", "channel": "sms"}, "channel"),
    ):
        with pytest.raises(ValidationErrorDto) as caught:
            novu.integrations.create(create_integration_request_dto=ask)
        assert {field} == caught.value.data.errors.keys()


def test_workflows(novu: Novu) -> None:
    """Listed with filters and pages, shown with steps, all of it as the code has it."""
    tags = ["notes", "alarms", "orders"]
    ask = {"tags": tags, "limit": 2, "offset": 1, "order_by": "name", "order_direction": "ASC"}
    listed = novu.workflows.list(request=ask).result
    assert (3, ["An alarm", "An order"]) == (listed.total_count, [one.name for one in listed.workflows])
    tagged = novu.workflows.list(request={"tags": ["notes", "orders"], "status": ["ACTIVE"]}).result
    assert {"note", "order"} == {one.workflow_id for one in tagged.workflows}

    found = novu.workflows.get(workflow_id="order").result
    assert ("An order", "ACTIVE", "external") == (found.name, found.status.value, found.origin.value)
    assert ["in_app", "email"] == [one.type for one in found.steps]
    assert found.payload_schema
    assert "number" in found.payload_schema["properties"]


def test_environments(novu: Novu, live: Live) -> None:
    """Created with another name; the public identifier is what the inbox takes; secret keys of one's own only."""
    mine = next(one for one in novu.environments.list().result if one.identifier == live.identifier)
    assert [live.secret_key] == [key.key for key in mine.api_keys or []]
    made = novu.environments.create(create_environment_request_dto={"name": "Rec staging", "color": "#aabbcc"}).result
    assert "Rec staging" == made.name
    renamed = novu.environments.update(
        environment_id=made.id, update_environment_request_dto={"name": "Rec stage"}
    ).result
    assert (made.id, "Rec stage") == (renamed.id, renamed.name)
    shown = next(one for one in novu.environments.list().result if one.id == made.id)
    assert ("Rec stage", None) == (shown.name, shown.api_keys)


def test_what_is_left_out_is_said(novu: Novu) -> None:
    """A 404 that the client can read, at once, and not a server error that it repeats for an hour."""
    with pytest.raises(ErrorDto) as caught:
        novu.domains.list(request={})
    assert 404 == caught.value.data.status_code
    assert "inbound" in str(caught.value.data.message)
