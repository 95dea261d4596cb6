"""novu-py: subscribers, their credentials and their preferences."""

from __future__ import annotations

import pytest
from novu_py import Novu
from novu_py.models import ErrorDto, SubscriberResponseDtoError, ValidationErrorDto

from . import sdk
from .serving import Live

ODD = ["sub:co,lon", "sub@at+plus", "sub with spaces", "sub.dot-dash_under", "süb-ümlaut"]


def test_one_from_its_beginning_to_its_end(novu: Novu) -> None:
    """Created, found, changed, cleared, deleted; then it is not there."""
    made = novu.subscribers.create(
        create_subscriber_request_dto={
            "subscriber_id": "sub-ada", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org",
            "phone": "+4930123456", "locale": "en_GB", "timezone": "Europe/London", "data": {"plan": "pro", "n": 1},
        }
    ).result  # fmt: skip
    found = novu.subscribers.retrieve(subscriber_id="sub-ada").result
    assert made == found
    assert ("Ada", "ada@example.org", "Europe/London") == (found.first_name, found.email, found.timezone)
    assert {"plan": "pro", "n": 1} == found.data

    changed = novu.subscribers.patch(
        subscriber_id="sub-ada", patch_subscriber_request_dto={"first_name": "Augusta", "phone": None}
    ).result
    assert ("Augusta", "Lovelace") == (changed.first_name, changed.last_name)
    assert not changed.phone

    assert novu.subscribers.delete(subscriber_id="sub-ada").result.acknowledged
    with pytest.raises(ErrorDto) as caught:
        novu.subscribers.retrieve(subscriber_id="sub-ada")
    assert 404 == caught.value.data.status_code


def test_create_again_changes_unless_told_to_fail(novu: Novu) -> None:
    """It is an upsert; with ``fail_if_exists`` a 409 carries the one that is there, unchanged."""
    ask = {"subscriber_id": "sub-twice", "first_name": "One"}
    novu.subscribers.create(create_subscriber_request_dto=ask)
    assert "Two" == novu.subscribers.create(create_subscriber_request_dto=ask | {"first_name": "Two"}).result.first_name

    with pytest.raises(SubscriberResponseDtoError) as caught:
        novu.subscribers.create(create_subscriber_request_dto=ask | {"first_name": "Three"}, fail_if_exists=True)
    assert ("sub-twice", "Two") == (caught.value.data.subscriber_id, caught.value.data.first_name)


def test_many_at_once(novu: Novu) -> None:
    """Each is created or updated."""
    many = [{"subscriber_id": f"sub-many-{n}"} for n in range(120)]
    first = novu.subscribers.create_bulk(bulk_subscriber_create_dto={"subscribers": many[:100]}).result
    told = novu.subscribers.create_bulk(bulk_subscriber_create_dto={"subscribers": many}).result

    assert (100, 0) == (len(first.created), len(first.updated))
    assert (20, 100, []) == (len(told.created), len(told.updated), told.failed)


def test_pages_without_gaps(novu: Novu) -> None:
    """Forward and back, each once, whatever is added meanwhile; filters are exact."""
    for n in range(7):
        novu.subscribers.create(
            create_subscriber_request_dto={"subscriber_id": f"sub-page-{n}", "email": "page@example.org"}
        )
    seen: list[str] = []
    pages: list[list[str]] = []
    after: str | None = None
    while True:
        ask = {"limit": 3, "email": "page@example.org"} | ({"after": after} if after else {})
        page = novu.subscribers.search(request=ask).result
        pages.append([one.subscriber_id for one in page.data])
        seen += pages[-1]
        if len(pages) == 1:
            novu.subscribers.create(
                create_subscriber_request_dto={"subscriber_id": "sub-page-new", "email": "page@example.org"}
            )
            assert (7, False) == (page.total_count, page.total_count_capped)
        if page.next is None:
            break
        after = page.next
    assert [f"sub-page-{n}" for n in reversed(range(7))] == seen
    back = novu.subscribers.search(request={"limit": 3, "email": "page@example.org", "before": page.previous}).result
    assert pages[-2] == [one.subscriber_id for one in back.data]
    (one,) = novu.subscribers.search(request={"subscriber_id": "sub-page-4"}).result.data
    assert "sub-page-4" == one.subscriber_id


@pytest.mark.parametrize("subscriber_id", ODD)
def test_odd_ids_arrive_as_they_are(novu: Novu, subscriber_id: str) -> None:
    """In a path, in a body, in a query."""
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": subscriber_id})

    assert subscriber_id == novu.subscribers.retrieve(subscriber_id=subscriber_id).result.subscriber_id
    assert [subscriber_id] == [
        one.subscriber_id for one in novu.subscribers.search(request={"subscriber_id": subscriber_id}).result.data
    ]
    assert [] == novu.subscribers.topics.list(request={"subscriber_id": subscriber_id}).result.data
    assert novu.subscribers.delete(subscriber_id=subscriber_id).result.acknowledged


@pytest.mark.parametrize("subscriber_id", ["sub/slash", "sub%41", ""])
def test_ids_that_a_path_cannot_carry_are_refused(novu: Novu, subscriber_id: str) -> None:
    """The client does not encode them: they would never be found again."""
    with pytest.raises(ValidationErrorDto) as caught:
        novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": subscriber_id})
    assert {"subscriberId"} == caught.value.data.errors.keys()


def test_credentials(novu: Novu) -> None:
    """Replaced, added to, removed; the subscriber shows them."""
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": "sub-push"})

    def tokens() -> list[str]:
        found = novu.subscribers.retrieve(subscriber_id="sub-push").result
        return [token for one in found.channels or [] for token in one.credentials.device_tokens or []]

    ask = {"provider_id": "fcm", "credentials": {"device_tokens": ["one"]}}
    novu.subscribers.credentials.update(subscriber_id="sub-push", update_subscriber_channel_request_dto=ask)
    assert ["one"] == tokens()
    ask = {"provider_id": "fcm", "credentials": {"device_tokens": ["two"]}}
    novu.subscribers.credentials.append(subscriber_id="sub-push", update_subscriber_channel_request_dto=ask)
    assert ["one", "two"] == tokens()
    novu.subscribers.credentials.delete(subscriber_id="sub-push", provider_id="fcm")
    assert [] == tokens()


def test_the_online_flag(novu: Novu) -> None:
    """It is shown, with the time of the last change."""
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": "sub-online"})
    for online in (True, False):
        told = novu.subscribers.properties.update_online_flag(
            subscriber_id="sub-online", update_subscriber_online_flag_request_dto={"is_online": online}
        ).result
        assert online is told.is_online
    assert novu.subscribers.retrieve(subscriber_id="sub-online").result.last_online_at


def test_preferences(novu: Novu) -> None:
    """Global, of one workflow, of several; a critical workflow is listed when asked for, and cannot be switched off."""
    who = "sub-preferences"
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": who})
    told = novu.subscribers.preferences.list(subscriber_id=who).result
    assert told.global_.enabled
    names = {one.workflow.identifier for one in told.workflows}
    assert {"note", "alarm", "order", "reminder"} <= names
    assert "security" not in names
    every = novu.subscribers.preferences.list(subscriber_id=who, criticality="all").result
    assert "security" in {one.workflow.identifier for one in every.workflows}

    told = novu.subscribers.preferences.update(
        subscriber_id=who, patch_subscriber_preferences_dto={"channels": {"email": False}, "workflow_id": "order"}
    ).result
    of_order = next(one for one in told.workflows if one.workflow.identifier == "order")
    assert (False, True) == (of_order.channels.email, of_order.channels.in_app)
    told = novu.subscribers.preferences.update(
        subscriber_id=who, patch_subscriber_preferences_dto={"channels": {"in_app": False}}
    ).result
    assert told.global_.channels.in_app is False

    several = [{"workflow_id": name, "channels": {"in_app": True}} for name in ("note", "alarm")]
    bulk = novu.subscribers.preferences.bulk_update(
        subscriber_id=who, bulk_update_subscriber_preferences_dto={"preferences": several}
    ).result
    assert [("template", "note", True), ("template", "alarm", True)] == [
        (one.level.value, one.workflow.identifier, one.channels.in_app) for one in bulk if one.workflow
    ]


@pytest.mark.anyio
async def test_the_asyncio_twins(live: Live) -> None:
    """Create, patch, delete over asyncio."""
    async with sdk.connect(live) as novu:
        await novu.subscribers.create_async(create_subscriber_request_dto={"subscriber_id": "sub-async"})
        changed = await novu.subscribers.patch_async(
            subscriber_id="sub-async", patch_subscriber_request_dto={"first_name": "A"}
        )
        assert "A" == changed.result.first_name
        assert (await novu.subscribers.delete_async(subscriber_id="sub-async")).result.acknowledged
