"""Contexts, subscriptions with preferences and schedules, through Novu's Python client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from novu_py import Novu
from novu_py.utils import BackoffStrategy, RetryConfig

from .serving import Live

OFFICE_HOURS = {
    "is_enabled": True,
    "weekly_schedule": {"monday": {"is_enabled": True, "hours": [{"start": "09:00 AM", "end": "05:00 PM"}]}},
}


@pytest.fixture(scope="module")
def novu(live: Live) -> Iterator[Novu]:
    """The client, which asks once only: by default it repeats what failed for an hour."""
    once = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)
    with Novu(secret_key=live.secret_key, server_url=live.url, retry_config=once) as client:
        yield client


def test_the_life_of_a_context(novu: Novu) -> None:
    """Made, found, changed and deleted."""
    made = novu.contexts.create(
        create_context_request_dto={"type": "tenant", "id": "acme", "data": {"plan": "gold"}}
    ).result
    assert ("tenant", "acme", {"plan": "gold"}) == (made.type, made.id, made.data)
    listed = novu.contexts.list(request={"search": "tenant:ac", "limit": 20}).result
    assert (["acme"], 1) == ([one.id for one in listed.data], listed.total_count)
    changed = novu.contexts.update(id="acme", type_="tenant", update_context_request_dto={"data": {"seats": 3}}).result
    assert {"seats": 3} == changed.data
    assert {"seats": 3} == novu.contexts.retrieve(id="acme", type_="tenant").result.data
    novu.contexts.delete(id="acme", type_="tenant")
    assert [] == novu.contexts.list(request={"id": "acme"}).result.data


def test_a_trigger_in_a_context_makes_it_known_and_its_messages_are_found_by_it(novu: Novu) -> None:
    """With the data that it was given."""
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": "ctx-ada"})
    sent = novu.trigger(
        trigger_event_request_dto={
            "workflow_id": "note", "to": "ctx-ada", "payload": {},
            "context": {"tenant": {"id": "umbrella", "data": {"plan": "tin"}}, "app": "shop"},
        }
    ).result  # fmt: skip
    assert "processed" == sent.status
    assert {"plan": "tin"} == novu.contexts.retrieve(id="umbrella", type_="tenant").result.data
    assert 1 == _messages(novu, ["app:shop", "tenant:umbrella"], at_least=1)
    assert 0 == _messages(novu, ["app:shop"])


def _messages(novu: Novu, keys: list[str], at_least: int = 0) -> int:
    """How many messages of one context there are, as soon as there are enough; each look is a request."""
    found = 0
    for _ in range(1_000):
        found = len(novu.messages.retrieve(request={"subscriber_id": "ctx-ada", "context_keys": keys}).result.data)
        if found >= at_least:
            break
    return found


def test_a_subscription_says_what_it_wants(novu: Novu) -> None:
    """By workflow and by tag, under a condition; shown, changed and ended by its identifier."""
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": "sub-ada"})
    condition = {"==": [{"var": "payload.title"}, "Hello"]}
    made = novu.topics.subscriptions.create(
        topic_key="wishes",
        create_topic_subscriptions_request_dto={
            "subscriptions": ["sub-ada"],
            "context": {"tenant": "umbrella"},
            "preferences": [
                {"workflow_id": "note", "condition": condition},
                {"filter_": {"tags": ["alarms"]}, "enabled": False},
            ],
        },
    ).result
    assert (1, 1, 0) == (made.meta.total_count, made.meta.successful, made.meta.failed)
    (one,) = made.data
    identifier = "tk_wishes:si_sub-ada:ctx_tenant:umbrella"
    assert (identifier, ["tenant:umbrella"]) == (one.identifier, one.context_keys)
    wanted = {each.workflow.identifier: each for each in one.preferences}
    assert {"note": True, "alarm": False} == {name: each.enabled for name, each in wanted.items()}
    assert condition == wanted["note"].condition

    shown = novu.topics.subscriptions.get_subscription(topic_key="wishes", identifier=identifier).result
    assert (one.id, ["tenant:umbrella"]) == (shown.id, shown.context_keys)
    changed = novu.topics.subscriptions.update(
        topic_key="wishes", identifier=identifier,
        update_topic_subscription_request_dto={"name": "Mine", "preferences": ["order"]},
    ).result  # fmt: skip
    assert ("Mine", ["order"]) == (changed.name, [each.workflow.identifier for each in changed.preferences])
    listed = novu.topics.subscriptions.list(request={"topic_key": "wishes", "context_keys": ["tenant:umbrella"]}).result
    assert [identifier] == [each.identifier for each in listed.data]
    mine = novu.subscribers.topics.list(request={"subscriber_id": "sub-ada", "context_keys": ["tenant:other"]}).result
    assert [] == mine.data
    gone = novu.topics.subscriptions.delete(
        topic_key="wishes",
        delete_topic_subscriptions_request_dto={"subscriptions": [{"identifier": identifier}]},
    ).result
    assert 1 == gone.meta.successful


def test_a_schedule_comes_back_with_the_global_preference(novu: Novu) -> None:
    """As it was sent, and by itself: channels stay as they were."""
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": "hours-ada"})
    changed = novu.subscribers.preferences.update(
        subscriber_id="hours-ada", patch_subscriber_preferences_dto={"schedule": OFFICE_HOURS}
    ).result
    shown = novu.subscribers.preferences.list(subscriber_id="hours-ada").result
    for schedule in (changed.global_.schedule, shown.global_.schedule):
        assert schedule.is_enabled
        (span,) = schedule.weekly_schedule.monday.hours
        assert ("09:00 AM", "05:00 PM") == (span.start, span.end)
    assert shown.global_.channels.email
