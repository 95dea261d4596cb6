"""The guard: which addresses a provider may reach, whatever name or spelling leads there."""

from __future__ import annotations

import httpcore
import pytest

from novukit.errors import AddressRefused
from novukit.providers import HttpClient, Outcome, Unavailable, deliver
from novukit.providers.guard import GuardedBackend, is_allowed

from .samples import EMAIL, post
from .web import web_server

pytestmark = pytest.mark.anyio

DENIED = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "172.16.0.1",
    "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0", "192.0.0.8", "192.0.2.1", "192.88.99.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::",
    "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1", "3fff::1", "5f00::1",
    "fc00::1", "fd00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1",
    "not-an-address", "127.1",
]  # fmt: skip
ALLOWED = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1"]
ALLOWED += ["2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::101:101", "::ffff:8.8.8.8"]
SPELLINGS = [
    "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]", "a@127.0.0.1",
    "127.0.0.1.",
]  # fmt: skip


@pytest.mark.parametrize("address", DENIED)
def test_an_address_that_is_not_public_is_denied(address: str) -> None:
    """Private, local, reserved, multicast, documentation, and IPv6 forms of them."""
    assert is_allowed(address) is False


@pytest.mark.parametrize("address", ALLOWED)
def test_a_public_address_is_allowed(address: str) -> None:
    """What lies beside the denied blocks is not denied with them."""
    assert is_allowed(address) is True


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", True),
        ("10.0.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("169.254.169.254", False),
        ("fd00:ec2::254", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("64:ff9b::a9fe:a9fe", False),
    ],
)
def test_development_opens_private_addresses_and_never_the_metadata_service(address: str, allowed: bool) -> None:
    """``allow_private`` is for one's own machine and network."""
    assert is_allowed(address, allow_private=True) is allowed


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_of_loopback_reaches_a_listener(host: str) -> None:
    """The address is judged after it was resolved, so the way it is written does not matter."""
    async with web_server() as web:
        http = HttpClient(ports={web.port, 443})
        scheme = f"https://{host}:{web.port}/"

        with pytest.raises((AddressRefused, Unavailable)) as refused:
            await http.post(scheme, json={})
        await http.aclose()

        assert web.connections == 0
        assert "127.0.0.1" in host or "127.0.0.1" not in str(refused.value)


async def test_a_provider_that_is_led_inside_is_rejected_and_the_address_not_told() -> None:
    """The outcome names the host, never where it leads."""

    async def inside(host: str, port: int) -> list[str]:
        return ["10.1.2.3"]

    http = HttpClient(resolver=inside)

    delivery = await deliver(post(http, url="https://hooks.example/x"), EMAIL, "key")
    await http.aclose()

    assert Outcome.REJECTED is delivery.outcome
    assert "address_refused: 'hooks.example' does not lead to a public address" in delivery.detail
    assert "10.1.2.3" not in delivery.detail


async def test_one_private_address_among_public_ones_condemns_the_name() -> None:
    """Both answers in one reply: the connection would otherwise depend on the order."""

    async def both(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "127.0.0.1"]

    http = HttpClient(resolver=both)
    with pytest.raises(AddressRefused):
        await http.get("https://rebind.example/")
    await http.aclose()


class Network(httpcore.AsyncNetworkBackend):
    """Notes where a connection would go."""

    def __init__(self, failing: tuple[str, ...] = ()) -> None:
        self.went: list[str] = []
        self.failing = failing

    async def connect_tcp(self, host: str, port: int, *args: object, **kwargs: object) -> httpcore.AsyncNetworkStream:
        self.went.append(host)
        if host in self.failing:
            raise httpcore.ConnectError("refused")
        return httpcore.AsyncMockStream([])


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A resolver that says something else the second time is never asked a second time."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    backend = GuardedBackend(resolver=rebinding)
    backend.network = network = Network()
    await backend.connect_tcp("rebind.example", 443)

    assert network.went == ["93.184.216.34"]
    assert asked == ["rebind.example"]


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    """A name with several addresses is as reachable as the best of them."""

    async def two(host: str, port: int) -> list[str]:
        return ["2606:4700::1111", "1.1.1.1"]

    backend = GuardedBackend(resolver=two)
    backend.network = network = Network(failing=("2606:4700::1111",))
    await backend.connect_tcp("one.example", 443)

    assert network.went == ["2606:4700::1111", "1.1.1.1"]


async def test_a_unix_socket_is_refused() -> None:
    """The sockets of this machine are inside, too."""
    with pytest.raises(AddressRefused):
        await GuardedBackend().connect_unix_socket("/run/any.sock")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com",
        "example.com",
        "",
        "https://",
        "https://example.com:25/",
        "https://example.com:6379/",
        "https://exa mple.com/",
        "https://[::1",
    ],
)
async def test_only_https_on_web_ports_leaves_in_production(url: str) -> None:
    """Refused before any name is resolved."""

    async def never(host: str, port: int) -> list[str]:
        raise AssertionError(host)

    http = HttpClient(resolver=never)
    with pytest.raises(AddressRefused):
        await http.post(url, json={})
    await http.aclose()
