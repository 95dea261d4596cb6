"""novu-py: a subscriber's notifications as the server sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from novu_py import Novu
from novu_py.models import ErrorDto

from .serving import Live
from .waiting import settle

Fill = Callable[[str, int], list[str]]


@pytest.fixture
def fill(novu: Novu, live: Live) -> Fill:
    """Gives somebody notifications, ``data`` of which counts from 0; their ids, oldest first."""

    def fill(who: str, many: int) -> list[str]:
        events = [
            {
                "workflow_id": "note", "to": who, "transaction_id": f"{who}-{n}",
                "payload": {"title": str(n), "data": {"even": n % 2 == 0}},
            }
            for n in range(many)
        ]  # fmt: skip
        for each in events:  # one after another, so that they have an order
            novu.trigger(trigger_event_request_dto=each)
            settle(live, str(each["transaction_id"]))
        page = novu.subscribers.notifications.list(request={"subscriber_id": who, "limit": 100}).result
        return [one.id for one in reversed(page.data)]

    return fill


def counts(novu: Novu, who: str, *filters: dict[str, Any]) -> list[float]:
    """How many fit each filter."""
    told = novu.subscribers.notifications.count(subscriber_id=who, filters=json.dumps(filters)).result
    return [one.count for one in told]


def test_what_a_notification_holds(novu: Novu, fill: Fill) -> None:
    """All that the workflow said, and nothing is done yet."""
    fill("not-one", 1)
    (one,) = novu.subscribers.notifications.list(request={"subscriber_id": "not-one"}).result.data

    assert ("0", "How are you?", "in_app", "none") == (
        one.subject, one.body, one.channel_type.value, one.severity.value
    )  # fmt: skip
    assert "not-one" == one.to.subscriber_id
    assert one.redirect
    assert "/notes" == one.redirect.url
    assert one.primary_action
    assert one.secondary_action
    assert ("Read it", "Later") == (one.primary_action.label, one.secondary_action.label)
    assert one.workflow
    assert ("note", ["notes"]) == (one.workflow.identifier, one.workflow.tags)
    assert (False, False, False, False) == (one.is_read, one.is_seen, one.is_archived, one.is_snoozed)


def test_pages_and_filters(novu: Novu, fill: Fill) -> None:
    """By the id of the last one shown; the count of a filter is the length of its list."""
    ids = fill("not-pages", 5)
    first = novu.subscribers.notifications.list(request={"subscriber_id": "not-pages", "limit": 2}).result
    assert (True, ids[:2:-1]) == (first.has_more, [one.id for one in first.data])
    rest = novu.subscribers.notifications.list(
        request={"subscriber_id": "not-pages", "limit": 10, "after": ids[3]}
    ).result
    assert (False, ids[2::-1]) == (rest.has_more, [one.id for one in rest.data])

    novu.subscribers.notifications.mark_as_read(subscriber_id="not-pages", notification_id=ids[0])
    assert [5, 1, 4, 3] == counts(novu, "not-pages", {}, {"read": True}, {"read": False}, {"data": {"even": True}})
    unread = novu.subscribers.notifications.list(request={"subscriber_id": "not-pages", "read": False}).result
    assert ids[:0:-1] == [one.id for one in unread.data]
    even = novu.subscribers.notifications.list(
        request={"subscriber_id": "not-pages", "data": json.dumps({"even": True})}
    ).result
    assert [ids[4], ids[2], ids[0]] == [one.id for one in even.data]


def test_the_marks_of_one(novu: Novu, fill: Fill) -> None:
    """Each is answered with the notification as it is then; each can be taken back."""
    who, (one_id,) = "not-marks", fill("not-marks", 1)
    one = novu.subscribers.notifications.mark_as_read(subscriber_id=who, notification_id=one_id).result
    assert (True, True) == (one.is_read, bool(one.read_at))
    one = novu.subscribers.notifications.mark_as_unread(subscriber_id=who, notification_id=one_id).result
    assert (False, None) == (one.is_read, one.read_at)
    assert novu.subscribers.notifications.archive(subscriber_id=who, notification_id=one_id).result.is_archived
    assert not novu.subscribers.notifications.unarchive(subscriber_id=who, notification_id=one_id).result.is_archived

    until = datetime.now(UTC) + timedelta(hours=1)
    one = novu.subscribers.notifications.snooze(
        request={"subscriber_id": who, "notification_id": one_id, "snooze_subscriber_notification_dto": {
            "snooze_until": until}}
    ).result  # fmt: skip
    assert (True, True) == (one.is_snoozed, bool(one.snoozed_until))
    assert [1, 0] == counts(novu, who, {"snoozed": True}, {"snoozed": False})
    assert not novu.subscribers.notifications.unsnooze(subscriber_id=who, notification_id=one_id).result.is_snoozed

    for button in ("primary", "secondary"):
        ask = {"subscriber_id": who, "notification_id": one_id, "action_type": button}
        done = novu.subscribers.notifications.complete_action(request=ask).result
        assert getattr(done, f"{button}_action").is_completed
        undone = novu.subscribers.notifications.revert_action(request=ask).result
        assert not getattr(undone, f"{button}_action").is_completed

    novu.subscribers.notifications.delete(subscriber_id=who, notification_id=one_id)
    assert [0] == counts(novu, who, {})
    with pytest.raises(ErrorDto) as caught:
        novu.subscribers.notifications.mark_as_read(subscriber_id=who, notification_id=one_id)
    assert 404 == caught.value.data.status_code


def test_the_marks_of_many(novu: Novu, fill: Fill) -> None:
    """By ids, by data, all: exactly those change."""
    who, ids = "not-many", fill("not-many", 6)
    even = {"data": json.dumps({"even": True})}
    novu.subscribers.notifications.mark_as_seen(
        subscriber_id=who, mark_subscriber_notifications_as_seen_dto={"notification_ids": ids[:2]}
    )
    assert [2] == counts(novu, who, {"seen": True})
    novu.subscribers.notifications.mark_all_as_read(subscriber_id=who, update_all_subscriber_notifications_dto=even)
    assert [3, 3] == counts(novu, who, {"read": True}, {"read": True, "data": {"even": True}})
    novu.subscribers.notifications.archive_all_read(subscriber_id=who, update_all_subscriber_notifications_dto={})
    assert [3, 3] == counts(novu, who, {"archived": True}, {"archived": False})
    novu.subscribers.notifications.archive_all(subscriber_id=who, update_all_subscriber_notifications_dto={})
    assert [6] == counts(novu, who, {"archived": True})
    novu.subscribers.notifications.delete_all(subscriber_id=who, update_all_subscriber_notifications_dto=even)
    assert [3] == counts(novu, who, {"archived": True})


def test_another_ones_notification_is_not_there(novu: Novu, fill: Fill) -> None:
    """The id of a notification opens it only beside its own subscriber."""
    (one_id,) = fill("not-mine", 1)
    fill("not-yours", 1)
    with pytest.raises(ErrorDto) as caught:
        novu.subscribers.notifications.mark_as_read(subscriber_id="not-yours", notification_id=one_id)
    assert 404 == caught.value.data.status_code
    assert [1] == counts(novu, "not-mine", {"read": False})
