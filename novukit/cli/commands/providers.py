"""``novukit providers``: what each one can do, and the kit that tries one that is being written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import shape
from ..index import summary
from ..output import Column, Output, sign

if TYPE_CHECKING:
    from ...testing.conformance import Plugin, Result
    from ..matrix import Row

NOTHING = "–"


@click.option("--channel", type=click.Choice(["email", "sms", "push", "chat"]), help="Only this channel.")
@shape.local
async def matrix(output: Output, channel: str | None) -> None:
    """What each provider can do, by channel."""
    from ...providers import PluginHost
    from ..matrix import CHANNELS, rows

    host = PluginHost()
    try:
        found = [row for row in rows(host) if channel in (None, row.provider.channel)]
    finally:
        await host.close()
    broken = [status.name for status in host.statuses if not status.ok]

    def draw() -> None:
        if not found:
            output.line("No provider is installed for this channel.")
        for each in CHANNELS:
            if listed := [row for row in found if row.provider.channel == each]:
                output.line((CHANNELS[each], "bold underline"))
                _draw(output, listed)
                output.line("")
        output.note((f"{NOTHING}: none. Idempotency is what a second try with the same key does.", "dim"))
        if broken:
            output.note(("! ", "yellow"), f"Not loaded: {', '.join(broken)}. `novukit plugins` says why.")

    output.show({"data": [row.wire() for row in found]}, draw)


def _draw(output: Output, listed: list[Row]) -> None:
    output.table(
        [
            Column("Provider", "cyan"), Column("Idempotency"), Column("Supports", fold=True),
            Column("Events", fold=True), Column("Limits", fold=True), Column("From", "dim", spare=True),
        ],
        [
            [
                row.provider.id, row.idempotency, _listed(row.supports), _listed(row.events), _listed(row.limits),
                row.distribution,
            ]
            for row in listed
        ],
        empty="",
    )  # fmt: skip


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words) or NOTHING


command = shape.group_with_default(
    "providers",
    summary("providers"),
    matrix,
    examples="""
    novukit providers --channel email
    novukit providers test plugins/novukit-resend
    """,
)


@command.command(
    "test",
    examples="""
    novukit providers test novukit-post
    novukit providers test novukit-post --only test_a_field
    """,
)
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--only", metavar="PREFIX", default="", help="Only the tests whose names begin so.")
@shape.local
async def test(output: Output, path: Path, only: str) -> None:
    """Try a provider with the conformance kit: a plugin's folder (this one unless named) or one of its test files.

    The plugin need not be installed. Nothing leaves this machine: the vendor is played by a local server. Exits with 1
    if a test fails, with 2 if there is nothing to test. `pytest` runs the same tests, and your own.
    """
    plugin = _read(path)
    ended = await _try(output, plugin, only)
    failed = [one for results in ended.values() for one in results if one.failure is not None]

    def draw() -> None:
        for fault in plugin.faults:
            output.line((f"{sign('✗')} ", "red"), ("the plugin", "bold"))
            _indented(output, fault)
        for one in failed:
            output.line((f"{sign('✗')} ", "red"), (one.name, "bold"))
            _indented(output, one.failure or "")
        for name, results in ended.items():
            wrong, weaker = (sum(bool(getattr(one, what)) for one in results) for what in ("failure", "weaker"))
            words = f"{len(results) - wrong - weaker} of {len(results)} passed"
            words += f", {weaker} it cannot keep: {'; '.join(reasons(results))}" if weaker else ""
            output.line((f"{sign('✗')} ", "red") if wrong else (f"{sign('✓')} ", "green"), (name, "cyan"), f"  {words}")
        if failed:
            hint = f"novukit providers test {path} --only {failed[0].name.partition('[')[0]}"
            output.line((f"{sign('→')} ", "cyan"), f"Correct the first, and run it alone: {hint}")

    value: dict[str, Any] = {
        "plugin": plugin.name, "passed": not (failed or plugin.faults), "faults": plugin.faults,
        "data": [
            {"provider": kit.provider.id, "channel": kit.provider.channel, "tests": len(ended[name]),
             "weaker": {one.name: one.weaker for one in ended[name] if one.weaker is not None},
             "failed": [{"name": one.name, "message": one.failure} for one in ended[name] if one.failure is not None]}
            for name, kit in _named(plugin).items()
        ],
    }  # fmt: skip
    output.show(value, draw)
    if failed or plugin.faults:
        click.get_current_context().exit(1)


def reasons(results: Sequence[Result]) -> list[str]:
    """Why tests need not pass, each reason once."""
    return list(dict.fromkeys(one.weaker for one in results if one.weaker is not None))


def _read(path: Path) -> Plugin:
    """The plugin at the path; what stops it ends the command as a mistake of usage."""
    from ...errors import PluginInvalid
    from ..failure import USAGE, Stopped

    try:
        from ...testing.conformance import read_plugin
    except ModuleNotFoundError as err:
        raise Stopped(f"The kit needs {err.name}.", USAGE, hint=f"pip install {err.name}") from None
    try:
        return read_plugin(path)
    except PluginInvalid as err:
        raise Stopped(err.message, USAGE, hint=err.hint) from None


async def _try(output: Output, plugin: Plugin, only: str) -> dict[str, list[Result]]:
    """The results of each kit."""
    from ...testing.conformance import results
    from ...testing.conformance.kit import runs
    from ..failure import USAGE, Stopped
    from ..progress import counted

    total = sum(name.startswith(only) for kit in plugin.kits for name, _ in runs(kit))
    if not total and plugin.kits:
        raise Stopped(f"No test begins with {only!r}.", USAGE, hint="pytest --collect-only names all of them.")
    ended: dict[str, list[Result]] = {}
    with counted(output, plugin.name, total) as done:
        for name, kit in _named(plugin).items():
            ended[name] = []
            async for one in results(kit, only):
                ended[name].append(one)
                done(1)
    return ended


def _named(plugin: Plugin) -> dict[str, Any]:
    """The kits by the ids of their providers; with the class where one provider has two."""
    ids = [kit.provider.id for kit in plugin.kits]
    return {
        kit.provider.id if ids.count(kit.provider.id) == 1 else f"{kit.provider.id} ({kit.__name__})": kit
        for kit in plugin.kits
    }


def _indented(output: Output, words: str) -> None:
    for line in words.splitlines():
        output.line(f"    {line}")
