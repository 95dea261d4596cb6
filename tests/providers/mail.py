"""Real mail servers on loopback: one that keeps what it gets, and one whose every line a test writes itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from novukit.providers import AnyProvider, Delivery, EmailContent, PluginHost, deliver

from .samples import EMAIL


@dataclass
class Mailbox:
    """An aiosmtpd handler. ``refuse`` answers a command (``MAIL``, ``RCPT``, ``DATA``) or an address."""

    refuse: dict[str, str] = field(default_factory=dict)
    envelopes: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    password: bytes = b"right"
    greetings: list[str] = field(default_factory=list)
    lines: list[SMTP] = field(default_factory=list)
    """The server's ends of all connections so far."""
    resets: int = 0
    port: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def connections(self) -> int:
        """How many there have been."""
        return len(self.lines)

    @property
    def open_connections(self) -> int:
        return sum(line.transport is not None for line in self.lines)

    async def until_closed(self, left: int = 0) -> None:
        """All connections but ``left`` have ended, within five seconds."""
        async with asyncio.timeout(5):
            while self.open_connections > left:
                self.ended.clear()
                await self.ended.wait()

    def hang_up(self) -> None:
        """End all connections without a word, as a server that restarts does."""
        for line in self.lines:
            if line.transport:
                line.transport.abort()

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greetings.append(hostname)
        session.host_name = hostname
        return responses

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.resets += 1
        return "250 OK"

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if answer := self.refuse.get("MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if answer := self.refuse.get(address) or self.refuse.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if answer := self.refuse.get("DATA"):
            return answer
        self.envelopes.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((mechanism, data.login, data.password))
        return AuthResult(success=data.password == self.password, handled=False)


class Server(SMTP):
    """The server's end of one connection, which tells ``box`` of its end."""

    box: Mailbox

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.box.ended.set()


@asynccontextmanager
async def mailbox(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, auth: bool = False, **options: Any
) -> AsyncIterator[Mailbox]:
    """A mail server on a free port of 127.0.0.1; ``tls`` for STARTTLS, or from the first byte if ``implicit``."""
    box = Mailbox()
    loop = asyncio.get_running_loop()

    def session() -> Server:
        authentication = {"authenticator": box.authenticate, "auth_require_tls": False} if auth else {}
        made = Server(
            box, hostname="mail.test", loop=loop, tls_context=None if implicit else tls, **authentication, **options
        )
        made.box = box
        box.lines.append(made)
        return made

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls if implicit else None)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        box.hang_up()
        await server.wait_closed()


def smtp(host: PluginHost, port: int, at: str = "127.0.0.1", **credentials: Any) -> AnyProvider:
    """The smtp provider for a server on loopback; patience of two seconds."""
    return host.build("smtp", {"host": at, "port": port, "timeout": 2, **credentials})


async def send(host: PluginHost, port: int, content: EmailContent = EMAIL, **credentials: Any) -> Delivery:
    """Deliver one message through it."""
    return await deliver(smtp(host, port, **credentials), content, "key-1")


Script = Callable[["Line"], Awaitable[None]]


class Line:
    """The server's end of one conversation."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()

    async def hear(self) -> str:
        return (await self.reader.readline()).decode().strip()

    async def until_data(self, *, answer_data: str = "354 Go on") -> None:
        """Everything up to DATA, politely."""
        await self.say("220 mail.test")
        await self.until_data_again(answer_data=answer_data)

    async def until_data_again(self, *, answer_data: str = "354 Go on") -> None:
        """The same on a connection that is greeted already."""
        while (heard := await self.hear()) != "DATA":
            if not heard:
                raise ConnectionError
            await self.say("250 OK")
        await self.say(answer_data)

    async def message(self) -> bytes:
        return await self.reader.readuntil(b"\r\n.\r\n")

    def cut(self) -> None:
        self.writer.transport.abort()

    async def silence(self) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[int]:
    """A server that does what ``script`` says; gives its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await script(Line(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for 127.0.0.1 and localhost, and the file of the authority to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, pem
