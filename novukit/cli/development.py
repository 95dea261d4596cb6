"""The work of ``novukit dev``: app, server and worker in one process, a banner, and a line for all that happens."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from ..errors import NovukitError, SyncRefused
from .output import Output
from .serving import Stop, address, collect_less, listen_at, log_to_stderr, server, tell_missing, together
from .session import own_key
from .values import count, span, texts

if TYPE_CHECKING:
    from ..app import App
    from ..model import Execution, Message, Plan
    from ..settings import Settings
    from ..store import Scope

LOOK = 0.4
"""Seconds between two looks at what happened."""
MOST_LINES = 20
"""Lines that one look prints at most."""


async def run(settings: Settings, output: Output) -> int:
    """Serve and work until a signal comes; gives the exit code."""
    from ..app import App
    from ..providers import HttpClient, PluginHost

    stop = Stop()
    stop.listen()
    log_to_stderr(settings)
    collect_less()
    os.chdir(settings.root)  # credentials may name folders
    with listen_at(settings.host, settings.port) as listening:
        # Providers may reach this machine and its network here; elsewhere they may not.
        host = PluginHost(http=HttpClient(allow_private=True))
        async with App(settings, development=True, host=host) as app:
            key = await own_key(app)
            scope = app.runtime.scope(await app.bootstrap())
            tell_missing(app, output)
            plan = await _sync(app, scope, output)
            url = address(settings.host, listening)
            await _banner(app, scope, output, url=url, key=key, plan=plan)
            serving, worker = server(app), app.worker()
            stop.then(worker.stop)
            stop.then(lambda: setattr(serving, "should_exit", True))
            if stop.asked:
                return stop.exit_code
            watching = asyncio.create_task(_tell(scope, output))
            try:
                await together(serving.serve(sockets=[listening]), worker.run())
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
    return stop.exit_code


async def _sync(app: App, scope: Scope, output: Output) -> Plan:
    """Bring the workflows of the code to the environment. An empty code base deletes nothing."""
    from ..engine import sync

    manifest = app.runtime.registry.manifest()
    try:
        return await sync.apply(app.runtime, scope, manifest, prune=True)
    except SyncRefused as err:
        output.note(("! ", "yellow"), err.message)
        return await sync.plan(app.runtime, scope, manifest)


async def _banner(app: App, scope: Scope, output: Output, *, url: str, key: str, plan: Plan) -> None:
    from ..store import integrations

    settings, workflows = app.settings, list(app.runtime.registry)
    places = await integrations.list_all(scope, app.runtime.secrets)
    if output.as_json:
        output.event(
            "started", url=url, environment=settings.environment, keyHint=key[-4:],
            workflows={one.id: len(one.spec().steps) for one in workflows},
            integrations=[one.identifier for one in places],
        )  # fmt: skip
        return
    output.line(("novukit dev", "bold"), "  ", (url, "bold cyan"))
    output.line("")
    changed = {one.workflow_id: "new" for one in plan.create} | {one.workflow_id: "changed" for one in plan.change}
    room = max((len(one.id) for one in workflows), default=0)
    lines = [
        f"{one.id.ljust(room)}  {count(len(one.spec().steps), 'step')}  {changed.get(one.id, '')}".rstrip()
        for one in workflows
    ]
    lines += [f"{one.workflow_id}  deleted, {count(one.in_flight, 'execution')} in flight" for one in plan.delete]
    output.record(
        {
            "API": f"{url}/docs",
            "Environment": f"{settings.environment}, secret key …{key[-4:]} (novukit keys)",
            "Database": _database(settings),
            "Workflows": lines[0] if lines else "none: see `workflows` in novukit.toml",
        }
    )
    for line in lines[1:]:
        output.line(" " * 13, line)
    channels = [f"{one.channel.replace('_', '-')}: {one.identifier}" for one in places if one.active]
    if channels:
        output.record({"Channels   ": ", ".join(channels)})
    else:
        output.line(
            ("! ", "yellow"), "No integration is active: channel steps will fail. See `novukit integrations add`."
        )
    output.line("")
    output.line(("  Ctrl-C stops. Changed files start it again.", "dim"))
    output.line("")


def _database(settings: Settings) -> str:
    if settings.database.startswith("sqlite:///"):
        file = Path(settings.database.removeprefix("sqlite:///"))
        return str(file.relative_to(settings.root)) if file.is_relative_to(settings.root) else str(file)
    return settings.database.rpartition("@")[2]


async def _tell(scope: Scope, output: Output) -> None:
    """Print a line for each execution that settles and each message of it, for ever."""
    teller = _Teller(scope, output)
    while True:
        try:
            await teller.look()
        except NovukitError as err:
            output.note(("! ", "yellow"), err.message)
        await asyncio.sleep(LOOK)


class _Teller:
    """Remembers what was told."""

    def __init__(self, scope: Scope, output: Output) -> None:
        self._scope, self._output = scope, output
        self._status: dict[UUID, str] = {}
        self._since: datetime = scope.now()

    async def look(self) -> None:
        """Tell of what has changed since the last look."""
        from ..store import history
        from ..store.pages import PageQuery

        page = await history.executions(self._scope, query=PageQuery(limit=100))
        seen = {one.id: one for one in page.data}
        open_ = [known for known, status in self._status.items() if status not in _FINAL and known not in seen]
        for known in open_[:100]:
            if one := await history.execution(self._scope, known):
                seen[known] = one
        news = [one for one in reversed(seen.values()) if self._is_news(one)]
        for one in news[:MOST_LINES]:
            await self._tell_of(one)
        if len(news) > MOST_LINES:
            self._output.line((f"          … and {len(news) - MOST_LINES} more", "dim"))

    def _is_news(self, one: Execution) -> bool:
        before = self._status.get(one.id)
        self._status[one.id] = one.status.value
        ended_before = one.finished_at is not None and one.finished_at < self._since
        return before != one.status.value and not ended_before and one.status.value in _TOLD

    async def _tell_of(self, one: Execution) -> None:
        from ..store import history

        messages = await history.messages_of(self._scope, one.id)
        if self._output.as_json:
            self._output.event(
                "execution", id=str(one.id), workflow=one.workflow_id, subscriber=one.subscriber_id,
                status=one.status.value, reason=one.reason.value if one.reason else None,
                messages=[str(message.id) for message in messages],
            )  # fmt: skip
            return
        for line in _execution(one):
            self._output.line(*line)
        for message in messages if one.status.is_final else []:
            self._output.line(*_message(message))


_FINAL = frozenset({"completed", "merged", "cancelled", "failed", "parked"})
_TOLD = _FINAL | {"waiting"}


def _execution(one: Execution) -> list[list[str | tuple[str, str]]]:
    from .reasons import in_words
    from .timeline import mark

    shown, style = mark(one.status.value)
    at = (one.finished_at or one.started_at or one.created_at).astimezone()
    why = in_words(one.reason.value if one.reason else None)
    line: list[str | tuple[str, str]] = [
        (f"{at:%H:%M:%S}  ", "dim"), (f"{shown} ", style), (one.workflow_id, "bold"), " for ",
        (one.subscriber_id, "cyan"), (f"  {one.status.value}", style),
    ]  # fmt: skip
    if one.status.value == "waiting" and one.wake_at:
        line.append((f" until {one.wake_at.astimezone():%H:%M:%S}" + (f" in {one.step}" if one.step else ""), "dim"))
    elif one.finished_at:
        line.append((f" after {span(one.finished_at - one.created_at)}", "dim"))
    lines = [line]
    if one.status.can_resume:
        lines += [
            [" " * 12, (f"{why}{': ' if why and one.detail else ''}{one.detail}"[:300], style)],
            [" " * 12, (f"novukit executions show {one.id}", "dim")],
        ]
    return lines


def _message(message: Message) -> list[str | tuple[str, str]]:
    content = message.content
    words = str(content.get("subject") or content.get("body") or "")
    to = ", ".join(texts(content, "to"))
    where = f" to {to}" if to else ""
    status = "" if message.status.value == "sent" else f"  {message.status.value}"
    return [
        " " * 12, f"{message.channel.replace('_', '-')} «{' '.join(words.split())[:50]}»{where}",
        (f"  {message.provider_id or 'inbox'}{status}", "dim"),
    ]  # fmt: skip
