"""``novukit db``: create and upgrade the database's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import shape
from ..index import summary
from ..output import Output, sign

if TYPE_CHECKING:
    from ...settings import Settings
    from ...store import Database

command = shape.group("db", summary("db"), examples="novukit db upgrade")


@command.command("upgrade", examples="NOVUKIT_DATABASE=postgres://user:password@host/name novukit db upgrade")
@shape.configured
async def upgrade(output: Output, settings: Settings) -> None:
    """Create the tables, or bring them up to this version. Safe while others do the same."""
    from ...store import migrations

    database = _database(settings)
    await database.open()
    try:
        applied = await migrations.upgrade(database)
    finally:
        await database.close()

    def draw() -> None:
        for name in applied:
            output.line(("+ ", "green"), name)
        output.line((f"{sign('✓')} ", "green"), "The schema is up to date.")

    output.show({"applied": applied}, draw)


@command.command("check", examples="novukit db check || novukit db upgrade")
@shape.configured
async def check(output: Output, settings: Settings) -> None:
    """Say whether the tables fit this version; exit with 3 if they do not."""
    from ...errors import SchemaNewer, SchemaOutdated
    from ...store import migrations
    from ..failure import DRIFT, Stopped

    database = _database(settings)
    await database.open()
    try:
        await migrations.check(database)
        applied = await migrations.applied(database)
    except (SchemaNewer, SchemaOutdated) as err:
        raise Stopped(err.message, DRIFT, hint=err.hint) from None
    finally:
        await database.close()
    output.show(
        {"upToDate": True, "applied": applied},
        lambda: output.line((f"{sign('✓')} ", "green"), f"The schema is up to date ({applied[-1]})."),
    )


def _database(settings: Settings) -> Database:
    import random

    from ...clock import SystemClock, uuid7_source
    from ...store import Database

    clock = SystemClock()
    return Database(settings.database, clock=clock, new_id=uuid7_source(clock, random.SystemRandom()))
