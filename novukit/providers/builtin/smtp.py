"""``smtp``: e-mail through any server that speaks SMTP (RFC 5321), signed by DKIM, over connections that are kept."""

from __future__ import annotations

import asyncio
import logging
import ssl

from novukit.errors import PluginInvalid
from novukit.model import Reason
from novukit.providers import (
    AnyProvider,
    EmailContent,
    EmailProvider,
    HttpClient,
    Receipt,
    Rejected,
    as_bytes,
    envelope_sender,
    hookimpl,
    mime_message,
    needs_utf8,
    recipients,
)  # fmt: skip

from . import smtp_dkim
from .smtp_credentials import SmtpCredentials
from .smtp_pool import LINE_SECONDS, Pool
from .smtp_session import Connection, Mail, Session

log = logging.getLogger("novukit.providers.smtp")


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
        self.signer = signer_of(credentials)
        # Once in line, once to be ready for the message, once for the answer to it: a session ends by itself before it
        # is cut off, which would leave the outcome unknown.
        self.timeout = LINE_SECONDS + 2 * credentials.timeout + 5
        self.pool = Pool(
            self.session,
            connections=credentials.connections,
            messages=credentials.messages_per_connection,
            idle=credentials.idle,
            patience=credentials.timeout,
        )
        self._tls: ssl.SSLContext | None = None
        self._warned: set[str] = set()

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand the message over on a connection of the pool."""
        message = mime_message(content, key)
        message_id = str(message["Message-ID"])
        to, *copies = recipients(content)
        sender = self.return_path(content, message_id, to)
        data = as_bytes(message)
        if self.signer is not None:
            # Milliseconds of arithmetic, and not on the event loop.
            data = await asyncio.to_thread(self.signer.sign, data)
        utf8 = needs_utf8(message) or not all(address.isascii() for address in (sender, *copies))
        # Ahead of the pool, for it is not the server that this waits for.
        await self._context()
        refused = await self.pool.transmit(Mail(sender, to, copies, data, utf8))
        detail = f"Refused copies: {'; '.join(refused)}" if refused else ""
        return Receipt(provider_message_id=message_id, detail=detail)

    async def check(self) -> None:
        """Connect, greet, log in, and leave."""
        await self._context()
        session = await self.session(asyncio.get_running_loop().time() + self.credentials.timeout)
        await session.leave()

    async def close(self) -> None:
        """Close the connections that are kept."""
        await self.pool.close()

    async def session(self, ready_by: float) -> Session:
        """A new connection that is ready for a message by ``ready_by``, a moment of the loop's clock."""
        given = self.credentials
        session = await Session.open(
            Connection(
                host=given.host,
                port=given.port,
                user=given.user,
                password=given.password,
                secure=given.secure,
                require_tls=given.require_tls,
                ignore_tls=given.ignore_tls,
                timeout=given.timeout,
                tls=await self._context(),
                client_name=given.client_name,
                auth=given.auth,
            ),
            ready_by,
        )
        if not session.is_encrypted and not session.connection.is_loopback:
            self._warn("the connection to %s is not encrypted: everyone on the way can read the messages")
        return session

    def return_path(self, content: EmailContent, message_id: str, to: str) -> str:
        """Where bounces go (the envelope's sender): the message's sender, or what the credentials make of it."""
        if (template := self.credentials.return_path) is None:
            return envelope_sender(content)
        own = message_id[1:].partition("@")[0]
        # The recipient's address as a part of another one, as VERP has it.
        path = template.replace("{id}", own).replace("{to}", to.replace("@", "="))
        return envelope_sender(content.model_copy(update={"sender": path}))

    async def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            given = self.credentials
            # Reading the authorities' certificates takes tens of milliseconds: once, and not on the event loop.
            try:
                context = await asyncio.to_thread(
                    ssl.create_default_context, cafile=given.ca_file, cadata=given.authorities
                )
            except OSError as err:  # ssl.SSLError is one
                said = f"The authorities in {given.ca_file} could not be read: {err}"
                raise Rejected(said, reason=Reason.CREDENTIALS_INVALID) from err
            if not given.verifies:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                self._warn("the certificate of %s is not verified: whoever sits in between can read the messages")
            self._tls = context
        return self._tls

    def _warn(self, said: str) -> None:
        """Say it once for each integration, not for each connection."""
        if said not in self._warned:
            self._warned.add(said)
            log.warning(said, self.credentials.host)


def signer_of(given: SmtpCredentials) -> smtp_dkim.Signer | None:
    """What signs, where a key is given. Raises PluginInvalid where the library is missing."""
    if given.dkim_key is None or given.dkim_domain is None or given.dkim_selector is None:
        return None
    if not smtp_dkim.is_installed():
        raise PluginInvalid("DKIM needs the package dkimpy.", hint="Install it with: pip install 'novukit[dkim]'")
    key = smtp_dkim.signing_key(given.dkim_key.get_secret_value())
    return smtp_dkim.Signer(given.dkim_domain, given.dkim_selector, key)


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Smtp]
