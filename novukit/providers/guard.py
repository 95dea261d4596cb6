"""Where an outgoing connection may go: names are resolved, checked and connected to by address, in one step."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, cast

import httpcore

from ..errors import AddressRefused

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives all addresses of a host name, as text. Raises OSError when there are none."""

# What a developer's own machine and network use; allowed with ``allow_private``.
PRIVATE = [
    ip_network(block)
    for block in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
]
# Never a provider, not even in development: this host, link-local (and with it the clouds' metadata service),
# protocol assignments, documentation, benchmarks, multicast, reserved, and IPv6 forms that hide an IPv4 address
# (IANA special-purpose registries, RFC 6890). An explicit list, because ``is_private`` and ``is_global`` miss some.
FORBIDDEN = [
    ip_network(block)
    for block in (
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
        "fe80::/10", "fec0::/10", "ff00::/8",
    )
]  # fmt: skip
NAT64 = IPv6Network("64:ff9b::/96")
# EC2's metadata service over IPv6 lies within fc00::/7.
METADATA = IPv6Address("fd00:ec2::254")


def is_allowed(address: str, *, allow_private: bool = False) -> bool:
    """Whether a connection to ``address`` (an IPv4 or IPv6 literal) may be opened."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif ip in NAT64:
            ip = IPv4Address(int(ip) & 0xFFFF_FFFF)
    if ip == METADATA:
        return False
    # Before FORBIDDEN: ::1 lies within ::/96.
    if any(ip in network for network in PRIVATE):
        return allow_private
    return not any(ip in network for network in FORBIDDEN)


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of ``host``, asked of the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """httpcore's network, except that it connects only to addresses that were checked.

    The name is resolved once, and the connection goes to the very address that passed, so a resolver that changes its
    mind between check and use gains nothing. TLS still verifies the host's name.
    """

    def __init__(self, *, allow_private: bool = False, resolver: Resolver = resolve) -> None:
        self.allow_private = allow_private
        self.resolver = resolver
        self.network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check, connect. All addresses of a name must be allowed: one bad one condemns the name."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        try:
            async with asyncio.timeout(timeout):
                addresses = await self.resolver(host, port)
                if not all(is_allowed(address, allow_private=self.allow_private) for address in addresses):
                    raise refused(host)
                for address in addresses:
                    try:
                        return await self.network.connect_tcp(address, port, None, local_address, socket_options)
                    except httpcore.ConnectError as err:
                        failure = err
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"no connection to {host} within {timeout} s") from None
        except UnicodeError:
            raise AddressRefused(f"{host[:64]!r} is not a host name.") from None
        except OSError as err:
            raise httpcore.ConnectError(f"{host} could not be resolved: {err.strerror or err}") from err
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refused: a plugin has no business with the sockets of this machine."""
        raise AddressRefused("A provider may not use a Unix socket.")

    async def sleep(self, seconds: float) -> None:
        await self.network.sleep(seconds)


def refused(host: str) -> AddressRefused:
    """The refusal. It names the host, never the address behind it, which may tell about the network inside."""
    return AddressRefused(
        f"{host[:253]!r} does not lead to a public address.",
        hint="Private addresses are allowed only in development.",
    )
