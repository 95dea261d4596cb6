"""One conversation with an SMTP server, which knows at each moment whether the message may have been taken."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

import aiosmtplib
from pydantic import SecretStr

from novukit.model import Reason
from novukit.providers import ProviderError, RecipientGone, Rejected, Throttled, Unavailable, Unknown
from novukit.providers.flight import CURRENT

# Enhanced status codes (RFC 3463 §3.2) that tell of the recipient's address; 5.1.7 and 5.1.8 tell of the sender's.
NO_SUCH_ADDRESS = re.compile(r"5\.1\.(1|2|3|6|10)\b")
# 5.3.4 (RFC 3463 §3.4) and 5.2.3 (§3.3): longer than the server, or the recipient's mailbox, takes.
TOO_LONG = re.compile(r"5\.(3\.4|2\.3)\b")
# 4.4.5 (RFC 3463 §3.5) is congestion; 4.7.28 is how Google says that we send too much.
TOO_FAST = re.compile(r"4\.(4\.5|7\.28)\b")
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
FAREWELL_SECONDS = 2.0
RESET_SECONDS = 2.0
"""How long a connection that was used before may take to show that it still lives."""
CLOSING = 421
AUTHENTICATION_REQUIRED = 530

Mechanism = Literal["auto", "plain", "login", "cram-md5", "xoauth2"]
"""How to log in. ``auto`` is the first of plain, login and cram-md5 that both sides know."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to get to the server and into it. ``timeout`` is in seconds."""

    host: str
    port: int
    user: str | None
    password: SecretStr | None
    secure: bool
    require_tls: bool
    ignore_tls: bool
    timeout: float
    tls: ssl.SSLContext
    client_name: str | None = None
    auth: Mechanism = "auto"

    @property
    def is_loopback(self) -> bool:
        """Whether the server runs on this machine, so that nobody can listen in between."""
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host.lower().rstrip(".") == "localhost"


@dataclass(frozen=True, slots=True)
class Mail:
    """A message and its envelope. ``utf8`` is whether an address needs SMTPUTF8 (RFC 6531)."""

    sender: str
    to: str
    copies: Sequence[str]
    data: bytes
    utf8: bool = False


class Broken(Unavailable):
    """The conversation itself failed before the message was handed over: a fresh connection may do better."""


class Session:
    """A connection that is greeted, encrypted and logged in as asked."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = aiosmtplib.SMTP(
            hostname=connection.host,
            port=connection.port,
            use_tls=connection.secure,
            start_tls=False,
            tls_context=connection.tls,
            timeout=connection.timeout,
            local_hostname=connection.client_name or own_name(),
        )
        self.is_encrypted = connection.secure
        self.messages = 0
        """How many were tried on this connection."""
        self._clear = True

    @classmethod
    async def open(cls, connection: Connection, ready_by: float) -> Session:
        """Connect, greet, encrypt and log in until ``ready_by``, a moment of the loop's clock.

        Nothing is sent by this, so that every failure is definite.
        """
        session = cls(connection)
        try:
            with definite(connection.host):
                async with asyncio.timeout_at(ready_by):
                    await session._enter()
        except BaseException:
            session.client.close()
            raise
        return session

    @property
    def is_connected(self) -> bool:
        """Whether nothing has been seen of the connection's end."""
        return self.client.is_connected

    @property
    def is_reusable(self) -> bool:
        """Whether both sides know where the conversation stands, so that another message may follow."""
        return self._clear and self.is_connected

    async def reset(self) -> bool:
        """Begin anew on a connection that was used before; whether the server is still there to do so."""
        try:
            async with asyncio.timeout(min(RESET_SECONDS, self.connection.timeout / 2)):
                await self.client.rset()
        except (aiosmtplib.SMTPException, OSError):
            return False
        return self.is_connected

    async def transmit(self, mail: Mail, ready_by: float) -> list[str]:
        """Hand one message over. Returns the copies that the server refused, each with its words.

        Until ``ready_by``, a moment of the loop's clock, the server must have said that it is ready for the text.
        Raises RecipientGone, Rejected, Throttled or Unavailable when ``mail.to`` or the message was refused, Broken
        when the conversation failed before the text, and Unknown when it failed between the text and the answer.
        """
        self.messages += 1
        # Whatever ends this early, being cancelled too, leaves a connection of which nobody knows where it stands.
        self._clear = False
        flight = CURRENT.get()
        try:
            with definite(self.connection.host):
                async with asyncio.timeout_at(ready_by):
                    refused = await self._address(mail)
                    answer = await self.client.execute_command(b"DATA")
                    if answer.code != aiosmtplib.SMTPStatus.start_input:
                        raise aiosmtplib.SMTPDataError(answer.code, answer.message)
                if self.client.protocol is None:
                    raise aiosmtplib.SMTPServerDisconnected("Connection lost")
                protocol = self.client.protocol
                text = LEADING_DOT.sub(b"..", mail.data) + (b"" if mail.data.endswith(b"\r\n") else b"\r\n")
                if flight is not None:
                    flight.depart()
                protocol.write(text + b".\r\n")
        except ProviderError as err:
            # Held back after DATA: the server waits for a text that does not come.
            self._clear = not isinstance(err, Broken) and not (flight is not None and flight.held_back)
            raise
        # From here on the server may have the message.
        try:
            async with asyncio.timeout(self.connection.timeout):
                answer = await protocol.read_response()
        except (aiosmtplib.SMTPException, OSError) as err:
            raise Unknown(f"{self.connection.host} took the message and did not answer: {words(err)}") from err
        if not 200 <= answer.code < 300 and not 400 <= answer.code < 600:
            raise Unknown(f"{self.connection.host} answered {answer.code} to the message.")
        self._clear = answer.code != CLOSING
        if answer.code >= 400:
            raise by_code(answer.code, answer.message)
        return refused

    def close(self) -> None:
        """Say good-bye without waiting for the answer: the message's fate is known, and time may be short."""
        # In an unclear state QUIT might be read as a line of the message.
        if self._clear and self.client.protocol is not None and self.client.is_connected:
            self.client.protocol.write(b"QUIT\r\n")
        self.client.close()

    async def leave(self) -> None:
        """Say good-bye and wait for the answer, for two seconds at most."""
        try:
            await self.client.quit(timeout=FAREWELL_SECONDS)
        except (aiosmtplib.SMTPException, OSError):
            self.client.close()

    async def _enter(self) -> None:
        client, connection = self.client, self.connection
        await client.connect()
        if not connection.client_name:
            client.local_hostname = own_name(str(client.get_transport_info("sockname")[0]))
        await greet(client)
        offered = client.supports_extension("starttls")
        if connection.require_tls and not self.is_encrypted and not offered:
            raise Rejected(f"{connection.host} offers no STARTTLS, and requireTls is set.")
        if offered and not self.is_encrypted and not connection.ignore_tls:
            await client.starttls()
            await greet(client)
            self.is_encrypted = True
        if connection.user is not None:
            if not (self.is_encrypted or connection.ignore_tls or connection.is_loopback):
                raise Rejected(
                    f"{connection.host} offers no encryption; the password would be readable on the way. "
                    "Set ignoreTls to send it all the same.",
                    reason=Reason.CREDENTIALS_INVALID,
                )
            password = connection.password.get_secret_value() if connection.password else ""
            await log_in(client, connection.user, password, by=connection.auth, encrypted=self.is_encrypted)

    async def _address(self, mail: Mail) -> list[str]:
        client, encoding = self.client, "ascii"
        options = [f"SIZE={len(mail.data)}"] if client.supports_extension("size") else []
        if mail.utf8:
            if not client.supports_extension("smtputf8"):
                raise Rejected(
                    f"{self.connection.host} takes no addresses outside ASCII (SMTPUTF8).",
                    reason=Reason.CONTENT_INVALID,
                )
            encoding, options = "utf-8", [*options, "SMTPUTF8"]
        await client.mail(mail.sender, options=options, encoding=encoding)
        await client.rcpt(mail.to, encoding=encoding)
        refused: list[str] = []
        for copy in mail.copies:
            try:
                await client.rcpt(copy, encoding=encoding)
            except aiosmtplib.SMTPRecipientRefused as err:
                if err.code == CLOSING:
                    raise
                refused.append(f"{copy} ({err.code} {err.message})")
        return refused


async def greet(client: aiosmtplib.SMTP) -> None:
    """EHLO, or HELO for a server that knows nothing newer."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


async def log_in(client: aiosmtplib.SMTP, user: str, password: str, *, by: Mechanism, encrypted: bool) -> None:
    """Log in by ``by``, or for ``auto`` by the first mechanism that both sides know.

    Another one is tried only when the server does not know the first after all: a wrong password tried three times
    locks an account.
    """
    mechanisms = {
        "plain": client.auth_plain,
        "login": client.auth_login,
        "cram-md5": client.auth_crammd5,
        "xoauth2": client.auth_xoauth2,
    }
    order = ("plain", "login", "cram-md5") if encrypted else ("cram-md5", "plain", "login")
    if by != "auto":
        order = (by,)
    shared = [name for name in order if name in client.server_auth_methods]
    for name in shared:
        try:
            await mechanisms[name](user, password)
        except aiosmtplib.SMTPAuthenticationError as err:
            if err.code != aiosmtplib.SMTPStatus.parameter_not_implemented or name == shared[-1]:
                raise
        else:
            return
    wanted = "that novukit knows" if by == "auto" else f"by {by}"
    raise Rejected(f"The server offers no login {wanted}.", reason=Reason.CREDENTIALS_INVALID)


@contextmanager
def definite(host: str) -> Generator[None]:
    """Make outcomes of the failures of a conversation in which no message has been handed over yet."""
    try:
        yield
    except aiosmtplib.SMTPRecipientRefused as err:
        # Copies that are refused do not come this far.
        if NO_SUCH_ADDRESS.match(err.message):
            raise RecipientGone(f"answered {err.code}: {err.message}") from err
        raise by_code(err.code, err.message) from err
    except aiosmtplib.SMTPAuthenticationError as err:
        if 400 <= err.code < 500:
            raise Unavailable(f"answered {err.code} to the login: {err.message}") from err
        raise Rejected(f"answered {err.code} to the login: {err.message}", reason=Reason.CREDENTIALS_INVALID) from err
    except aiosmtplib.SMTPResponseException as err:
        raise by_code(err.code, err.message) from err
    except aiosmtplib.SMTPNotSupported as err:
        raise Rejected(f"{host}: {words(err)}") from err
    except (aiosmtplib.SMTPException, OSError) as err:
        # TimeoutError and ssl.SSLError are OSErrors.
        raise Broken(f"{host} could not be talked to: {words(err)}") from err
    except UnicodeError as err:
        raise Rejected(f"{host[:64]!r}, or what is to be sent to it, cannot be written in SMTP.") from err


def by_code(code: int, message: str) -> ProviderError:
    """What a reply code (RFC 5321 §4.2.1) and an enhanced one (RFC 3463) stand for, if the server says it itself."""
    said = f"answered {code}: {message}"
    if code == CLOSING or not 400 <= code < 600:
        return Broken(said)
    if code < 500:
        return Throttled(said) if TOO_FAST.match(message) else Unavailable(said)
    if code == AUTHENTICATION_REQUIRED:
        return Rejected(said, reason=Reason.CREDENTIALS_INVALID)
    return Rejected(said, reason=Reason.CONTENT_INVALID if TOO_LONG.match(message) else None)


def words(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return str(error) or type(error).__name__


def own_name(address: str = "127.0.0.1") -> str:
    """Our name in EHLO: this machine's full name, else its address as a literal (RFC 5321 §4.1.3).

    ``socket.getfqdn`` would know more, but may ask a resolver for as long as that takes.
    """
    name = socket.gethostname()
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name):
        return name
    return f"[IPv6:{address.partition('%')[0]}]" if ":" in address else f"[{address}]"
