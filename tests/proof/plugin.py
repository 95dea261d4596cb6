"""The novukit providers that post to the ledger: ``ledger-email-native``, ``…-lookup``, ``…-none``, and for SMS alike.

Within a process hand the module over: ``PluginHost([plugin], installed=False, http=HttpClient(allow_private=True))``.
For a command such as ``novukit serve`` install it into the folder it runs in: ``env=install(folder)`` makes the plugin
known to whatever Python is started with that environment. ``integrations(url, "native")`` are the settings that go
with it; the same as TOML: ``toml(url, "native")``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field

from novukit.providers import (
    AnyProvider,
    Credentials,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    Receipt,
    SmsContent,
    SmsProvider,
    hookimpl,
    raise_for_outcome,
    read_json,
)  # fmt: skip
from novukit.settings import IntegrationSettings

KINDS = ("native", "lookup", "none")
TIMEOUT = 2.0
"""Seconds that a call may take, unless the integration's credentials say otherwise (``timeout``)."""


class LedgerEmailCredentials(EmailCredentials):
    """Where the ledger is."""

    url: str
    timeout: float = Field(default=TIMEOUT)


class LedgerCredentials(Credentials):
    """Where the ledger is."""

    url: str
    timeout: float = Field(default=TIMEOUT)


async def _post(provider: Any, to: str, subject: str, body: str, key: str) -> Receipt:
    url = f"{provider.credentials.url}/send/{provider.idempotency}"
    headers = {"Idempotency-Key": key, "X-Pid": str(os.getpid())}
    response = await provider.http.post(url, json={"to": to, "subject": subject, "body": body}, headers=headers)
    return Receipt(provider_message_id=read_json(raise_for_outcome(response)).get("id"))


async def _ask(provider: Any, key: str) -> Receipt | None:
    response = await provider.http.get(f"{provider.credentials.url}/message/{key}")
    return None if response.status_code == 404 else Receipt(provider_message_id=key)


class LedgerEmail(EmailProvider[LedgerEmailCredentials]):
    """Posts e-mail to the ledger."""

    def __init__(self, credentials: LedgerEmailCredentials, http: Any) -> None:
        super().__init__(credentials, http)
        self.timeout = credentials.timeout

    async def send(self, content: EmailContent, key: str) -> Receipt:
        return await _post(self, content.to, content.subject, content.text, key)

    async def lookup(self, key: str) -> Receipt | None:
        return await _ask(self, key)


class LedgerSms(SmsProvider[LedgerCredentials]):
    """Posts SMS to the ledger."""

    def __init__(self, credentials: LedgerCredentials, http: Any) -> None:
        super().__init__(credentials, http)
        self.timeout = credentials.timeout

    async def send(self, content: SmsContent, key: str) -> Receipt:
        return await _post(self, content.to, content.body[:60], content.body, key)

    async def lookup(self, key: str) -> Receipt | None:
        return await _ask(self, key)


class EmailNative(LedgerEmail):
    id = "ledger-email-native"
    idempotency = "native"


class EmailLookup(LedgerEmail):
    id = "ledger-email-lookup"
    idempotency = "lookup"


class EmailNone(LedgerEmail):
    id = "ledger-email-none"
    idempotency = "none"


class SmsNative(LedgerSms):
    id = "ledger-sms-native"
    idempotency = "native"


class SmsLookup(LedgerSms):
    id = "ledger-sms-lookup"
    idempotency = "lookup"


class SmsNone(LedgerSms):
    id = "ledger-sms-none"
    idempotency = "none"


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The providers of this plugin."""
    return [EmailNative, EmailLookup, EmailNone, SmsNative, SmsLookup, SmsNone]


def integrations(
    url: str, email: str | None = "native", sms: str | None = None, *, timeout: float = TIMEOUT, suffix: str = ""
) -> tuple[IntegrationSettings, ...]:
    """The primary integration of a channel, with the idempotency class that is named for it; and, by the names
    ``email-native``, ``sms-none`` … (and ``suffix``), one of each class for steps that choose (``integration=``)."""
    found: list[IntegrationSettings] = []
    for channel, primary in (("email", email), ("sms", sms)):
        for kind in KINDS:
            name, provider = f"{channel}-{kind}{suffix}", f"ledger-{channel}-{kind}"
            credentials = {"url": url, "timeout": timeout} | ({"from": "a@example.com"} if channel == "email" else {})
            found.append(
                IntegrationSettings(
                    identifier=name, provider=provider, primary=kind == primary, credentials=credentials
                )
            )  # fmt: skip
    return tuple(found)


def toml(url: str, email: str | None = "native", sms: str | None = None, *, timeout: float = TIMEOUT) -> str:
    """``integrations`` in the words of ``novukit.toml``."""
    tables: list[str] = []
    for one in integrations(url, email, sms, timeout=timeout):
        values = [f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in one.credentials.items()]
        tables.append(
            f'[[integrations]]\nidentifier = "{one.identifier}"\nprovider = "{one.provider}"\n'
            f"primary = {str(one.primary).lower()}\ncredentials = {{ {', '.join(values)} }}\n"
        )
    return "\n".join(tables)


def install(folder: Path) -> dict[str, str]:
    """Make the plugin an installed one for every Python that runs with the environment that this gives."""
    information = folder / "novukit_ledger-1.0.dist-info"
    information.mkdir(exist_ok=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: novukit-ledger\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[novukit]\nledger = {__name__}\n")
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(root)])}
