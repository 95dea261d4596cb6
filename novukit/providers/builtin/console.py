"""``console-…``: providers that print what they would send, for developing without an account anywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from textwrap import shorten

from novukit.providers import (
    AnyProvider,
    ChatContent,
    ChatProvider,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    NoCredentials,
    PushContent,
    PushProvider,
    Receipt,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    hookimpl,
)  # fmt: skip

from .features import EVERY

WIDTH = 78
BODY_LINES = 6


class ConsoleEmail(EmailProvider[EmailCredentials]):
    """Prints every e-mail."""

    id = "console-email"
    supports = EVERY["email"]

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Print sender, recipients, subject and the beginning of the text."""
        sender = f"{content.sender_name} <{content.sender}>" if content.sender_name else content.sender
        facts = {
            "from": sender,
            "cc": ", ".join(content.cc),
            "bcc": ", ".join(content.bcc),
            "reply to": content.reply_to or "",
            "subject": content.subject,
            "attached": ", ".join(f"{a.name} ({len(a.content)} bytes)" for a in content.attachments),
            "html": f"{len(content.html)} characters" if content.html else "",
            **content.headers,
        }
        return show("email", content.to, facts, content.text, key)


class ConsoleSms(SmsProvider[SmsCredentials]):
    """Prints every SMS."""

    id = "console-sms"
    supports = EVERY["sms"]

    async def send(self, content: SmsContent, key: str) -> Receipt:
        """Print sender, recipient and text."""
        return show("sms", content.to, {"from": content.sender or ""}, content.body, key)


class ConsolePush(PushProvider[NoCredentials]):
    """Prints every push message."""

    id = "console-push"
    supports = EVERY["push"]
    any_address = True

    async def send(self, content: PushContent, key: str) -> Receipt:
        """Print subject and text; of the device tokens only how many there are, for whoever has one can send to it."""
        devices = f"{len(content.tokens)} device{'' if len(content.tokens) == 1 else 's'}"
        facts = {"subject": content.subject, "data": ", ".join(content.data)}
        return show("push", devices, facts, content.body, key)


class ConsoleChat(ChatProvider[NoCredentials]):
    """Prints every chat message."""

    id = "console-chat"
    supports = EVERY["chat"]
    any_address = True

    async def send(self, content: ChatContent, key: str) -> Receipt:
        """Print channel and text; of a webhook only that there is one, for its URL is the key to it."""
        return show("chat", content.channel or "a webhook", {}, content.body, key)


def show(channel: str, to: str, facts: dict[str, str], body: str, key: str) -> Receipt:
    """Print one block: a rule with channel and recipient, the facts that there are, the beginning of the body."""
    sys.stdout.write("\n".join(block(channel, to, facts, body)) + "\n")
    sys.stdout.flush()
    return Receipt(provider_message_id=f"console-{key}")


def block(channel: str, to: str, facts: dict[str, str], body: str) -> Iterable[str]:
    """The lines of the block, each within the width and free of what could drive a terminal."""
    yield f"── {channel} to {cut(to, 60)} ".ljust(WIDTH, "─")
    for name, value in facts.items():
        if value:
            yield f"   {cut(name, 24):<9} {cut(value, WIDTH - 13)}"
    lines = [cut(line, WIDTH - 3) for line in body.splitlines() if line.strip()]
    if lines:
        yield ""
        yield from (f"   {line}" for line in lines[:BODY_LINES])
        if len(lines) > BODY_LINES:
            yield f"   … {len(lines) - BODY_LINES} more"
    yield ""


def cut(text: str, width: int) -> str:
    """``text`` on one line, printable, at most ``width`` characters."""
    return shorten("".join(c if c.isprintable() else " " for c in text), width, placeholder="…")


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The providers of this plugin."""
    return [ConsoleEmail, ConsoleSms, ConsolePush, ConsoleChat]
