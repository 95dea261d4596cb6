"""novu-py: channel connections and endpoints, what vendors tell of messages, and activity by topic."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

import pytest
from novu_py import Novu
from novu_py.models import APIError, ErrorDto, ValidationErrorDto

from .serving import Live
from .waiting import settle

TOKEN = "xoxb-of-the-workspace-1234"


@pytest.fixture(scope="module")
def team(novu: Novu) -> str:
    """A chat integration that takes any address."""
    ask: dict[str, Any] = {"identifier": "chn-team", "provider_id": "null-chat", "channel": "chat", "credentials": {}}
    made = novu.integrations.create(create_integration_request_dto=ask).result
    novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": "chn-ada"})
    return made.identifier


def test_a_connection_from_beginning_to_end(novu: Novu, team: str) -> None:
    """Made, shown, found, changed and deleted; its token is never shown whole."""
    made = novu.channel_connections.create(
        create_channel_connection_request_dto={
            "identifier": "chn-acme", "integration_identifier": team, "subscriber_id": "chn-ada",
            "workspace": {"id": "T1", "name": "Acme"}, "auth": {"access_token": TOKEN},
            "context": {"tenant": "chn-acme"}, "connection_mode": "subscriber",
        }
    ).result  # fmt: skip
    assert ("chat", "chat-webhook", team) == (made.channel, made.provider_id, made.integration_identifier)
    assert ("chn-ada", ["tenant:chn-acme"], "Acme") == (made.subscriber_id, made.context_keys, made.workspace.name)
    assert "****1234" == made.auth.access_token

    assert made == novu.channel_connections.retrieve(identifier="chn-acme").result
    page = novu.channel_connections.list(
        request={"subscriber_id": "chn-ada", "provider_id": "chat-webhook", "context_keys": ["tenant:chn-acme"],
                 "channel": "chat", "connection_mode": "subscriber", "limit": 5}
    ).result  # fmt: skip
    assert (["chn-acme"], None, 1) == ([one.identifier for one in page.data], page.next, page.total_count)
    changed = novu.channel_connections.update(
        identifier="chn-acme",
        update_channel_connection_request_dto={
            "workspace": {"id": "T2"},
            "auth": {"access_token": "another-token-5678"},
        },
    ).result
    assert ("T2", "****5678") == (changed.workspace.id, changed.auth.access_token)
    novu.channel_connections.delete(identifier="chn-acme")
    with pytest.raises(ErrorDto) as gone:
        novu.channel_connections.retrieve(identifier="chn-acme")
    assert 404 == gone.value.data.status_code


def test_an_endpoint_from_beginning_to_end(novu: Novu, team: str) -> None:
    """Made with a subscriber who is new, through a connection; shown, found, changed and deleted."""
    novu.channel_connections.create(
        create_channel_connection_request_dto={
            "identifier": "chn-shared", "integration_identifier": team, "workspace": {"id": "T1"},
            "auth": {"access_token": TOKEN}, "connection_mode": "shared",
        }
    )  # fmt: skip
    made = novu.channel_endpoints.create(
        request_body={
            "identifier": "chn-place", "subscriber_id": "chn-new", "integration_identifier": team, "type": "slack_user",
            "endpoint": {"user_id": "U1"}, "connection_identifier": "chn-shared", "create_subscriber_if_missing": True,
        }
    ).result  # fmt: skip
    assert ("slack_user", "chn-new", "chn-shared") == (made.type.value, made.subscriber_id, made.connection_identifier)
    assert {"userId": "U1"} == made.endpoint.model_dump(by_alias=True)
    assert "chn-new" == novu.subscribers.retrieve(subscriber_id="chn-new").result.subscriber_id

    assert made == novu.channel_endpoints.retrieve(identifier="chn-place").result
    page = novu.channel_endpoints.list(
        request={"subscriber_id": "chn-new", "connection_identifier": "chn-shared", "integration_identifier": team}
    ).result
    assert ["chn-place"] == [one.identifier for one in page.data]
    changed = novu.channel_endpoints.update(
        identifier="chn-place", update_channel_endpoint_request_dto={"endpoint": {"user_id": "U2"}}
    ).result
    assert {"userId": "U2"} == changed.endpoint.model_dump(by_alias=True)
    novu.channel_endpoints.delete(identifier="chn-place")
    assert [] == novu.channel_endpoints.list(request={"subscriber_id": "chn-new"}).result.data


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("slack_channel", {"channel_id": "C1"}),
        ("webhook", {"url": "https://hooks.example.com/1"}),
        ("phone", {"phone_number": "+4915112345678"}),
        ("ms_teams_channel", {"team_id": "T1", "channel_id": "C1"}),
        ("ms_teams_user", {"user_id": "U1"}),
        ("telegram_chat", {"chat_id": "-100"}),
    ],
)
def test_endpoints_of_other_types(novu: Novu, team: str, kind: str, place: dict[str, str]) -> None:
    """The client can write them, and read them back."""
    body: Any = {"subscriber_id": "chn-ada", "integration_identifier": team, "type": kind, "endpoint": place}
    made = novu.channel_endpoints.create(request_body=body).result

    assert kind == made.type.value
    assert place == made.endpoint.model_dump(exclude_none=True)


def test_an_endpoint_that_cannot_be(novu: Novu, team: str) -> None:
    """The field is named."""
    body: Any = {
        "subscriber_id": "chn-nobody",
        "integration_identifier": team,
        "type": "slack_user",
        "endpoint": {"user_id": "U"},
    }
    with pytest.raises(ValidationErrorDto) as refused:
        novu.channel_endpoints.create(request_body=body)

    assert ["subscriberId"] == list(refused.value.data.errors)


def test_what_a_vendor_tells_is_tracked(novu: Novu, live: Live) -> None:
    """Under Novu's URL, signed by the vendor; what is not is refused."""
    secret = "signing-key"
    with live.api() as api:
        environment = api.get("/v1/environments/me").json()["data"]["_id"]
        told = api.post("/v1/integrations", json={
            "providerId": "mailgun", "identifier": "chn-mailgun", "active": False, "credentials": {
                "apiKey": "k", "domain": "mail.example.com", "from": "a@example.com", "webhookSecret": secret,
            },
        })  # fmt: skip
        assert 201 == told.status_code, told.text
        integration = told.json()["data"]["_id"]
    at, token = str(int(time.time())), "chn-token"
    signature = hmac.new(secret.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    body: dict[str, Any] = {
        "signature": {"timestamp": at, "token": token, "signature": signature},
        "event-data": {"event": "delivered", "timestamp": float(at), "recipient": "ada@example.com",
                       "message": {"headers": {"message-id": "chn-message@mail.example.com"}}},
    }  # fmt: skip

    (one,) = novu.activity.track(environment_id=environment, integration_id=integration, request_body=body)
    assert ("chn-message@mail.example.com", "delivered") == (one.id, one.event.status.value)
    assert one.event.date_.endswith("Z")
    body["signature"]["token"] = "another"
    with pytest.raises(APIError) as refused:
        novu.activity.track(environment_id=environment, integration_id=integration, request_body=body)
    assert 401 == refused.value.status_code


@pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")  # a filter that the client itself looks at
def test_activity_by_topic(novu: Novu, live: Live) -> None:
    """By its key and by a subscription; a subscriber tells which topics they are in."""
    for who in ("chn-a", "chn-b"):
        novu.subscribers.create(create_subscriber_request_dto={"subscriber_id": who})
    made = novu.topics.subscriptions.create(
        topic_key="chn-topic", create_topic_subscriptions_request_dto={"subscriptions": ["chn-a", "chn-b"]}
    ).result
    to: Any = {"topic_key": "chn-topic", "type": "Topic"}
    novu.trigger(trigger_event_request_dto={"workflow_id": "note", "to": to, "transaction_id": "chn-tx"})
    settle(live, "chn-tx")

    rows = novu.notifications.list(request={"topic_key": "chn-topic"}).result.data
    assert {"chn-a", "chn-b"} == {one.subscriber.subscriber_id for one in rows if one.subscriber}
    assert {"chn-topic"} == {topic.topic_key for one in rows for topic in one.topics or []}
    mine = made.data[0]
    (only,) = novu.notifications.list(request={"subscription_id": mine.identifier}).result.data
    assert mine.subscriber
    assert only.subscriber
    assert mine.subscriber.subscriber_id == only.subscriber.subscriber_id
    assert ["chn-topic"] == novu.subscribers.retrieve(subscriber_id="chn-a").result.topics
