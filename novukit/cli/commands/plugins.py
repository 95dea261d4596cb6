"""``novukit plugins``: the providers that are installed, and what is wrong with those that do not load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from .. import shape
from ..output import Column, Output, sign, text

if TYPE_CHECKING:
    from ...providers import PluginHost


@dataclass(frozen=True)
class Installed:
    """One provider, or one plugin that could not be loaded."""

    id: str
    channel: str
    plugin: str
    distribution: str
    version: str
    ok: bool
    error: str

    def wire(self) -> dict[str, Any]:
        return {**self.__dict__, "error": self.error or None}


@shape.command("plugins", examples="novukit plugins --channel sms")
@click.option("--channel", type=click.Choice(["email", "in_app", "sms", "push", "chat"]), help="Only this channel.")
@shape.local
async def command(output: Output, channel: str | None) -> None:
    """List the providers that are installed. Exits with 3 if a plugin does not load."""
    from ...providers import PluginHost

    host = PluginHost()
    try:
        found = [one for one in installed(host) if channel in (None, one.channel) or not one.ok]
    finally:
        await host.close()

    def draw() -> None:
        output.table(
            [
                Column("Provider", "cyan"), Column("Channel"), Column("From"), Column("Version", "dim"), Column(""),
                Column("", fold=True),
            ],
            [
                [
                    one.id, one.channel, one.distribution, one.version,
                    text((sign("✓"), "green") if one.ok else (sign("✗"), "red")), one.error,
                ]
                for one in found
            ],
            empty="No provider is installed for this channel.",
        )  # fmt: skip
        output.note(("More come with `pip install novukit-NAME`.", "dim"))

    output.show({"data": [one.wire() for one in found]}, draw)
    if not all(one.ok for one in found):
        click.get_current_context().exit(3)


def installed(host: PluginHost) -> list[Installed]:
    """Every provider of every plugin, by channel; plugins that failed come last."""
    found: list[Installed] = []
    for plugin in host.statuses:
        name, version = _distribution(plugin.distribution)
        if not plugin.ok:
            found.append(Installed(plugin.name, "", plugin.name, name, version, False, plugin.error or ""))
        for provider_id in plugin.providers:
            channel = host.get(provider_id).channel
            found.append(Installed(provider_id, channel, plugin.name, name, version, plugin.ok, plugin.error or ""))
    return sorted(found, key=lambda one: (not one.ok, one.channel, one.id))


def _distribution(name: str) -> tuple[str, str]:
    """Name and version of what a plugin came with: ``novukit-sendgrid 0.1.0``, or ``built in``."""
    from ... import __version__
    from ...providers.host import BUILT_IN

    base, _, version = name.partition(" ")
    return (name, __version__) if name == BUILT_IN else (base, version)
