"""``apprise-chat``, ``-sms`` and ``-push``: every service that Apprise knows, with less certainty than elsewhere."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from typing import Annotated, Any, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr, model_validator

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Credentials,
    HttpClient,
    PushContent,
    PushProvider,
    Reason,
    Receipt,
    Rejected,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    Unavailable,
    Unknown,
    hookimpl,
    send_to_each,
)

SECONDS = 30.0
"""What one send may take. Apprise itself gives up on a connection and on an answer after 4 s each."""
THREADS = 16
"""Calls of Apprise at a time. One that hangs keeps its thread until Apprise gives up."""
PATIENCE = 5.0
"""Seconds to wait for a free thread."""
SCHEMA = re.compile(r"([A-Za-z0-9]{1,32})://\S+")
TYPES = frozenset({"info", "success", "warning", "failure"})
FORMATS = frozenset({"text", "markdown", "html"})

HEARD: ContextVar[list[str] | None] = ContextVar("novukit_apprise_heard", default=None)
"""The statuses that a service answered during one call of ours; None outside of one. Threads do not share it."""
STATUS = re.compile(r"\berror=(\d{3})\b")


def overheard(record: logging.LogRecord) -> bool:
    """Keep out of the logs what is said of our calls, for it has URLs with tokens; only the status is taken from it."""
    if (heard := HEARD.get()) is None:
        return True
    heard += STATUS.findall(record.getMessage())
    return False


for _name in ("apprise", "urllib3.connectionpool", "urllib3.util.retry", "requests_oauthlib.oauth1_auth", "oauthlib"):
    logging.getLogger(_name).addFilter(overheard)


def with_place_for(name: str) -> Callable[[SecretStr], SecretStr]:
    """A check that the URL says where the address goes, or every message would go to the same one."""

    def check(url: SecretStr) -> SecretStr:
        if not SCHEMA.fullmatch(url.get_secret_value()) or f"{{{name}}}" not in url.get_secret_value():
            raise ValueError(f"must be an Apprise URL with {{{name}}} where the address goes")
        return url

    return check


class AppriseChatCredentials(Credentials):
    """A URL for channels, or the kinds of URLs that subscribers may bring along."""

    url: Annotated[SecretStr, AfterValidator(with_place_for("channel"))] | None = Field(
        default=None, description="Apprise URL with {channel} in it, such as slack://xoxb-…/{channel}."
    )
    schemas: frozenset[str] = Field(
        default=frozenset(),
        description="Schemas of Apprise URLs that subscribers may have as their webhook URL, such as discord.",
    )

    @model_validator(mode="after")
    def some_address(self) -> Self:
        """One of both is needed."""
        if self.url is None and not self.schemas:
            raise ValueError("url or schemas is required")
        return self


class AppriseSmsCredentials(SmsCredentials):
    """A URL for phone numbers."""

    url: Annotated[SecretStr, AfterValidator(with_place_for("to"))] = Field(
        description="Apprise URL with {to} in it, and {sender} if steps name senders."
    )


class ApprisePushCredentials(Credentials):
    """A URL for device tokens."""

    url: Annotated[SecretStr, AfterValidator(with_place_for("token"))] = Field(
        description="Apprise URL with {token} in it, such as pover://{token}@APP_TOKEN."
    )


class Caller:
    """Calls Apprise, which waits for its answers, in threads of its own."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")
        self.room = asyncio.Semaphore(THREADS)

    async def notify(self, url: str, body: str, overrides: Mapping[str, Any]) -> None:
        """Send ``body`` to one Apprise URL.

        Raises Unknown where Apprise does not say that it was sent, Unavailable where no thread was free, and Rejected
        where Apprise does not understand the URL or the overrides are none of its own.
        """
        options = options_of(overrides)
        if not body.strip():
            raise Rejected("Apprise sends no empty message.", reason=Reason.CONTENT_INVALID)
        try:
            async with asyncio.timeout(PATIENCE):
                await self.room.acquire()
        except TimeoutError:
            raise Unavailable("All threads of Apprise are busy.") from None
        loop = asyncio.get_running_loop()
        call = self.threads.submit(notify, url, body, options)

        def give_back(_: object) -> None:
            with suppress(RuntimeError):  # the loop has stopped, and nobody waits for the room
                loop.call_soon_threadsafe(self.room.release)

        call.add_done_callback(give_back)
        await asyncio.wrap_future(call)

    async def close(self) -> None:
        """Let the threads end when what they wait for has."""
        self.threads.shutdown(wait=False, cancel_futures=True)


def notify(url: str, body: str, options: Mapping[str, Any]) -> None:
    """One call of Apprise, in a thread. What goes wrong in it is told without its words: they may hold tokens."""
    HEARD.set(heard := [])
    service, schema = instance(url), url.partition(":")[0]
    if service is None:
        said = f"Apprise does not understand this {schema} URL with this address."
        raise Rejected(said, reason=Reason.CONTENT_INVALID)
    try:
        sent = service.notify(body=body, **options)
    except Exception as err:
        raise Unknown(f"Apprise failed with {type(err).__name__} at {schema}.") from None
    if not sent:
        # It says no more than that: the service may have refused, or answered too late, or taken half of it.
        said = f"the service answered {', '.join(heard)}" if heard else "it does not say why"
        raise Unknown(f"Apprise did not succeed at {schema}; {said}.")


def instance(url: str) -> Any:
    """Apprise's own object for ``url``; None where it does not understand it. It keeps nothing on the disk."""
    from apprise import Apprise, AppriseAsset, PersistentStoreMode  # a second, so only when it is needed

    asset = AppriseAsset(storage_mode=PersistentStoreMode.MEMORY, app_id="novukit", app_desc="novukit")
    return Apprise.instantiate(url, asset=asset)  # pyright: ignore[reportUnknownMemberType]


def options_of(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides as Apprise's arguments; text is plain unless they say otherwise."""
    if unknown := sorted(set(overrides) - {"title", "type", "format"}):
        raise Rejected(f"Apprise has no {', '.join(unknown)}.", reason=Reason.UNSUPPORTED_FEATURE)
    kind, text_format = overrides.get("type", "info"), overrides.get("format", "text")
    if str(kind) not in TYPES or str(text_format) not in FORMATS:
        said = f"type is one of {', '.join(sorted(TYPES))}, format one of {', '.join(sorted(FORMATS))}."
        raise Rejected(said, reason=Reason.CONTENT_INVALID)
    return {"title": str(overrides.get("title", "")), "notify_type": kind, "body_format": text_format}


def filled(template: str, **addresses: str) -> str:
    """``template`` with the addresses in their places, quoted: none of them can become more of the URL."""
    for name, address in addresses.items():
        template = template.replace(f"{{{name}}}", quote(address, safe=""))
    return template


async def check_url(url: str) -> None:
    """Whether Apprise understands ``url``, with examples in its places. Nobody is asked."""
    example = filled(url, channel="kit", to="+4915112345678", sender="+4915112345678", token="A" * 30)
    if await asyncio.to_thread(quietly, example) is None:
        raise Rejected("Apprise does not understand the URL.", reason=Reason.CREDENTIALS_INVALID)


def quietly(url: str) -> Any:
    """``instance`` without its words in the log."""
    HEARD.set([])
    return instance(url)


class AppriseChat(ChatProvider[AppriseChatCredentials]):
    """Sends to the subscriber's channel by the integration's URL, or to the Apprise URL that the subscriber has."""

    id = "apprise-chat"
    timeout = SECONDS

    def __init__(self, credentials: AppriseChatCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.caller = Caller()

    async def send(self, content: ChatContent, key: str) -> Receipt:
        await self.caller.notify(self.address(content), content.body, content.overrides)
        return Receipt()

    def address(self, content: ChatContent) -> str:
        """The Apprise URL of one subscriber."""
        if content.webhook_url:
            schema = SCHEMA.fullmatch(content.webhook_url)
            if schema is None or schema[1].lower() not in self.credentials.schemas:
                raise Rejected(
                    "The integration's schemas do not allow the subscriber's URL.", reason=Reason.CONTENT_INVALID
                )
            return content.webhook_url
        if self.credentials.url is None or not content.channel:
            said = "The subscriber has no URL, and the integration none for a channel."
            raise Rejected(said, reason=Reason.CONTENT_INVALID)
        return filled(self.credentials.url.get_secret_value(), channel=content.channel)

    async def check(self) -> None:
        if self.credentials.url is not None:
            await check_url(self.credentials.url.get_secret_value())

    async def close(self) -> None:
        await self.caller.close()


class AppriseSms(SmsProvider[AppriseSmsCredentials]):
    """Sends to the phone number by the integration's URL."""

    id = "apprise-sms"
    timeout = SECONDS

    def __init__(self, credentials: AppriseSmsCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.caller = Caller()

    @property
    def template(self) -> str:
        """The integration's URL, with places for addresses."""
        return self.credentials.url.get_secret_value()

    async def send(self, content: SmsContent, key: str) -> Receipt:
        """Send. A sender that the URL has no place for is refused, not left out."""
        sender = content.sender or self.sender or ""
        if bool(sender) != ("{sender}" in self.template):
            said = "no place for a sender" if sender else "a place for a sender, and none is named"
            raise Rejected(f"The integration's URL has {said}.", reason=Reason.CONTENT_INVALID)
        await self.caller.notify(filled(self.template, to=content.to, sender=sender), content.body, content.overrides)
        return Receipt()

    async def check(self) -> None:
        await check_url(self.template)

    async def close(self) -> None:
        await self.caller.close()


class ApprisePush(PushProvider[ApprisePushCredentials]):
    """Sends to each device token by the integration's URL. Which tokens are gone is never known."""

    id = "apprise-push"
    timeout = SECONDS

    def __init__(self, credentials: ApprisePushCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.caller = Caller()

    @property
    def template(self) -> str:
        """The integration's URL, with places for addresses."""
        return self.credentials.url.get_secret_value()

    async def send(self, content: PushContent, key: str) -> Receipt:
        """The subject is the title; without a body it is all there is."""
        title, body = (content.subject, content.body) if content.body.strip() else ("", content.subject)

        async def one(token: str) -> None:
            await self.caller.notify(filled(self.template, token=token), body, content.overrides | {"title": title})

        return await send_to_each(content.tokens, one, at_once=THREADS)

    async def check(self) -> None:
        await check_url(self.template)

    async def close(self) -> None:
        await self.caller.close()


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The providers of this plugin, one for each channel."""
    return [AppriseChat, AppriseSms, ApprisePush]
