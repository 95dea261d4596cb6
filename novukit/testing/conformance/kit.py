"""What all conformance tests stand on: a provider on a stage with its vendor, and which tests apply to it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import pytest

from ...providers import AnyProvider, Content, Delivery, HttpClient, Outcome, check_provider, deliver
from ...providers.credentials import read
from .samples import sample
from .server import Server, serving
from .vendor import Nowhere, Place, Reply, Request, Spelled, Vendor
from .wire import expresses

F = TypeVar("F", bound=Callable[..., Any])
KitClass = type["Conformance"]

KEY = "kit-key-1-5f0c"
SECONDS = 5.0
PATIENCE = 120.0
"""Seconds that one test may take when the kit runs without pytest."""


def applies(condition: Callable[[KitClass], bool]) -> Callable[[F], F]:
    """The test is there only for providers for which ``condition`` holds."""

    def mark(test: F) -> F:
        test.applies = condition  # pyright: ignore[reportFunctionMemberAccess]
        return test

    return mark


def each(argument: str, cases: Callable[[KitClass], Iterable[Any]]) -> Callable[[F], F]:
    """The test is there once for each of ``cases``, and not at all where there is none."""

    def mark(test: F) -> F:
        test.cases = (argument, cases)  # pyright: ignore[reportFunctionMemberAccess]
        return test

    return mark


@dataclass
class Stage:
    """One provider, ready to send, and the server that plays its vendor."""

    vendor: Vendor
    provider: AnyProvider
    server: Server

    def content(self, **values: Any) -> Content:
        """The sample of the channel with ``values``; its webhook leads to the server."""
        made = sample(self.provider.channel, self.vendor.content, **values)
        hook = str(getattr(made, "webhook_url", None) or "")
        if hook and hook.isprintable():  # one that is not must be refused as it is
            made = made.model_copy(update={"webhook_url": self.server.url + urlsplit(hook).path})
        return made

    async def deliver(self, key: str = KEY, **values: Any) -> Delivery:
        """Send the sample with ``values``, as novukit does."""
        return await deliver(self.provider, self.content(**values), key)

    async def sent(self, key: str = KEY, **values: Any) -> Request:
        """The request that the sample with ``values`` makes, where it is accepted."""
        self.server.sent.clear()
        delivery = await self.deliver(key, **values)
        assert delivery.accepted, (
            f"The vendor's «accepted» answer was told as {delivery.outcome}: {delivery.detail!r}. Compare what `send` "
            f"takes for success with `Vendor.accepted`."
        )
        assert self.server.sent, "`send` returned a receipt, but no request reached the vendor. Send over `self.http`."
        return self.server.sent[-1]


class Conformance:
    """Subclass the one of your channel, and name the ``provider`` and its ``vendor``."""

    pytestmark = pytest.mark.anyio

    provider: ClassVar[type[AnyProvider]]
    vendor: ClassVar[Vendor]
    weaker: ClassVar[Mapping[str, str]] = {}
    """Tests (with their case in brackets) that the provider can never keep, each with the reason in a few words.

    For one that only passes on to a library which tells less. The matrix shows the reasons; a test that passes after
    all is a failure. pytest does not know of it: name the class without ``Test``, and hold :func:`failures` to ``{}``.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take away the tests that do not apply, so that none is skipped."""
        super().__init_subclass__(**kwargs)
        if not (hasattr(cls, "provider") and hasattr(cls, "vendor")):
            return
        for name, test in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("test_"):
                continue
            condition = getattr(test, "applies", None)
            _, cases = getattr(test, "cases", ("", None))
            if (condition and not condition(cls)) or (cases and not list(cases(cls))):
                setattr(cls, name, None)

    @pytest.fixture
    def anyio_backend(self) -> str:
        """novukit is asyncio only."""
        return "asyncio"

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each case."""
        if given := getattr(metafunc.function, "cases", None):
            argument, cases = given
            found = list(cases(type(self)))
            metafunc.parametrize(argument, found, ids=[getattr(case, "name", None) or str(case) for case in found])

    @classmethod
    @asynccontextmanager
    async def stage(
        cls, answer: Reply | None = None, *, seconds: float = SECONDS, private: bool = True, gone: bool = False
    ) -> AsyncGenerator[Stage, None]:
        """The provider with the vendor's server, which gives ``answer`` to messages.

        ``seconds`` is how long the client waits. ``private=False`` has the guard as in production. With ``gone`` the
        server has stopped.
        """
        vendor = cls.vendor
        async with serving(vendor.accepted if answer is None else answer, vendor.routes) as server:
            http = HttpClient(allow_private=private, timeout=seconds, ports={server.port})
            url = server.url if private else f"https://127.0.0.1:{server.port}"
            provider = made(cls.provider, vendor, http, url)
            stage = Stage(vendor, provider, server)
            if not gone:
                try:
                    yield stage
                finally:
                    await provider.close()
                    await http.aclose()
                return
        yield stage
        await http.aclose()

    @classmethod
    def place(cls, field: str) -> Place:
        """Where ``field`` reaches the wire."""
        place = cls.vendor.fields.get(field)
        assert place is not None, f"Say in `Vendor.fields` where {field!r} stands in the request of {cls.provider.id}."
        return place

    def test_the_contract(self) -> None:
        """The class keeps what is checked when a plugin is loaded."""
        check_provider(self.provider)


def made(cls: type[AnyProvider], vendor: Vendor, http: HttpClient, url: str) -> AnyProvider:
    """The provider with the vendor's credentials, all its URLs leading to ``url``."""
    credentials = read(cls.credentials_type, vendor.credentials, provider_id=cls.id)
    provider = check_provider(cls)(credentials, http)
    provider.timeout = min(provider.timeout, SECONDS * 2)
    for name, path in vendor.urls.items():
        setattr(provider, name, url + path)
    return provider


def stands(request: Request, place: Place, value: Any) -> bool:
    """Whether ``request`` says ``value`` at ``place``."""
    return expresses(at(request, place), place.spelling(value) if isinstance(place, Spelled) else value)


def at(request: Request, place: Place) -> object:
    """What stands in ``request`` at ``place``."""
    assert not isinstance(place, Nowhere)
    where = place.at if isinstance(place, Spelled) else place
    return request.at(where) if isinstance(where, str) else where(request)


def expect(delivery: Delivery, outcome: Outcome, because: str) -> None:
    """Hold ``delivery`` to its outcome, and say to the plugin's author what to change."""
    assert delivery.outcome is outcome, (
        f"It was told as {delivery.outcome} ({delivery.reason}: {delivery.detail!r}), and is {outcome}: {because}"
    )


def runs(kit: KitClass) -> Iterator[tuple[str, Callable[[Conformance], Any]]]:
    """Every test of ``kit``, with its case in brackets; those that want something of pytest's are left to pytest."""
    for name, test in inspect.getmembers(kit, inspect.isfunction):
        if not name.startswith("test_"):
            continue
        argument, cases = getattr(test, "cases", ("", None))
        if cases is None:
            if len(inspect.signature(test).parameters) == 1:
                yield name, test
            continue
        for case in cases(kit):
            label = getattr(case, "name", None) or str(case)
            yield (
                f"{name}[{label}]",
                lambda self, test=test, argument=argument, case=case: test(self, **{argument: case}),
            )


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test: ``failure`` says what to do, and is None if it passed.

    ``weaker`` says why it need not pass, where the kit says so and it did not.
    """

    name: str
    failure: str | None
    weaker: str | None = None


async def results(kit: KitClass, only: str = "") -> AsyncGenerator[Result, None]:
    """Run the tests of ``kit`` whose names begin with ``only``, without pytest, and tell of each as it ends."""
    for name, test in runs(kit):
        if not name.startswith(only):
            continue
        failure = None
        try:
            async with asyncio.timeout(PATIENCE):
                result = test(kit())
                if asyncio.iscoroutine(result):
                    await result
        except TimeoutError:
            failure = f"It had not ended after {PATIENCE:g} s. Something in the provider waits for ever."
        except (Exception, SystemExit) as err:
            failure = str(err) or type(err).__name__
        weaker = kit.weaker.get(name)
        if weaker is not None and failure is None:
            yield Result(name, "It keeps this by now: take it out of `weaker`.")
        elif weaker is not None:
            yield Result(name, None, weaker)
        else:
            yield Result(name, failure)


async def failures(kit: KitClass, only: str = "") -> dict[str, str]:
    """Run the tests of ``kit`` whose names begin with ``only``, without pytest: what failed, and why."""
    return {one.name: one.failure async for one in results(kit, only) if one.failure is not None}
