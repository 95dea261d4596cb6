"""What every provider can do, for docs/provider-matrix.md: from the classes, and from what tests say of vendors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from novukit.cli.matrix import CHANNELS, Row, rows
from novukit.providers import AnyProvider, PluginHost
from novukit.providers.host import BUILT_IN
from novukit.testing.conformance import Vendor, read_plugin

PLUGINS = Path(__file__).parents[1] / "plugins"
NONE = "–"


@dataclass(frozen=True)
class Described:
    """One provider, the folder of its plugin, what could not be confirmed of its vendor, what it cannot keep."""

    row: Row
    folder: str = ""
    unconfirmed: tuple[str, ...] = ()
    weaker: tuple[str, ...] = ()

    @property
    def provider(self) -> type[AnyProvider]:
        return self.row.provider

    @property
    def link(self) -> str:
        """Its id, which leads to the page that tells more."""
        page = f"../plugins/{self.folder}/README.md" if self.folder else "providers.md"
        return f"[`{self.provider.id}`]({page})"


def described() -> list[Described]:
    """Every provider of this repository, plugins first within their channel; those that only pretend are left out."""
    found = [
        Described(row)
        for row in rows(PluginHost(installed=False))
        if not row.provider.id.startswith(("catcher-", "console-", "null-"))
    ]
    for project in sorted(PLUGINS.glob("*/pyproject.toml")):
        folder, open_questions = project.parent.name, dict[type[AnyProvider], dict[str, None]]()
        kits = read_plugin(project.parent).kits
        weaker = {kit.provider: tuple(dict.fromkeys(kit.weaker.values())) for kit in kits}
        for kit in kits:
            open_questions.setdefault(kit.provider, {}).update(dict.fromkeys(unconfirmed(kit.vendor)))
        found += [
            Described(Row(kind, folder), folder, tuple(named), weaker[kind]) for kind, named in open_questions.items()
        ]
    order = list(CHANNELS)
    return sorted(
        found,
        key=lambda one: (order.index(one.provider.channel), one.row.distribution == BUILT_IN, one.provider.id),
    )


def unconfirmed(vendor: Vendor) -> Iterator[str]:
    """The names of answers and callbacks whose shapes could not be checked against the vendor's own pages."""
    yield from (error.name for error in vendor.errors if not error.confirmed)
    if vendor.callbacks is not None:
        yield from (f"event {sample.name}" for sample in vendor.callbacks.samples if not sample.confirmed)


def parts() -> list[str]:
    """The page below its title."""
    found = described()
    opening = (
        "What each provider declares. The conformance kit holds it to all of it: a field that is marked reaches the "
        "vendor, one that is not is refused before anything is sent. `novukit providers` shows the same of what is "
        "installed. The ids lead to the page of the plugin: how to install it, its credentials, what to know."
    )
    written = [opening]
    for channel, title in CHANNELS.items():
        if listed := [one for one in found if one.provider.channel == channel]:
            written += [f"## {title}", *tables(listed)]
    return [*written, "## What is weaker", *weaknesses(found), "## What is not confirmed", *questions(found)]


def tables(listed: list[Described]) -> Iterator[str]:
    """Of one channel: the optional fields, then what happens at a second try and later."""
    kind = listed[0].provider.content_type
    fields = [name for name in kind.model_fields if name not in kind.plain and name != "overrides"]
    if fields:
        head = ["", *(f"`{name}`" for name in fields)]
        body = [[one.link, *("✓" if name in one.row.supports else "" for name in fields)] for one in listed]
        yield table(head, body)
    head = ["", "idempotency", "events", "limits"]
    body = [
        [one.link, one.row.idempotency, ", ".join(one.row.events) or NONE, ", ".join(one.row.limits) or NONE]
        for one in listed
    ]
    yield table(head, body)


def weaknesses(found: list[Described]) -> Iterator[str]:
    """What kits mark as what their provider can never keep."""
    yield "These only pass on to a library, which tells less than the kit asks for."
    yield table(["", "what it cannot keep"], [[one.link, "; ".join(one.weaker)] for one in found if one.weaker])


def questions(found: list[Described]) -> Iterator[str]:
    """What each vendor's tests mark with ``confirmed=False``."""
    yield (
        "The tests describe each vendor by its own pages, with title and date. These answers and events could not be "
        "checked there: they are as other sources have them, which the tests name."
    )
    body = [
        [one.link, ", ".join(dict.fromkeys(one_line(name) for name in one.unconfirmed))]
        for one in found
        if one.unconfirmed
    ]
    yield table(["", "answers and events"], body)


def table(head: list[str], body: list[list[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |") for cells in lines)


def one_line(text: str) -> str:
    """Text of a test as a cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")
