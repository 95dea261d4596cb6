"""The providers for developing: what they print, keep and leave alone."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from novukit.errors import CredentialsInvalid
from novukit.providers import Attachment, HttpClient, Outcome, PluginHost, Reason, deliver
from novukit.providers.builtin.catcher import KEPT, Net

from .samples import CHAT, EMAIL, PUSH, SMS

pytestmark = pytest.mark.anyio

SAMPLES = {"email": EMAIL, "sms": SMS, "push": PUSH, "chat": CHAT}


@pytest.fixture
def host() -> PluginHost:
    return PluginHost(installed=False, http=HttpClient(allow_private=True))


@pytest.mark.parametrize("kind", ["console", "catcher", "null"])
@pytest.mark.parametrize("channel", SAMPLES)
async def test_each_takes_every_message_of_its_channel(kind: str, channel: str, host: PluginHost) -> None:
    """With every feature that content can have, and an id for it."""
    provider = host.build(f"{kind}-{channel}", {})
    file = Attachment.model_construct(name="a.txt", content=b"hi", mime="text/plain", content_id=None)
    everything: dict[str, Any] = {
        "email": {"cc": ("b@x.example",), "bcc": ("c@x.example",), "reply_to": "r@x.example", "headers": {"X-A": "1"}}
        | {"attachments": (file,)},
        "push": {"data": {"a": 1}},
    }

    delivery = await deliver(provider, SAMPLES[channel].model_copy(update=everything.get(channel, {})), "key")

    assert Outcome.ACCEPTED is delivery.outcome
    assert (delivery.provider_message_id or "").endswith("-key")


async def test_the_console_shows_who_what_and_the_beginning(
    host: PluginHost, capsys: pytest.CaptureFixture[str]
) -> None:
    """One block a message, no wider than a terminal."""
    content = EMAIL.model_copy(
        update={"sender_name": "Shop", "cc": ("b@x.example",), "text": "\n".join(f"line {n}" for n in range(9))}
    )

    await deliver(host.build("console-email", {}), content, "key")

    assert capsys.readouterr().out.splitlines() == [
        "── email to ada@example.com ".ljust(78, "─"),
        "   from      Shop <hi@shop.example>",
        "   cc        b@x.example",
        "   subject   Hi",
        "   html      12 characters",
        "",
        *(f"   line {n}" for n in range(6)),
        "   … 3 more",
        "",
    ]


async def test_the_console_cannot_be_driven_by_a_message(host: PluginHost, capsys: pytest.CaptureFixture[str]) -> None:
    """No escape sequence, no line that looks like another block's beginning by a carriage return."""
    body = "a\x1b[2J\x1b]0;title\x07b\rc\x9b31m " + "x" * 500

    await deliver(host.build("console-sms", {}), SMS.model_copy(update={"body": body}), "key")

    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.split("\n"))
    assert all(len(line) <= 78 for line in out.splitlines())


async def test_the_console_does_not_show_what_opens_doors(host: PluginHost, capsys: pytest.CaptureFixture[str]) -> None:
    """A device token or a webhook's URL is all that it takes to send."""
    await deliver(host.build("console-push", {}), PUSH, "key")
    await deliver(host.build("console-chat", {}), CHAT, "key")

    out = capsys.readouterr().out
    assert "── push to 2 devices " in out
    assert "── chat to a webhook " in out
    assert "s3cret" not in out
    assert "t1" not in out


@pytest.mark.parametrize("channel", SAMPLES)
async def test_the_catcher_keeps_messages_in_order(channel: str, host: PluginHost) -> None:
    """In memory, per integration."""
    provider, other = host.build(f"catcher-{channel}", {}), host.build(f"catcher-{channel}", {})

    await deliver(provider, SAMPLES[channel], "one")
    await deliver(provider, SAMPLES[channel], "two")

    caught = provider.caught  # type: ignore[attr-defined]
    assert [one.key for one in caught] == ["one", "two"]
    assert [SAMPLES[channel]] * 2 == [one.content for one in caught]
    assert other.caught == []  # type: ignore[attr-defined]


async def test_the_catcher_keeps_the_last_thousand(host: PluginHost) -> None:
    """A development server may run for weeks."""
    provider = host.build("catcher-sms", {})
    for number in range(KEPT + 5):
        await deliver(provider, SMS, str(number))

    caught = provider.caught  # type: ignore[attr-defined]
    assert (KEPT, "5", str(KEPT + 4)) == (len(caught), caught[0].key, caught[-1].key)


async def test_a_folder_gets_one_file_for_each_message(host: PluginHost, tmp_path: Path) -> None:
    """An e-mail as any mail program opens it, the rest as JSON; named by time, channel and recipient."""
    folder = {"folder": str(tmp_path / "new" / "outbox")}
    for channel, content in SAMPLES.items():
        delivery = await deliver(host.build(f"catcher-{channel}", folder), content, "key")
        assert delivery.detail.startswith("Kept as ")

    files = {path.name.split("-")[1]: path for path in (tmp_path / "new" / "outbox").iterdir()}
    assert {"email", "sms", "push", "chat"} == set(files)
    assert re.fullmatch(r"\d{8}T\d{6}\.\d{6}Z-email-ada@example\.com\.eml", files["email"].name)
    assert files["sms"].name.endswith("-sms-+4915112345678.json")
    assert files["push"].name.endswith("-push-2-devices.json")
    assert files["chat"].name.endswith("-chat-webhook.json")
    message = email.message_from_bytes(files["email"].read_bytes(), policy=email.policy.default)
    assert (message["subject"], message["to"]) == ("Hi", "ada@example.com")
    assert SMS.model_dump() == json.loads(files["sms"].read_text())


def listing(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_file_is_never_written_over(host: PluginHost, tmp_path: Path) -> None:
    """Many messages in one moment, each with its own name."""
    provider = host.build("catcher-sms", {"folder": str(tmp_path)})

    await asyncio.gather(*(deliver(provider, SMS, str(number)) for number in range(50)))

    assert len(listing(tmp_path)) == 50


def test_two_messages_of_one_moment_have_two_files(tmp_path: Path) -> None:
    """And a link that waits under the name is not written through."""
    net, now = Net("sms", tmp_path), datetime(2026, 1, 1, tzinfo=UTC)
    outside = tmp_path.parent / "outside"
    (tmp_path / "20260101T000000.000000Z-sms-a-2.json").symlink_to(outside)

    files = [net.write("a", SMS.model_copy(update={"body": body}), "key", now) for body in ("one", "two")]

    assert ["one", "two"] == [json.loads(file.read_text())["body"] for file in files]
    assert files[1].name.endswith("-sms-a-3.json")
    assert not outside.exists()


async def test_a_recipient_is_no_path(host: PluginHost, tmp_path: Path) -> None:
    """``../`` in a channel's name stays in the folder."""
    inner = tmp_path / "inner"
    provider = host.build("catcher-chat", {"folder": str(inner)})

    await deliver(provider, CHAT.model_copy(update={"channel": "../../etc/x" + "y" * 500}), "key")

    assert [inner] == listing(tmp_path)
    assert len(listing(inner)) == 1


async def test_a_folder_that_cannot_be_written_to_is_an_answer(host: PluginHost, tmp_path: Path) -> None:
    """Not a fault of the plugin."""
    (tmp_path / "file").write_text("")
    provider = host.build("catcher-sms", {"folder": str(tmp_path / "file")})

    delivery = await deliver(provider, SMS, "key")

    assert (delivery.outcome, delivery.reason) == (Outcome.REJECTED, Reason.PROVIDER_REJECTED)
    assert "cannot be written to" in delivery.detail
    assert str(tmp_path) not in delivery.detail


def test_a_folder_is_for_development_only(tmp_path: Path) -> None:
    """On a server, whoever may create an integration may not thereby write files."""
    host = PluginHost(installed=False)

    with pytest.raises(CredentialsInvalid, match="only in development"):
        host.build("catcher-email", {"folder": str(tmp_path)})
    assert host.build("catcher-email", {}).channel == "email"
