"""``smtp``: e-mail through any server that speaks SMTP (RFC 5321), one connection for each message."""

from __future__ import annotations

import asyncio
import ssl

from pydantic import Field, SecretStr, model_validator

from novukit.providers import (
    AnyProvider,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    HttpClient,
    Receipt,
    as_bytes,
    envelope_sender,
    hookimpl,
    mime_message,
    needs_utf8,
    recipients,
)  # fmt: skip

from .smtp_session import Connection, Session


class SmtpCredentials(EmailCredentials):
    """Where the server is, and who we are to it."""

    host: str = Field(
        min_length=1, max_length=253, pattern=r"^[^\s/@]+$", description="Host name or address of the server."
    )
    port: int = Field(default=587, ge=1, le=65535, description="587 for STARTTLS, 465 with `secure`, 25 for relays.")
    user: str | None = Field(default=None, description="User name, if the server asks for one.")
    password: SecretStr | None = Field(default=None, description="Password, if the server asks for one.")
    secure: bool = Field(default=False, description="Use TLS from the first byte (usually port 465).")
    require_tls: bool = Field(default=False, description="Refuse to send unless the server offers STARTTLS.")
    ignore_tls: bool = Field(default=False, description="Send in the clear even if the server offers STARTTLS.")
    timeout: float = Field(default=10.0, gt=0, le=120, description="Seconds until the server must have answered.")

    @model_validator(mode="after")
    def _tls_makes_sense(self) -> SmtpCredentials:
        if self.ignore_tls and (self.require_tls or self.secure):
            raise ValueError("ignoreTls contradicts requireTls and secure")
        if self.password and not self.user:
            raise ValueError("a password needs a user")
        if self.user and not self.password:
            raise ValueError("a user needs a password")
        return self


class Smtp(EmailProvider[SmtpCredentials]):
    """Sends through an SMTP server.

    The Message-ID depends only on the idempotency key, so that a receiver can tell a second copy from a second message;
    the server itself sends twice what it is given twice.
    """

    id = "smtp"
    name = "SMTP"
    novu_id = "nodemailer"
    supports = frozenset({"cc", "bcc", "reply_to", "headers", "attachments"})

    def __init__(self, credentials: SmtpCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        # Once to be ready for the message, once for the answer to it: a session ends by itself before it is cut off.
        self.timeout = 2 * credentials.timeout + 5
        self._tls: ssl.SSLContext | None = None

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Connect, hand the message over, and say good-bye."""
        message = mime_message(content, key)
        to, *copies = recipients(content)
        session = await self.session()
        try:
            refused = await session.transmit(
                sender=envelope_sender(content),
                to=to,
                copies=copies,
                data=as_bytes(message),
                utf8=needs_utf8(message) or not all(address.isascii() for address in copies),
            )
        finally:
            session.close()
        detail = f"Refused copies: {'; '.join(refused)}" if refused else ""
        return Receipt(provider_message_id=str(message["Message-ID"]), detail=detail)

    async def check(self) -> None:
        """Connect, greet, log in, and leave."""
        session = await self.session()
        await session.leave()

    async def session(self) -> Session:
        """A session that is ready for a message: the place where a pool would hand one out."""
        if self._tls is None:
            # Reading the authorities' certificates takes tens of milliseconds: once, and not on the event loop.
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        given = self.credentials
        return await Session.open(
            Connection(
                host=given.host,
                port=given.port,
                user=given.user,
                password=given.password,
                secure=given.secure,
                require_tls=given.require_tls,
                ignore_tls=given.ignore_tls,
                timeout=given.timeout,
                tls=self._tls,
            )
        )


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Smtp]
