"""``catcher-…``: providers that keep what they would send, in memory and in a folder, for tests and for looking at."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import Field

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    Content,
    Credentials,
    CredentialsInvalid,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    HttpClient,
    PushContent,
    PushProvider,
    Receipt,
    Rejected,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    as_bytes,
    hookimpl,
    mime_message,
)  # fmt: skip

from .features import EVERY

KEPT = 1000
FOLDER = Field(default=None, description="Folder for one file per message: .eml for e-mail, .json otherwise.")


@dataclass(frozen=True, slots=True)
class Caught:
    """One message that would have gone out."""

    channel: str
    to: str
    content: Content
    key: str
    at: datetime
    file: Path | None = None


@dataclass(slots=True)
class Net:
    """What one integration has caught: the last 1000 messages in memory, all of them in ``folder``."""

    channel: str
    folder: Path | None
    caught: list[Caught] = field(default_factory=list[Caught])

    async def keep(self, to: str, content: Content, key: str) -> Receipt:
        """Keep ``content``; in the folder first, so that what is in memory can be found there."""
        now = datetime.now(UTC)
        file = await asyncio.to_thread(self.write, to, content, key, now) if self.folder else None
        self.caught.append(Caught(self.channel, to, content, key, now, file))
        del self.caught[:-KEPT]
        return Receipt(provider_message_id=f"caught-{key}", detail=f"Kept as {file.name}." if file else "")

    def write(self, to: str, content: Content, key: str, now: datetime) -> Path:
        """Write ``<time>-<channel>-<to>.<eml|json>``; a number is added where that name is taken."""
        assert self.folder is not None
        if isinstance(content, EmailContent):
            data, ending = as_bytes(mime_message(content, key, date=now)), "eml"
        else:
            data, ending = content.model_dump_json(indent=2).encode(), "json"
        stem = f"{now:%Y%m%dT%H%M%S.%fZ}-{self.channel}-{re.sub(r'[^A-Za-z0-9@.+_-]', '_', to)[:64]}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in names(stem, ending):
                try:
                    # "x": an existing file, or a link that waits there, is never written through.
                    with (self.folder / name).open("xb") as file:
                        file.write(data)
                except FileExistsError:
                    continue
                return self.folder / name
        except OSError as err:
            raise Rejected(
                f"The folder {self.folder.name!r} cannot be written to: {os.strerror(err.errno or 0)}."
            ) from err
        raise AssertionError("there is always another name")


def names(stem: str, ending: str) -> Iterator[str]:
    """File names to try, one after the other."""
    yield f"{stem}.{ending}"
    yield from (f"{stem}-{number}.{ending}" for number in count(2))


def net(channel: str, folder: str | None, http: HttpClient) -> Net:
    """A net for one integration. Whoever may create integrations must not be able to write files on a server."""
    if folder and not http.allow_private:
        raise CredentialsInvalid(
            "A catcher writes into a folder only in development.", hint="Leave `folder` out, or use another provider."
        )
    return Net(channel, Path(folder) if folder else None)


class EmailFolder(EmailCredentials):
    """Where to keep e-mail."""

    folder: str | None = FOLDER


class SmsFolder(SmsCredentials):
    """Where to keep SMS."""

    folder: str | None = FOLDER


class Folder(Credentials):
    """Where to keep messages of the other channels."""

    folder: str | None = FOLDER


class CatcherEmail(EmailProvider[EmailFolder]):
    """Keeps every e-mail."""

    id = "catcher-email"
    supports = EVERY["email"]

    def __init__(self, credentials: EmailFolder, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.net = net(self.channel, credentials.folder, http)

    @property
    def caught(self) -> list[Caught]:
        """What was sent, oldest first."""
        return self.net.caught

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Keep it."""
        return await self.net.keep(content.to, content, key)


class CatcherSms(SmsProvider[SmsFolder]):
    """Keeps every SMS."""

    id = "catcher-sms"
    supports = EVERY["sms"]

    def __init__(self, credentials: SmsFolder, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.net = net(self.channel, credentials.folder, http)

    @property
    def caught(self) -> list[Caught]:
        """What was sent, oldest first."""
        return self.net.caught

    async def send(self, content: SmsContent, key: str) -> Receipt:
        """Keep it."""
        return await self.net.keep(content.to, content, key)


class CatcherPush(PushProvider[Folder]):
    """Keeps every push message."""

    id = "catcher-push"
    supports = EVERY["push"]
    any_address = True

    def __init__(self, credentials: Folder, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.net = net(self.channel, credentials.folder, http)

    @property
    def caught(self) -> list[Caught]:
        """What was sent, oldest first."""
        return self.net.caught

    async def send(self, content: PushContent, key: str) -> Receipt:
        """Keep it, under the number of its devices: a token in a file name would be in every listing."""
        return await self.net.keep(f"{len(content.tokens)}-devices", content, key)


class CatcherChat(ChatProvider[Folder]):
    """Keeps every chat message."""

    id = "catcher-chat"
    supports = EVERY["chat"]
    any_address = True

    def __init__(self, credentials: Folder, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.net = net(self.channel, credentials.folder, http)

    @property
    def caught(self) -> list[Caught]:
        """What was sent, oldest first."""
        return self.net.caught

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Keep it, under its channel: a webhook's URL is the key to it."""
        return await self.net.keep(content.channel or "webhook", content, key)


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The providers of this plugin."""
    return [CatcherEmail, CatcherSms, CatcherPush, CatcherChat]
