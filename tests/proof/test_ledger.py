"""The ledger does to novukit's providers what it is told to, and writes down what it did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from novukit.providers import EmailContent, HttpClient, Outcome, PluginHost, SmsContent, dispatch

from . import plugin
from .ledger import ACCEPTING, BEHAVIOURS, Book, ledger

OUTCOMES = {
    "ok": Outcome.ACCEPTED, "cut": Outcome.ACCEPTED, "429": Outcome.THROTTLED, "503": Outcome.UNAVAILABLE,
    "400": Outcome.REJECTED,
}  # fmt: skip
"""All others leave open what happened."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with ledger(tmp_path_factory.mktemp("ledger")) as book:
        yield book


@pytest.fixture
async def host(anyio_backend: str) -> AsyncIterator[PluginHost]:
    host = PluginHost([plugin], installed=False, http=HttpClient(allow_private=True))
    yield host
    await host.close()


def email(to: str) -> EmailContent:
    return EmailContent(to=to, sender="a@example.com", subject="Hello", text="-")


@pytest.mark.parametrize("kind", plugin.KINDS)
@pytest.mark.parametrize("what", sorted(BEHAVIOURS))
async def test_each_behaviour_is_seen_and_written_down(what: str, kind: str, book: Book, host: PluginHost) -> None:
    """The outcome that novukit sees, what the look-up says, and what a second request with the same key does."""
    provider: Any = host.build(f"ledger-email-{kind}", {"url": book.url, "timeout": 0.3, "from": "a@example.com"})
    to, key = f"{what}-{kind}@example.com", f"key-{what}-{kind}"
    book.behave(to, what, "ok")
    first = await dispatch.deliver(provider, email(to), key)
    found = await dispatch.look_up(provider, key)
    second = await dispatch.deliver(provider, email(to), key)
    accepted = what in ACCEPTING
    assert (OUTCOMES.get(what, Outcome.UNKNOWN), Outcome.ACCEPTED) == (first.outcome, second.outcome)
    if kind == "lookup":
        assert accepted == (found is not None and found.accepted)
    assert [(what, accepted), ("ok", True)] == [(call.did, call.accepted) for call in book.calls(to)]
    assert (1 if kind == "native" or not accepted else 2) == sum(call.delivered for call in book.calls(to))
    assert 1 == len({call.hash for call in book.calls(to)})


async def test_retry_after_sms_and_mixtures(book: Book, host: PluginHost) -> None:
    """Retry-After is passed on; an SMS goes to its number; a mixture draws from what it is given."""
    provider: Any = host.build("ledger-email-none", {"url": book.url, "from": "a@example.com"})
    book.behave("later@", "429:7")
    assert 7.0 == (await dispatch.deliver(provider, email("later@example.com"), "k")).retry_after
    sms: Any = host.build("ledger-sms-native", {"url": book.url})
    assert (await dispatch.deliver(sms, SmsContent(to="+491", body="Hi"), "k-sms")).accepted
    assert ["native"] == [call.kind for call in book.calls("+491")]
    book.mix("mixed@", {"ok": 1, "503": 1})
    for n in range(20):
        await dispatch.deliver(provider, email("mixed@example.com"), f"mixed-{n}")
    assert {"ok", "503"} == {call.did for call in book.calls("mixed@")}
    with pytest.raises(ValueError, match="does not know"):
        book.behave("", "vanish")


def test_a_ledger_goes_on_with_its_file(tmp_path: Path) -> None:
    """Started again, it still knows what it has accepted."""
    import urllib.request

    for n in (1, 2):
        with ledger(tmp_path) as book:
            body = b'{"to": "a@example.com", "subject": "-"}'
            urllib.request.urlopen(
                urllib.request.Request(f"{book.url}/send/native", body, {"Idempotency-Key": "k"}, method="POST")
            ).close()
            assert [(1, True), (2, False)][:n] == [(call.n, call.delivered) for call in book.calls()]


def test_a_command_finds_the_installed_plugin(tmp_path: Path) -> None:
    """Whatever Python is started with the environment that ``install`` gives knows the providers."""
    import subprocess
    import sys

    code = "from novukit.providers import PluginHost; print('ledger-sms-lookup' in PluginHost().providers)"
    environment = plugin.install(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "True" == done.stdout.strip(), done.stderr
    assert "email-none" in plugin.toml("http://127.0.0.1:1", "none")
