"""novu-py: the older routes of a subscriber's notifications and of topics."""

from __future__ import annotations

import pytest
from novu_py import Novu
from novu_py.models import ErrorDto, ValidationErrorDto

from .serving import Live
from .waiting import settle

# The SDK warns of the fields of these routes, as it reads them itself.
pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")


@pytest.fixture(scope="module")
def who(novu: Novu, live: Live) -> str:
    """A subscriber with three notifications."""
    for n in range(3):
        ask = {"workflow_id": "note", "to": "leg-ada", "payload": {"title": str(n)}, "transaction_id": f"leg-{n}"}
        novu.trigger(trigger_event_request_dto=ask)
        settle(live, f"leg-{n}")
    return "leg-ada"


def test_the_feed_by_page(novu: Novu, who: str) -> None:
    """Newest first, each once, with what a reader did."""
    pages = [
        novu.subscribers.notifications.feed(request={"subscriber_id": who, "limit": 2, "page": n}).result
        for n in range(2)
    ]
    assert [["2", "1"], ["0"]] == [[one.subject for one in page.data] for page in pages]
    assert [(True, 3), (False, 3)] == [(page.has_more, page.total_count) for page in pages]
    (first, *_) = pages[0].data
    assert ("How are you?", "note", False) == (first.content, first.template_identifier, first.read)
    with pytest.raises(ValidationErrorDto):
        novu.subscribers.notifications.feed(request={"subscriber_id": who, "payload": "e30="})


def test_counts_and_marks(novu: Novu, who: str) -> None:
    """Some by id, all at once, and buttons; the counter follows."""

    def unseen() -> float:
        return novu.subscribers.notifications.unseen_count(subscriber_id=who, seen=False).result.count

    ids = [one.id for one in novu.subscribers.notifications.feed(request={"subscriber_id": who}).result.data]
    assert 3 == unseen()
    some = novu.subscribers.messages.mark_all_as(
        subscriber_id=who, message_mark_as_request_dto={"message_id": ids[:2], "mark_as": "read"}
    ).result
    assert [True, True] == [one.read for one in some]
    assert 1 == unseen()
    all_of_them = {"mark_as": "seen"}
    assert 1 == novu.subscribers.messages.mark_all(
        subscriber_id=who, mark_all_message_as_request_dto=all_of_them
    ).result  # fmt: skip
    assert 0 == unseen()
    pressed = novu.subscribers.messages.update_as_seen(
        request={
            "subscriber_id": who, "message_id": ids[0], "type": "primary",
            "mark_message_action_as_seen_dto": {"status": "done"},
        }
    ).result  # fmt: skip
    assert pressed.cta.action
    assert pressed.cta.action.status
    assert "done" == pressed.cta.action.status.value


def test_membership(novu: Novu) -> None:
    """Who is in a topic is found there, and nobody else."""
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": "leg-member"})
    novu.topics.subscriptions.create(
        topic_key="leg-topic", create_topic_subscriptions_request_dto={"subscriptions": ["leg-member"]}
    )
    found = novu.topics.subscribers.retrieve(topic_key="leg-topic", external_subscriber_id="leg-member").result
    assert ("leg-topic", "leg-member") == (found.topic_key, found.external_subscriber_id)
    with pytest.raises(ErrorDto) as caught:
        novu.topics.subscribers.retrieve(topic_key="leg-topic", external_subscriber_id="leg-nobody")
    assert 404 == caught.value.data.status_code
