"""A provider that wants HTTP/2 speaks it, over the same guarded client; and our requests are in nobody's log."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded

from novukit.providers import AddressRefused, HttpClient

from .samples import Post, post
from .web import web_server

pytestmark = pytest.mark.anyio


def certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, as one PEM file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
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
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


class Server:
    """An HTTP/2 server that answers 200, and notes connections and paths."""

    def __init__(self) -> None:
        self.connections, self.paths, self.port = 0, list[str](), 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived):
                    self.paths.append(dict(event.headers)[":path"])
                elif isinstance(event, StreamEnded):
                    connection.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
            writer.write(connection.data_to_send())
        writer.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """It offers HTTP/2 alone."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate(tmp_path))
    context.set_alpn_protocols(["h2"])
    made = Server()
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    made.port = listener.sockets[0].getsockname()[1]
    yield made
    listener.close()
    await listener.wait_closed()


async def test_many_requests_share_one_http2_connection(server: Server, tmp_path: Path) -> None:
    """A provider with ``http2`` gets them over ``self.http``, and an own authority can be trusted."""

    class Fast(Post):
        id = "fast"
        http2 = True

    http = HttpClient(allow_private=True, ca_file=str(tmp_path / "server.pem"))
    provider = Fast(post(http).credentials, http)
    url = f"https://127.0.0.1:{server.port}"
    await provider.http.post(f"{url}/first", json={})

    answers = await asyncio.gather(*(provider.http.post(f"{url}/{number}", json={}) for number in range(20)))
    await http.aclose()

    assert {answer.status_code for answer in answers} == {200}
    assert (server.connections, len(server.paths)) == (1, 21)
    assert http.over_http2() is http.over_http2() is http.over_http2().over_http2()


async def test_accounts_that_must_not_share_a_connection_do_not(server: Server, tmp_path: Path) -> None:
    """Each has its own, kept for the next request; all are closed with the client."""
    http = HttpClient(allow_private=True, ca_file=str(tmp_path / "server.pem"))
    for whose in ("", "one", "other", "one", ""):
        await http.over_http2(whose).post(f"https://127.0.0.1:{server.port}/{whose}", json={})
    assert (server.connections, len(server.paths)) == (3, 5)

    await http.aclose()
    await http.over_http2("one").post(f"https://127.0.0.1:{server.port}/", json={})
    await http.aclose()

    assert server.connections == 4


async def test_the_guard_stands_before_http2_too(server: Server) -> None:
    """A private address is refused, whatever would be spoken there."""
    http = HttpClient(ports={server.port}).over_http2()

    with pytest.raises(AddressRefused):
        await http.post(f"https://127.0.0.1:{server.port}/x", json={})
    await http.aclose()

    assert server.connections == 0


async def test_our_requests_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """httpx tells every URL, and some have a secret in them."""
    with caplog.at_level(logging.DEBUG):
        async with web_server() as web:
            http = HttpClient(allow_private=True)
            await http.post(f"{web.url}/s3cret-token", json={}, headers={"X-Key": "s3cret-key"})
            await http.aclose()

    assert "s3cret" not in caplog.text
