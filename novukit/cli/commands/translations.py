"""``novukit translations``: texts in the languages of the subscribers, as one file for each locale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import click

from ...errors import InvalidInput, NotFound
from .. import shape
from ..index import summary
from ..output import Column
from ..session import Session
from ..values import count

command = shape.group(
    "translations",
    summary("translations"),
    examples="""
    novukit translations pull locales
    novukit translations push locales
    novukit translations list
    """,
)
ROUTE = "/v2/translations/master-json"


@command.command("list", examples="novukit translations list")
@shape.connected
async def list_(session: Session) -> None:
    """List the locales that there are texts in."""
    found: list[dict[str, Any]] = await session.get("/v1/translations")

    def draw() -> None:
        session.output.table(
            [Column("Locale", "cyan"), Column("Workflows and layouts", right=True), Column("Texts", right=True)],
            [[one["locale"], str(one["resources"]), str(one["texts"])] for one in found],
            empty="There are no translations. `novukit translations push FOLDER` brings some.",
        )

    session.output.show({"data": found}, draw)


@command.command("push", examples="novukit translations push locales --environment production")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@shape.connected
async def push(session: Session, *, folder: Path) -> None:
    """Keep the texts of the files in FOLDER, each named after its locale: en_US.json.

    A file holds the texts of workflows and layouts by their ids:
    {"workflows": {"welcome": {"subject": "Hello"}}, "layouts": {}}. What is not in the files stays as it is.
    """
    read = [(file, _texts(file)) for file in _files(folder)]
    told: list[dict[str, Any]] = []
    for file, texts in read:
        done = await session.post(ROUTE, {"locale": file.stem, "masterJson": texts})
        told.append({"locale": file.stem, **done})
        for name in done["failed"]:
            session.output.note(("! ", "yellow"), f"{file.name}: the environment has no workflow or layout {name!r}.")
    session.done({"data": told}, f"Pushed {count(len(read), 'locale')}.")
    if any(one["failed"] for one in told):
        click.get_current_context().exit(1)


@command.command("pull", examples="novukit translations pull locales")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@shape.connected
async def pull(session: Session, *, folder: Path) -> None:
    """Write the texts of the environment to FOLDER, one file for each locale."""
    locales = [str(one["locale"]) for one in await session.get("/v1/translations")]
    for locale in locales:
        _write(folder, locale, await session.get(ROUTE, locale=locale))
    session.done({"locales": locales}, f"Wrote {count(len(locales), 'file')} to {folder}.")


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.json"))
    if not files:
        raise NotFound(f"There is no .json file in {folder}.", hint="Name each after its locale: en_US.json.")
    return files


def _write(folder: Path, locale: str, texts: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(texts, indent=2, ensure_ascii=False, sort_keys=True)
    (folder / f"{locale}.json").write_text(f"{text}\n", "utf-8")


def _texts(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as err:
        raise InvalidInput(f"{file} is not JSON: {err}.") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{file} does not hold a JSON object.", hint='Write {"workflows": {…}, "layouts": {…}}.')
    return cast("dict[str, Any]", value)
