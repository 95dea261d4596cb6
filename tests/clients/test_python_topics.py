"""novu-py: topics and who is in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from novu_py import Novu
from novu_py.models import ErrorDto, TopicResponseDtoError


def everything(ask: Callable[..., Any], **request: Any) -> list[Any]:
    """All rows of a list by cursor, three at a time."""
    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = ask(request={"limit": 3, **request, **after}).result
        assert page.total_count >= len(page.data)
        found += page.data
        if page.next is None:
            return found
        after = {"after": page.next}


def test_one_from_its_beginning_to_its_end(novu: Novu) -> None:
    """Created (201), found (200), renamed, deleted; then it is not there."""
    made = novu.topics.create(create_update_topic_request_dto={"key": "top-news", "name": "News"}).result
    again = novu.topics.create(create_update_topic_request_dto={"key": "top-news"}).result
    assert (made.id, "News") == (again.id, again.name)
    assert made.id == novu.topics.get(topic_key="top-news").result.id

    renamed = novu.topics.update(topic_key="top-news", update_topic_request_dto={"name": "Old news"}).result
    assert "Old news" == renamed.name
    with pytest.raises(TopicResponseDtoError) as caught:
        novu.topics.create(create_update_topic_request_dto={"key": "top-news"}, fail_if_exists=True)
    assert "top-news" == caught.value.data.key

    assert novu.topics.delete(topic_key="top-news").result.acknowledged
    with pytest.raises(ErrorDto) as missing:
        novu.topics.get(topic_key="top-news")
    assert 404 == missing.value.data.status_code


@pytest.mark.parametrize("key", ["top:colon", "top.dot", "top-dash_under"])
def test_odd_keys_arrive_as_they_are(novu: Novu, key: str) -> None:
    """In the path and in the query."""
    novu.topics.create(create_update_topic_request_dto={"key": key})

    assert key == novu.topics.get(topic_key=key).result.key
    assert [key] == [one.key for one in novu.topics.list(request={"key": key}).result.data]


def test_lists_without_gaps(novu: Novu) -> None:
    """Topics by a part of their name, newest first, each once."""
    keys = [f"top-list-{n}" for n in range(7)]
    for key in keys:
        novu.topics.create(create_update_topic_request_dto={"key": key, "name": f"Listed {key}"})

    assert keys[::-1] == [one.key for one in everything(novu.topics.list, name="Listed")]


def test_subscriptions(novu: Novu) -> None:
    """Made by id, listed from both sides, ended by a DELETE with a body; who is not there is told by name."""
    people = [f"top-member-{n}" for n in range(5)]
    novu.subscribers.create_bulk(
        bulk_subscriber_create_dto={"subscribers": [{"subscriber_id": each} for each in people]}
    )
    made = novu.topics.subscriptions.create(
        topic_key="top-team", create_topic_subscriptions_request_dto={"subscriptions": [*people, "top-nobody"]}
    ).result
    assert (6, 5, 1) == (made.meta.total_count, made.meta.successful, made.meta.failed)
    assert ["top-nobody"] == [one.subscriber_id for one in made.errors or []]

    listed = everything(novu.topics.subscriptions.list, topic_key="top-team")
    assert set(people) == {one.subscriber.subscriber_id for one in listed}
    assert "tk_top-team:si_top-member-0" in {one.identifier for one in listed}
    (mine,) = novu.topics.subscriptions.list(request={"topic_key": "top-team", "subscriber_id": people[1]}).result.data
    assert people[1] == mine.subscriber.subscriber_id
    (theirs,) = novu.subscribers.topics.list(request={"subscriber_id": people[1], "key": "top-team"}).result.data
    assert ("top-team", mine.id) == (theirs.topic.key, theirs.id)

    ended = novu.topics.subscriptions.delete(
        topic_key="top-team",
        delete_topic_subscriptions_request_dto={"subscriptions": [people[0], {"identifier": mine.identifier}]},
    ).result
    assert 2 == ended.meta.successful
    left = everything(novu.topics.subscriptions.list, topic_key="top-team")
    assert set(people[2:]) == {one.subscriber.subscriber_id for one in left}
