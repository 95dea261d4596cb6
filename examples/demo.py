"""The examples, run for real in half a minute: ``python -m examples.demo``, or ``make demo``.

One process is server, worker and sweeper over a SQLite file; a real SMTP server on this machine receives the mail; the
commands that are shown are run as they stand. Only time is helped along: novukit's clock is wound forward, so that an
hour's digest does not take an hour.
"""

from __future__ import annotations

import asyncio
import email
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from novukit import Client
from novukit.app import App
from novukit.cli.serving import listen_at, server
from novukit.cli.session import own_key
from novukit.clock import SystemClock
from novukit.providers import HttpClient, PluginHost
from novukit.settings import Settings

HERE = Path(__file__).resolve().parent
PATIENCE = 20.0
"""Seconds that anything in the demo may take before it is called a failure."""

TOML = """
workflows   = ["examples.blog.workflows", "examples.shop.workflows", "examples.signup.workflows"]
templates   = [{templates}]

[worker]
lease = 86400.0

[[integrations]]
identifier  = "mail"
provider    = "smtp"
credentials = {{ host = "127.0.0.1", port = {port}, from = "hello@example.com", senderName = "The demo" }}

[[integrations]]
identifier  = "phone"
provider    = "catcher-sms"

[[integrations]]
identifier  = "devices"
provider    = "catcher-push"
"""

console = Console(highlight=False, width=min(Console().width, 100))


class WoundClock(SystemClock):
    """The machine's clock, which can be wound forward."""

    def wind(self, by: timedelta) -> None:
        self.move(by)


class Mailroom:
    """What the SMTP server received."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 OK"


async def main() -> None:
    """The whole walk."""
    began = time.monotonic()
    mailroom = Mailroom()
    with tempfile.TemporaryDirectory(prefix="novukit-demo-") as folder:
        with listen_at("127.0.0.1", 0) as free:
            port = int(free.getsockname()[1])
        controller = Controller(mailroom, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            async with embedded(Path(folder), port) as demo:
                demo.mailroom = mailroom
                await blog(demo)
                await signup(demo)
                await shop(demo)
        finally:
            controller.stop()
    console.print()
    console.rule(style="green")
    console.print(f"  Done in {time.monotonic() - began:.0f} seconds. Yours next: [bold]novukit init hello[/]\n")


class Demo:
    """The running stack, and how the demo speaks to it."""

    def __init__(self, folder: Path, clock: WoundClock, client: Client) -> None:
        self.folder, self.clock, self.client = folder, clock, client
        self.mailroom = Mailroom()

    async def command(self, *words: str, shown: str | None = None) -> str:
        """Run a novukit command as one would at a prompt, and show what it says."""
        console.print(Text.assemble(("\n$ ", "bold green"), (shown or " ".join(["novukit", *words]), "bold")))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "novukit.cli", *words, cwd=self.folder, stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"COLUMNS": str(console.width - 2), "PYTHONPATH": str(HERE.parent)},
        )  # fmt: skip
        said, _ = await process.communicate()
        console.print(Padding(Text(said.decode().rstrip()), (0, 0, 0, 2)))
        if process.returncode:
            raise SystemExit(f"novukit {words[0]} ended with exit code {process.returncode}")
        return said.decode()

    async def trigger(self, workflow: str, to: str, **payload: Any) -> str:
        """Trigger a workflow from the command line and give its transaction id."""
        transaction = f"{workflow}-{len(self.mailroom.mails)}-{time.monotonic_ns() % 100_000}"
        text = json.dumps(payload)
        shown = f"novukit trigger {workflow} --to {to} --payload '{text if len(text) < 60 else text[:56] + ' …'}'"
        await self.command(
            "trigger", workflow, "--to", to, "--payload", text, "--transaction-id", transaction, shown=shown
        )  # fmt: skip
        return transaction

    async def inbox(self, subscriber: str, count: int) -> None:
        """Wait until a subscriber's inbox holds ``count`` messages, and show the newest."""
        path = f"/v2/subscribers/{subscriber}/notifications"
        feed: list[dict[str, Any]] = []

        async def arrived() -> bool:
            nonlocal feed
            feed = (await self.client.request("GET", path))["data"]
            return len(feed) >= count

        await until(arrived, f"{count} in-app messages for {subscriber}")
        newest = feed[0]
        card(f"In the inbox of {subscriber}", newest.get("subject") or "", newest["body"], "cyan")

    async def mail(self, count: int) -> None:
        """Wait until the SMTP server has received ``count`` mails in all, and show the newest."""

        async def arrived() -> bool:
            return len(self.mailroom.mails) >= count

        await until(arrived, f"mail number {count}")
        mail = self.mailroom.mails[count - 1]
        plain = mail.get_body(("plain",))
        html = mail.get_body(("html",))
        body = plain.get_content().strip() if plain else ""
        parts = f"{len(body)} characters of text, {len(html.get_content()) if html else 0} of HTML with inlined CSS"
        heads = "\n".join(f"{name}: {mail[name]}" for name in ("From", "To", "Message-ID"))
        card("Received by the SMTP server", str(mail["Subject"]), f"{heads}\n\n{body}\n\n({parts})", "magenta")

    def wind(self, by: timedelta, why: str) -> None:
        """Let time pass for novukit."""
        self.clock.wind(by)
        hours = by.total_seconds() / 3600
        console.print(Text(f"\n⏩ novukit's clock is wound {hours:.0f} h forward: {why}", style="yellow"))

    async def timeline(self, transaction: str, waiting: bool = False) -> None:
        """Wait until a transaction's executions have come to rest, and draw them."""
        await self.rest(transaction, waiting)
        await self.command("executions", "show", transaction)

    async def rest(self, transaction: str, waiting: bool = False) -> None:
        """Wait until a transaction's executions have ended, or, with ``waiting``, sleep."""
        rest = {"completed", "merged", "failed", *(["waiting"] if waiting else [])}

        async def rested() -> bool:
            page = await self.client.request("GET", "/v1/executions", params={"transactionId": transaction})
            return bool(page["data"]) and all(one["status"] in rest for one in page["data"])

        await until(rested, f"the end of {transaction}")


async def blog(demo: Demo) -> None:
    """Two comments: each at once in the inbox, both in one e-mail."""
    console.rule("[bold]A blog[/]: comments at once in the inbox, once an hour by e-mail", align="left")
    await demo.command("sync")
    post = {"post_id": "1", "post_title": "Tea for beginners"}
    first = await demo.trigger("comment-on-post", "ada@example.com", **post, commenter="Bob", text="Lovely!")
    await demo.inbox("ada@example.com", 1)
    second = await demo.trigger("comment-on-post", "ada@example.com", **post, commenter="Cy", text="Which pot?")
    await demo.inbox("ada@example.com", 2)
    await demo.timeline(second)
    demo.wind(timedelta(hours=1), "the digest closes")
    await demo.mail(1)
    await demo.timeline(first)


async def signup(demo: Demo) -> None:
    """A welcome in two channels; the nudge is two days away, and sleeps as a row."""
    console.print()
    console.rule("[bold]A sign-up[/]: a welcome now, a nudge in two days", align="left")
    transaction = await demo.trigger("welcome-aboard", "grace@example.com", name="Grace", interest="oolong")
    await demo.mail(2)
    await demo.inbox("grace@example.com", 1)
    await demo.timeline(transaction, waiting=True)


async def shop(demo: Demo) -> None:
    """A receipt, a push message on the way, an SMS on the day."""
    console.print()
    console.rule("[bold]A shop[/]: from the receipt to the door", align="left")
    person = {"phone": "+4915112345678"}
    await demo.client.request(
        "POST", "/v2/subscribers", json={"subscriberId": "lin", "email": "lin@example.com", **person}
    )
    tokens = {"providerId": "fcm", "credentials": {"deviceTokens": ["lins-phone"]}}
    await demo.client.request("PUT", "/v1/subscribers/lin/credentials", json=tokens)
    delivery = (demo.clock.now() + timedelta(hours=20)).replace(microsecond=0)
    transaction = await demo.trigger(
        "order-placed", "lin", number="1042", delivery=delivery.isoformat(),
        items=[{"name": "Tea pot", "quantity": 1, "price": "39.00"}, {"name": "Cups", "quantity": 4, "price": "9.50"}],
    )  # fmt: skip
    await demo.mail(3)
    await demo.rest(transaction, waiting=True)
    demo.wind(timedelta(hours=20), "the parcel arrives")
    await demo.timeline(transaction)


@asynccontextmanager
async def embedded(folder: Path, smtp_port: int) -> AsyncGenerator[Demo]:
    """Server, worker and sweeper in this process, over a SQLite file in ``folder``."""
    templates = ", ".join(json.dumps(str(HERE / name / "templates")) for name in ("blog", "shop", "signup"))
    (folder / "novukit.toml").write_text(TOML.format(templates=templates, port=smtp_port), "utf-8")
    settings, clock = Settings.load(folder / "novukit.toml"), WoundClock()
    with listen_at("127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with App(settings, clock=clock, host=PluginHost(http=HttpClient(allow_private=True))) as app:
            key = await own_key(app)
            serving, worker = server(app), app.worker()
            running = [asyncio.ensure_future(serving.serve(sockets=[listening])), asyncio.ensure_future(worker.run())]
            try:
                async with Client(url, key) as client:
                    yield Demo(folder, clock, client)
            finally:
                serving.should_exit = True
                worker.stop()
                await asyncio.gather(*running)


async def until(done: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for ``done``; the demo fails when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not await done():
        if time.monotonic() > deadline:
            raise SystemExit(f"The demo waited {PATIENCE:.0f} seconds for {what} in vain.")
        await asyncio.sleep(0.05)


def card(title: str, head: str, body: str, style: str) -> None:
    """A message, as a picture of one."""
    words = Text.assemble((head, "bold"), "\n", body) if head else Text(body)
    console.print()
    console.print(Padding(Panel(words, title=title, title_align="left", border_style=style, width=76), (0, 0, 0, 2)))


if __name__ == "__main__":
    asyncio.run(main())
