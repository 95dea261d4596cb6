"""A provider that wants HTTP/2 speaks it: with a server behind TLS that offers nothing else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from ...providers import Headers, HttpClient, Outcome, deliver
from .kit import KEY, Conformance, applies, expect, made
from .samples import sample
from .server import Server
from .vendor import Answer, Request

if TYPE_CHECKING:
    from h2.connection import H2Connection

AT_ONCE = 20


def certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, as one PEM file."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = folder / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    return path


class Http2Server(Server):
    """The same server, in HTTP/2 (RFC 9113)."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests on one connection, many at a time."""
        from h2.config import H2Configuration
        from h2.connection import H2Connection
        from h2.events import DataReceived, RequestReceived, StreamEnded
        from h2.exceptions import ProtocolError

        self.connections += 1
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        heads: dict[int, Headers] = {}
        bodies: dict[int, bytes] = {}
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            try:
                events = connection.receive_data(data)
            except ProtocolError:  # not HTTP/2
                break
            for event in events:
                if isinstance(event, RequestReceived):
                    pairs = cast("list[tuple[str, str]]", event.headers)
                    heads[event.stream_id], bodies[event.stream_id] = Headers(list(pairs)), b""
                elif isinstance(event, DataReceived):
                    bodies[event.stream_id] += event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    head = heads[event.stream_id]
                    request = Request(head[":method"], head[":path"], head, bodies[event.stream_id])
                    reply(connection, event.stream_id, self.answered(request))
            writer.write(connection.data_to_send())
            await writer.drain()
        writer.close()


def reply(connection: H2Connection, stream: int, answer: Answer) -> None:
    """``answer`` on its stream."""
    head, _, body = answer.bytes().partition(b"\r\n\r\n")
    lines = [line.partition(": ")[::2] for line in head.decode("latin-1").split("\r\n")[1:]]
    headers = [(name.lower(), value) for name, value in lines]
    connection.send_headers(stream, [(":status", str(answer.status)), *headers])
    connection.send_data(stream, body, end_stream=True)


@asynccontextmanager
async def serving(server: Server, pem: Path) -> AsyncGenerator[None, None]:
    """``server`` behind TLS on a free port of 127.0.0.1, which offers HTTP/2 alone."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2"])
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        listener.close()
        await listener.wait_closed()


class Http2Tests(Conformance):
    """What ``http2 = True`` promises."""

    @applies(lambda kit: kit.provider.http2)
    async def test_it_speaks_http2(self) -> None:
        """Over one connection, however many messages go out at once."""
        vendor = self.vendor
        with TemporaryDirectory() as folder:
            pem = certificate(Path(folder))
            server = Http2Server(vendor.accepted, vendor.routes)
            async with serving(server, pem):
                http = HttpClient(allow_private=True, ca_file=str(pem))
                provider = made(self.provider, vendor, http, f"https://127.0.0.1:{server.port}")
                content = sample(provider.channel, vendor.content)
                first = await deliver(provider, content, KEY)
                rest = await asyncio.gather(*(deliver(provider, content, f"{KEY}-{n}") for n in range(AT_ONCE)))
                await provider.close()
                await http.aclose()
        for delivery in (first, *rest):
            expect(
                delivery, Outcome.ACCEPTED, "a server that speaks HTTP/2 alone gave `Vendor.accepted`. Use `self.http`."
            )
        assert len(server.sent) == AT_ONCE + 1
        assert server.connections == 1, f"It took {server.connections} connections. Send all over `self.http`."
