"""What the Apprise adapter keeps of what every provider must, and what exactly it cannot: the README says the same."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

import novukit_apprise
import pytest
from novukit_apprise import AppriseChat, AppriseChatCredentials, ApprisePush, AppriseSms, AppriseSmsCredentials

from novukit.errors import CredentialsInvalid
from novukit.providers import ChatContent, Credentials, HttpClient, Outcome, Reason, check, deliver
from novukit.providers.credentials import read
from novukit.testing.conformance import (
    Answer,
    ChatConformance,
    Nowhere,
    Place,
    PushConformance,
    Request,
    SmsConformance,
    Vendor,
    failures,
)

# A library of one of Apprise's services imports it; pytest would make an error of that.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PASSWORD = "kit-apprise-password-1"
HOST = "apprise.example"


def last(request: Request) -> str:
    """The last part of the path, where the URLs below have the address."""
    return request.path.rsplit("/", 1)[-1]


def here(template: str, base_url: str) -> str:
    """An Apprise URL that leads to the kit's server, as its http URL does."""
    server = urlsplit(base_url)
    return template.replace("json://", "jsons://" if server.scheme == "https" else "json://").replace(
        HOST, server.netloc
    )


class Chat(AppriseChat):
    """Apprise's json service, which posts what it is given to any host."""

    def address(self, content: ChatContent) -> str:
        return here(super().address(content), self.base_url)


class Sms(AppriseSms):
    """The same for SMS."""

    @property
    def template(self) -> str:
        return here(super().template, self.base_url)


class Push(ApprisePush):
    """The same for push."""

    @property
    def template(self) -> str:
        return here(super().template, self.base_url)


def vendor(place: str, fields: dict[str, Place], **more: Any) -> Vendor:
    """The json service."""
    return Vendor(
        credentials={"url": f"json://kit:{PASSWORD}@{HOST}/{place}"},
        accepted=Answer(200, "ok"),
        fields={"body": "json:message", **fields},
        unreadable=Outcome.UNKNOWN,
        **more,
    )


WEAKER = {
    "test_a_status_has_its_outcome[418]": "a refusal is unknown",
    "test_a_status_has_its_outcome[451]": "a refusal is unknown",
    "test_a_status_has_its_outcome[301]": "a refusal is unknown",
    "test_a_status_has_its_outcome[302]": "a refusal is unknown",
    "test_a_status_has_its_outcome[307]": "a refusal is unknown",
    "test_a_status_has_its_outcome[308]": "a refusal is unknown",
    "test_retry_after_is_kept[7]": "a wait is not read",
    "test_retry_after_is_kept[date]": "a wait is not read",
    "test_retry_after_is_kept[soon]": "a wait is not read",
    "test_retry_after_is_kept[-5]": "a wait is not read",
    "test_retry_after_is_kept[99999999]": "a wait is not read",
    "test_who_cannot_be_reached_is_unavailable": "a host that cannot be reached is unknown",
    "test_the_guard_stands": "private addresses are not refused",
}
"""The tests of the kit that the adapter cannot keep, and what the README calls it."""


class ChatKit(ChatConformance):
    """The kit, on chat."""

    provider = Chat
    weaker = WEAKER
    vendor = vendor(
        "{channel}",
        {"channel": last, "webhook_url": Nowhere("only where the integration's schemas allow it")},
        content={"webhook_url": None},
        overrides={"title": ("Title of the kit", "json:title"), "type": ("warning", "json:type")},
    )


class SmsKit(SmsConformance):
    """The kit, on SMS."""

    provider = Sms
    weaker = WEAKER
    vendor = vendor("{sender}/{to}", {"to": last, "sender": "path"})


class PushKit(PushConformance):
    """The kit, on push."""

    provider = Push
    weaker = WEAKER | {"test_the_answers_for_a_token_that_is_gone_are_named": "a token that is gone is not told"}
    vendor = vendor("{token}", {"tokens": last, "subject": "json:title"})


@pytest.mark.parametrize("kit", [ChatKit, SmsKit, PushKit])
@pytest.mark.anyio
async def test_the_adapter_is_weaker_in_just_what_is_written_down(kit: Any, anyio_backend: str) -> None:
    """It keeps all else that the kit holds a provider to."""
    assert await failures(kit) == {}


@pytest.mark.anyio
async def test_the_status_that_a_service_answered_is_told_and_no_secret(
    caplog: pytest.LogCaptureFixture, anyio_backend: str
) -> None:
    """Apprise logs URLs and payloads at the lowest levels; of our calls nothing gets through."""
    caplog.set_level(1)
    async with ChatKit.stage(Answer(401, f"not {PASSWORD}")) as stage:
        delivery = await stage.deliver()
    logging.getLogger("apprise").warning("said by another user of Apprise")
    assert "the service answered 401" in delivery.detail
    assert PASSWORD not in caplog.text + repr(delivery)
    assert {record.getMessage() for record in caplog.records if record.name != "asyncio"} == {
        "said by another user of Apprise"
    }


@pytest.mark.anyio
async def test_an_address_cannot_become_more_of_the_url(anyio_backend: str) -> None:
    """It is one part of the path, whatever is in it."""
    async with ChatKit.stage() as stage:
        request = await stage.sent(channel="a/b?method=PUT&:x=y#z@w")
    assert (request.method, request.target.count("/"), "?" in request.target) == ("POST", 1, False)


@pytest.mark.anyio
async def test_apprise_does_not_try_again_by_itself(anyio_backend: str) -> None:
    """One send is one request, whatever the URL says."""
    async with ChatKit.stage(Answer(500)) as stage:
        credentials = {"url": f"json://{HOST}/{{channel}}?retry=3&wait=0"}
        stage.provider.credentials = read(AppriseChatCredentials, credentials, provider_id="apprise-chat")
        assert (await stage.deliver()).outcome is Outcome.UNKNOWN
        assert len(stage.server.sent) == 1


@pytest.mark.anyio
async def test_a_subscriber_s_own_url_must_be_of_a_schema_that_is_allowed(anyio_backend: str) -> None:
    """With json:// a subscriber could have any host called, so nothing is allowed unless it is named."""
    async with ChatKit.stage() as stage:
        url = f"json://{urlsplit(stage.server.url).netloc}/own"
        refused = await deliver(stage.provider, ChatContent(webhook_url=url, body="hi"), "key")
        assert (refused.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)
        stage.provider.credentials = stage.provider.credentials.model_copy(update={"schemas": frozenset({"json"})})
        assert (await deliver(stage.provider, ChatContent(webhook_url=url, body="hi"), "key")).accepted
        assert stage.server.sent[-1].path == "/own"
        strange = await deliver(stage.provider, ChatContent(webhook_url="json://", body="hi"), "key")
        assert strange.reason is Reason.CONTENT_INVALID


@pytest.mark.anyio
async def test_more_messages_than_threads_are_all_sent(anyio_backend: str) -> None:
    """A thread is given back when its call has ended."""
    async with ChatKit.stage() as stage:
        deliveries = await asyncio.gather(*(stage.deliver() for _ in range(40)))
    assert all(delivery.accepted for delivery in deliveries)


@pytest.mark.anyio
async def test_without_a_free_thread_nothing_was_sent(monkeypatch: pytest.MonkeyPatch, anyio_backend: str) -> None:
    """So it may be tried again."""
    monkeypatch.setattr(novukit_apprise, "PATIENCE", 0.01)
    async with ChatKit.stage() as stage:
        assert isinstance(stage.provider, AppriseChat)
        stage.provider.caller.room = asyncio.Semaphore(0)
        delivery = await stage.deliver()
        assert (delivery.outcome, stage.server.connections) == (Outcome.UNAVAILABLE, 0)


@pytest.mark.anyio
async def test_a_sender_and_the_url_must_fit(anyio_backend: str) -> None:
    """A sender without a place is not left out in silence, nor a place without a sender left empty."""
    async with SmsKit.stage() as stage:
        nobody = await stage.deliver(sender=None)
        credentials = {"url": f"json://{HOST}/{{to}}"}
        stage.provider.credentials = read(AppriseSmsCredentials, credentials, provider_id="apprise-sms")
        nowhere = await stage.deliver(sender="Kit")
        assert (await stage.deliver(sender=None)).accepted
    assert {nobody.reason, nowhere.reason} == {Reason.CONTENT_INVALID}


@pytest.mark.anyio
async def test_a_push_message_without_a_body_is_its_subject(anyio_backend: str) -> None:
    """Apprise sends nothing that is only a title."""
    async with PushKit.stage() as stage:
        request = await stage.sent(body="")
    assert (request.json["title"], request.json["message"]) == ("", "Subject of the kit")


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"blocks": []}, Reason.UNSUPPORTED_FEATURE),
        ({"type": "loud"}, Reason.CONTENT_INVALID),
        ({"format": ["html"]}, Reason.CONTENT_INVALID),
    ],
)
@pytest.mark.anyio
async def test_other_overrides_are_refused(overrides: dict[str, Any], reason: Reason, anyio_backend: str) -> None:
    """Apprise has three."""
    async with ChatKit.stage() as stage:
        delivery = await stage.deliver(overrides=overrides)
        assert (delivery.reason, stage.server.connections) == (reason, 0)


@pytest.mark.parametrize(
    ("url", "outcome"),
    [("discord://123/abc/{channel}", Outcome.ACCEPTED), ("nosuchservice://{channel}", Outcome.REJECTED)],
)
@pytest.mark.anyio
async def test_the_check_says_whether_apprise_understands_the_url(
    url: str, outcome: Outcome, anyio_backend: str
) -> None:
    """It asks nobody."""
    credentials = read(AppriseChatCredentials, {"url": url}, provider_id="apprise-chat")
    assert (await check(AppriseChat(credentials, HttpClient()))).outcome is outcome


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (AppriseChatCredentials, {"url": "discord://secret-kit-1/secret-kit-2"}, r"\{channel\}"),
        (AppriseChatCredentials, {}, "Url or schemas is required"),
        (AppriseSmsCredentials, {"url": "twilio://secret-kit-1"}, r"\{to\}"),
    ],
)
def test_a_url_without_a_place_for_the_address_is_refused(
    kind: type[Credentials], given: dict[str, Any], said: str
) -> None:
    """Every message would go to the same one; and the refusal does not repeat the URL."""
    with pytest.raises(CredentialsInvalid, match=said) as raised:
        read(kind, given, provider_id="apprise")
    assert "secret-kit" not in str(raised.value)
