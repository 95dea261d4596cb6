"""Door 2, ``novukit.providers``: what it shows, and what a plugin author reads there."""

from __future__ import annotations

import asyncio
import inspect
import re

import pytest

from novukit import providers
from novukit.model import CHANNELS
from novukit.providers import HttpClient, Outcome, PluginHost, deliver

from .samples import CHAT, EMAIL, PUSH, SMS
from .web import web_server

pytestmark = pytest.mark.anyio


def test_the_door_lists_its_names_in_order() -> None:
    """Each once, and each is there."""
    assert sorted(set(providers.__all__)) == providers.__all__
    assert all(hasattr(providers, name) for name in providers.__all__)


@pytest.mark.parametrize("name", [n for n in providers.__all__ if inspect.isclass(getattr(providers, n))])
def test_every_class_and_its_methods_explain_themselves(name: str) -> None:
    """A docstring on what a plugin author may call or must write."""
    cls = getattr(providers, name)
    if not cls.__module__.startswith("novukit.providers"):
        return
    assert cls.__doc__
    own = [m for n, m in vars(cls).items() if not n.startswith("_") and inspect.isfunction(m)]
    assert [m.__qualname__ for m in own if not m.__doc__] == []


@pytest.mark.parametrize("name", [n for n in providers.__all__ if inspect.isfunction(getattr(providers, n))])
def test_every_function_explains_itself(name: str) -> None:
    """One sentence at least."""
    assert re.search(r"[.:]", getattr(providers, name).__doc__ or "")


async def test_the_example_of_the_door_is_a_working_plugin() -> None:
    """What the docstring shows loads, sends and maps a refusal."""
    code = inspect.cleandoc((providers.__doc__ or "").split("::\n", 1)[1].split("\n\nWhat is not listed")[0])
    async with web_server(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n") as web:
        namespace: dict[str, object] = {"__name__": "shown"}
        source = code.replace("https://api.post.example/mails", web.url)
        exec(compile(source, "door", "exec", dont_inherit=True), namespace)
        host = PluginHost([type("Shown", (), namespace)], installed=False, http=HttpClient(allow_private=True))
        assert all(one.ok for one in host.statuses), host.statuses

        delivery = await deliver(host.build("post", {"apiKey": "k"}), EMAIL, "key-1")
        await host.close()

        assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, "credentials_invalid")
        assert b"Idempotency-Key: key-1" in web.requests[0]


async def test_no_provider_reaches_a_private_address_over_http() -> None:
    """Every provider with a URL of its own is led to a listener of this machine: nobody comes."""
    async with web_server() as web:
        host = PluginHost(installed=False)
        samples = {"email": EMAIL, "sms": SMS, "push": PUSH, "chat": CHAT.model_copy(update={"webhook_url": web.url})}
        for provider_id, cls in host.providers.items():
            if provider_id != "smtp":
                await deliver(host.build(provider_id, {}), samples[cls.channel], "key")
        await host.close()

        assert web.connections == 0


def test_every_channel_has_a_base() -> None:
    """A provider can be written for each of them."""
    bases = {
        getattr(providers, n).channel
        for n in providers.__all__
        if n.endswith("Provider") and n not in ("Provider", "AnyProvider")
    }

    assert {channel.value for channel in CHANNELS} == bases


def test_asyncio_is_all_that_a_provider_needs() -> None:
    """A host can be built where no loop runs, and used where one does."""
    host = PluginHost(installed=False)

    assert asyncio.run(deliver(host.build("null-sms", {}), SMS, "key")).accepted
