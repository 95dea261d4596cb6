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

import aiosmtplib
from pydantic import SecretStr

from novukit.model import Reason
from novukit.providers import ProviderError, RecipientGone, Rejected, Unavailable, Unknown

# Enhanced status codes (RFC 3463 §3.2) that tell of the recipient's address; 5.1.7 and 5.1.8 tell of the sender's.
NO_SUCH_ADDRESS = re.compile(r"5\.1\.(1|2|3|6|10)\b")
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
FAREWELL_SECONDS = 2.0
AUTHENTICATION_REQUIRED = 530


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

    @property
    def is_loopback(self) -> bool:
        """Whether the server runs on this machine, so that nobody can listen in between."""
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host.lower().rstrip(".") == "localhost"


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
            local_hostname=own_name(),
        )
        self.ready_by = asyncio.get_running_loop().time() + connection.timeout

    @classmethod
    async def open(cls, connection: Connection) -> Session:
        """Connect, greet, encrypt and log in. Nothing is sent by this, so that every failure is definite."""
        session = cls(connection)
        try:
            with definite(connection.host):
                async with asyncio.timeout_at(session.ready_by):
                    await session._enter()
        except BaseException:
            session.client.close()
            raise
        return session

    async def transmit(
        self, *, sender: str, to: str, copies: Sequence[str], data: bytes, utf8: bool = False
    ) -> list[str]:
        """Hand one message over. Returns the copies that the server refused, each with its words.

        Raises RecipientGone, Rejected or Unavailable when ``to`` or the message was refused, and Unknown when the
        connection was lost between the message's last byte and the answer to it.
        """
        with definite(self.connection.host):
            async with asyncio.timeout_at(self.ready_by):
                refused = await self._address(sender, to, copies, data, utf8=utf8)
                answer = await self.client.execute_command(b"DATA")
                if answer.code != aiosmtplib.SMTPStatus.start_input:
                    raise aiosmtplib.SMTPDataError(answer.code, answer.message)
            if self.client.protocol is None:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            protocol = self.client.protocol
            protocol.write(LEADING_DOT.sub(b"..", data) + (b"" if data.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        # From here on the server may have the message.
        try:
            async with asyncio.timeout(self.connection.timeout):
                answer = await protocol.read_response()
        except (aiosmtplib.SMTPException, OSError) as err:
            raise Unknown(f"{self.connection.host} took the message and did not answer: {words(err)}") from err
        if 200 <= answer.code < 300:
            return refused
        if 400 <= answer.code < 600:
            raise by_code(answer.code, answer.message)
        raise Unknown(f"{self.connection.host} answered {answer.code} to the message.")

    def close(self) -> None:
        """Say good-bye without waiting for the answer: the message's fate is known, and time may be short."""
        if self.client.protocol is not None and self.client.is_connected:
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
        client.local_hostname = own_name(str(client.get_transport_info("sockname")[0]))
        await greet(client)
        encrypted = connection.secure
        offered = client.supports_extension("starttls")
        if connection.require_tls and not encrypted and not offered:
            raise Rejected(f"{connection.host} offers no STARTTLS, and requireTls is set.")
        if offered and not encrypted and not connection.ignore_tls:
            await client.starttls()
            await greet(client)
            encrypted = True
        if connection.user is not None:
            if not (encrypted or connection.ignore_tls or connection.is_loopback):
                raise Rejected(
                    f"{connection.host} offers no encryption; the password would be readable on the way. "
                    "Set ignoreTls to send it all the same.",
                    reason=Reason.CREDENTIALS_INVALID,
                )
            password = connection.password.get_secret_value() if connection.password else ""
            await log_in(client, connection.user, password, encrypted=encrypted)

    async def _address(self, sender: str, to: str, copies: Sequence[str], data: bytes, *, utf8: bool) -> list[str]:
        client, encoding = self.client, "ascii"
        options = [f"SIZE={len(data)}"] if client.supports_extension("size") else []
        if utf8:
            if not client.supports_extension("smtputf8"):
                raise Rejected(
                    f"{self.connection.host} takes no addresses outside ASCII (SMTPUTF8).",
                    reason=Reason.CONTENT_INVALID,
                )
            encoding, options = "utf-8", [*options, "SMTPUTF8"]
        await client.mail(sender, options=options, encoding=encoding)
        await client.rcpt(to, encoding=encoding)
        refused: list[str] = []
        for copy in copies:
            try:
                await client.rcpt(copy, encoding=encoding)
            except aiosmtplib.SMTPRecipientRefused as err:
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


async def log_in(client: aiosmtplib.SMTP, user: str, password: str, *, encrypted: bool) -> None:
    """Log in by the first mechanism that both sides know.

    Another one is tried only when the server does not know the first after all: a wrong password tried three times
    locks an account.
    """
    mechanisms = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
    order = ("plain", "login", "cram-md5") if encrypted else ("cram-md5", "plain", "login")
    shared = [name for name in order if name in client.server_auth_methods]
    for name in shared:
        try:
            await mechanisms[name](user, password)
        except aiosmtplib.SMTPAuthenticationError as err:
            if err.code != aiosmtplib.SMTPStatus.parameter_not_implemented or name == shared[-1]:
                raise
        else:
            return
    raise Rejected("The server offers no login that novukit knows.", reason=Reason.CREDENTIALS_INVALID)


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
        raise Unavailable(f"{host} could not be talked to: {words(err)}") from err
    except UnicodeError as err:
        raise Rejected(f"{host[:64]!r}, or what is to be sent to it, cannot be written in SMTP.") from err


def by_code(code: int, message: str) -> ProviderError:
    """What a reply code (RFC 5321 §4.2.1) stands for, as long as the server says it itself."""
    said = f"answered {code}: {message}"
    if code == AUTHENTICATION_REQUIRED:
        return Rejected(said, reason=Reason.CREDENTIALS_INVALID)
    return Rejected(said) if 500 <= code < 600 else Unavailable(said)


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
