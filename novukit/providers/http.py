"""``HttpClient``: the one guarded way out for every provider that speaks HTTP."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Collection, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.util import find_spec
from typing import Any

import httpcore
import httpx

from ..errors import AddressRefused, PluginInvalid
from . import flight, logs
from .guard import GuardedBackend, Resolver, resolve
from .outcome import Rejected, Unavailable, Unknown

PORTS = frozenset({80, 443, 8080, 8443})
BODY_LIMIT = 1_000_000
CONNECT_SECONDS = 5.0
USER_AGENT = "novukit"
# What resolvers and TLS know as a name or an address; httpx has made ASCII of international names (raw_host).
HOST = re.compile(r"[^\s/?#@%\\]{1,253}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Headers = Mapping[str, str]
Params = Mapping[str, str | int | float | bool | None]


class HttpClient:
    """An HTTP client for talking to a provider, shared by all of them.

    It differs from a bare httpx client in what a notification system must not leave to chance:

    - It follows no redirect, reads no proxy or credentials from the environment, and keeps no cookies.
    - It connects only to public addresses, checked after the name was resolved, and only to ``ports``
      (by default 80, 443, 8080, 8443), with ``https``. ``allow_private`` is for development: it lets private and
      loopback addresses, any port and ``http`` through. Otherwise it raises AddressRefused.
    - It reads at most 1 MB of an answer; what is longer, broken or endless is cut there (see ``read_json``).
    - A network that fails becomes an outcome. Nothing left: Unavailable. It may have: Unknown. Never an httpx error.

    ``timeout`` is in seconds, for writing the request, for the answer to begin, and again for reading it to its end.
    ``ca_file`` is a PEM file with certificate authorities to trust beside the usual ones. ``transport`` replaces the
    network in tests.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        ports: Collection[int] = PORTS,
        timeout: float = 10.0,
        resolver: Resolver = resolve,
        ca_file: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        http2: bool = False,
    ) -> None:
        self.allow_private = allow_private
        self.ports = frozenset(ports)
        self.timeout = timeout
        self._resolver = resolver
        self._transport = transport
        self._ca_file = ca_file
        self._http2 = http2
        self._others: dict[str, HttpClient] = {}
        self._client: httpx.AsyncClient | None = None

    def over_http2(self, whose: str = "") -> HttpClient:
        """The same client on connections of its own that speak HTTP/2 where the server does; closed with this one.

        Each ``whose`` has connections apart, for vendors that want one account on a connection. Raises PluginInvalid
        where the package ``h2`` is missing.
        """
        if self._http2:
            return self
        if find_spec("h2") is None:
            raise PluginInvalid("HTTP/2 needs the package h2.", hint="Install it with: pip install 'novukit[http2]'")
        if whose not in self._others:
            self._others[whose] = HttpClient(
                allow_private=self.allow_private, ports=self.ports, timeout=self.timeout, resolver=self._resolver,
                ca_file=self._ca_file, transport=self._transport, http2=True,
            )  # fmt: skip
        return self._others[whose]

    async def get(self, url: str, *, params: Params | None = None, headers: Headers | None = None) -> httpx.Response:
        """``request`` with GET."""
        return await self.request("GET", url, params=params, headers=headers)

    async def post(
        self,
        url: str,
        *,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        files: Any = None,
        params: Params | None = None,
        headers: Headers | None = None,
        auth: tuple[str, str] | None = None,
        sends: bool = True,
    ) -> httpx.Response:
        """``request`` with POST."""
        return await self.request(
            "POST", url, json=json, data=data, content=content, files=files, params=params, headers=headers, auth=auth,
            sends=sends,
        )  # fmt: skip

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        files: Any = None,
        params: Params | None = None,
        headers: Headers | None = None,
        auth: tuple[str, str] | None = None,
        sends: bool | None = None,
    ) -> httpx.Response:
        """Ask, and return the answer, whatever its status, with its body read.

        ``params`` are added to the query that ``url`` has, and stand in for those of the same name. ``auth`` is a user
        and a password (basic authentication). ``sends`` says whether this request can make the message go out; it is
        true unless the method is GET, HEAD or OPTIONS. Set it to False for a request that only prepares, such as
        fetching a token: if its answer is lost, the message was certainly not sent.

        Raises Unavailable when no byte of a sending request left, Unknown when the answer was lost, Rejected when the
        request cannot be written, and AddressRefused.
        """
        if sends is None:
            sends = method.upper() not in SAFE_METHODS
        current = flight.CURRENT.get() or flight.Flight()
        current.observed = True
        departed = self._transport is not None

        async def trace(event: str, _: Mapping[str, Any]) -> None:
            nonlocal departed
            if event.endswith("send_request_headers.started"):
                if sends:
                    current.depart()
                departed = True

        client = self._client = self._client or self._open()
        try:
            target = self._checked(url)
            if params:
                # httpx would put them in the place of the URL's own, and with them of the keys in a webhook's URL.
                target = target.copy_merge_params(params)
            request = client.build_request(
                method, target, json=json, data=data, content=content, files=files, headers=headers,
                extensions={"trace": trace, "timeout": self._timeouts()},
            )  # fmt: skip
        except (TypeError, ValueError) as err:
            # A header with an illegal character, or JSON that is none. UnicodeError is a ValueError.
            raise Rejected(f"The request could not be written: {type(err).__name__}: {err}") from err
        host = target.host
        if departed and sends:
            current.depart()
        quiet = logs.OURS.set(True)
        try:
            response = await client.send(request, stream=True, auth=httpx.BasicAuth(*auth) if auth else None)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as err:
            raise Unavailable(f"{host} could not be reached: {said(err)}") from err
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as err:
            raise Rejected(f"The request could not be written: {said(err)}") from err
        except httpx.HTTPError as err:
            if sends and departed:
                raise Unknown(f"The answer of {host} was lost: {said(err)}") from err
            raise Unavailable(f"{host} did not answer: {said(err)}") from err
        finally:
            logs.OURS.reset(quiet)
        body, cut = await read_body(response, self.timeout)
        kept = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in DROPPED_HEADERS]
        answer = httpx.Response(response.status_code, headers=kept, content=body, request=request)
        answer.extensions["cut"] = cut
        return answer

    async def aclose(self) -> None:
        """Close the connections. The client may be used again; it then opens new ones."""
        client, self._client = self._client, None
        if client:
            await client.aclose()
        for other in self._others.values():
            await other.aclose()

    def _checked(self, url: str) -> httpx.URL:
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            raise AddressRefused("The address of the request is not a URL.") from None
        schemes = ("https", "http") if self.allow_private else ("https",)
        if target.scheme not in schemes or not HOST.fullmatch(target.host):
            raise AddressRefused(
                f"{target.scheme[:16] or 'A URL without a scheme'!r} is not allowed.",
                hint=f"Give a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}.",
            )
        port = target.port or (443 if target.scheme == "https" else 80)
        if not self.allow_private and port not in self.ports:
            allowed = ", ".join(str(port) for port in sorted(self.ports))
            raise AddressRefused(f"Port {port} of {target.host!r} is not allowed.", hint=f"Allowed ports: {allowed}.")
        return target

    def _timeouts(self) -> dict[str, float | None]:
        least = min(CONNECT_SECONDS, self.timeout)
        return httpx.Timeout(self.timeout, connect=least, pool=least).as_dict()

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport or GuardedTransport(GuardedBackend(
                allow_private=self.allow_private, resolver=self._resolver), ca_file=self._ca_file, http2=self._http2),
            trust_env=False,
            follow_redirects=False,
            cookies=no_cookies(),
            # Plain bodies by default: a small compressed one may unfold to gigabytes.
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )  # fmt: skip


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport, on a network that checks where it goes."""

    def __init__(self, network: GuardedBackend, *, ca_file: str | None = None, http2: bool = False) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        if ca_file:
            context.load_verify_locations(ca_file)
        super().__init__(verify=context, trust_env=False)
        # httpx offers no argument for the network backend; the pool is where httpcore takes it.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            # Bulkheads bound the calls. A bound here would be «unavailable» for what the provider never saw, and
            # httpcore looks through the whole pool for each that waits: 300 calls at a time cost six times the CPU.
            max_connections=None,
            max_keepalive_connections=20,
            # Whoever speaks HTTP/2 wants to see one connection for long; middle boxes forget one after minutes.
            keepalive_expiry=60.0 if http2 else 5.0,
            http1=True,
            http2=http2,
            network_backend=network,
        )


async def read_body(response: httpx.Response, seconds: float) -> tuple[bytes, bool]:
    """At most BODY_LIMIT bytes of the body, and whether it was cut there.

    The status has arrived by now and decides the outcome, so a body that breaks off is no error.
    """
    if response.is_stream_consumed:
        return response.content[:BODY_LIMIT], len(response.content) > BODY_LIMIT
    raw, cut = bytearray(), False
    try:
        async with asyncio.timeout(seconds):
            async for chunk in response.aiter_raw():
                raw += chunk
                if len(raw) > BODY_LIMIT:
                    cut = True
                    break
    except (httpx.HTTPError, TimeoutError):
        cut = True
    finally:
        await response.aclose()
    body, whole = unpacked(bytes(raw[:BODY_LIMIT]), response.headers.get("content-encoding", ""))
    return body, cut or not whole


def unpacked(raw: bytes, encoding: str) -> tuple[bytes, bool]:
    """``raw`` without its compression, at most BODY_LIMIT bytes of it, and whether that is all.

    Compression was not asked for, but some servers compress whatever they are told.
    """
    if encoding.strip().lower() in ("", "identity"):
        return raw, True
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return b"", False
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        body = unpacker.decompress(raw, BODY_LIMIT)
    except zlib.error:
        return b"", False
    return body, unpacker.eof


DROPPED_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""What describes the body as it travelled, not as it is handed over."""


def no_cookies() -> CookieJar:
    """A jar that takes nothing: one integration's session must not travel with another's request."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))


def said(error: Exception) -> str:
    """What went wrong, in a few words; httpx leaves some of its timeouts without any."""
    return str(error) or WORDS.get(type(error), type(error).__name__)


WORDS: dict[type[Exception], str] = {
    httpx.ConnectTimeout: "no connection in time",
    httpx.PoolTimeout: "all connections are busy",
    httpx.ReadTimeout: "no answer in time",
    httpx.WriteTimeout: "it took the request too slowly",
    httpx.ReadError: "the connection broke",
    httpx.WriteError: "the connection broke",
}
