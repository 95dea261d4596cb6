"""Batches: many rows in a statement, the same on both engines, and on SQLite in as many statements as it takes."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from novukit.store import Database
from novukit.store.batch import Batch, together

pytestmark = pytest.mark.anyio

KEEP = Batch(
    "kept",
    "insert into thing (id, name, n, good, at) select u.id, u.name, u.n, u.good, u.at from {rows} where true "
    "on conflict (id) do nothing returning id",
    columns="id uuid, name text, n integer, good boolean, at timestamptz", here="thing", returns=True,
)  # fmt: skip
COUNT = Batch(
    "counted",
    "update thing as t set n = t.n + u.by from {rows} where t.id = u.id",
    columns="id uuid, by integer",
)
BEYOND = Batch(
    "beyond",
    "select t.id from {rows} join thing t on t.id = u.id where t.n > u.n",
    columns="id uuid, n integer", here="(select 1 limit 0) as r", returns=True, stop="found",
)  # fmt: skip
UNLESS_BEYOND = Batch("counted", f"{COUNT.sql} and not exists (select 1 from {{beyond}})", columns=COUNT.columns)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
async def things(database: Database) -> AsyncIterator[Database]:
    """A database with one table."""
    await database.fetch("create table thing (id uuid primary key, name text, n integer, good boolean, at timestamptz)")
    yield database
    await database.fetch("drop table thing")


async def test_times_are_kept_to_the_microsecond(things: Database) -> None:
    """From 1970 to 2200, in a group and alone: what is compared later must be equal."""
    chance, begin = random.Random(7), datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = int((datetime(2200, 1, 1, tzinfo=UTC) - begin) / timedelta(microseconds=1))
    times = [begin, *(begin + timedelta(microseconds=chance.randrange(microseconds)) for _ in range(500))]
    rows = {things.new_id(): at for at in times}
    alone = things.new_id()

    await together(things, [(KEEP, [(key, "", 0, True, at) for key, at in rows.items()])])
    await together(things, [(KEEP, [(alone, "", 0, True, times[-1])])])

    kept = {row["id"]: row["at"] for row in await things.fetch("select id, at from thing")}
    assert rows | {alone: times[-1]} == kept


@pytest.mark.parametrize("count", [1, 7, 8, 39, 41, 300])
async def test_every_row_is_written_once(things: Database, count: int) -> None:
    """Whatever their number; those that are there already are not told."""
    rows = [(things.new_id(), f"«{n}»", n, n % 2 == 0, NOON + timedelta(seconds=n)) for n in range(count)]
    assert [row[0] for row in rows] == (await together(things, [(KEEP, rows)]))["kept"]
    more = (things.new_id(), "more", 0, True, NOON)
    assert [more[0]] == (await together(things, [(KEEP, [*rows, more])]))["kept"]
    await together(things, [(COUNT, [(row[0], 1000) for row in rows])])
    there = await things.fetch("select id, name, n, good, at from thing where n >= 1000 order by n")
    assert [(r["id"], r["name"], r["n"], bool(r["good"]), r["at"]) for r in there] == [
        (row[0], row[1], row[2] + 1000, row[3], row[4]) for row in rows
    ]


async def test_a_time_is_stored_as_one_that_is_written_alone(things: Database) -> None:
    """With or without microseconds and in any zone: else times could not be compared as SQLite does it, as text."""
    there = timezone(timedelta(hours=-5))
    times = [NOON, NOON.replace(microsecond=1), NOON.replace(microsecond=500_000), NOON.astimezone(there), None]
    for at in times:
        alone, among = things.new_id(), things.new_id()
        await things.fetch("insert into thing (id, at) values ($1, $2)", alone, at)
        await together(things, [(KEEP, [(among, None, None, None, at), (things.new_id(), None, None, None, NOON)])])
        rows = await things.fetch("select cast(at as text) as at from thing where id in ($1, $2)", alone, among)
        assert rows[0]["at"] == rows[1]["at"]


async def test_a_stop_in_any_part_of_a_batch_lets_nothing_be_written(things: Database) -> None:
    """What is looked for may be in the last of many rows."""
    rows = [(things.new_id(), "", n, True, NOON) for n in range(50)]
    await together(things, [(KEEP, rows)])
    limits = [(row[0], 48) for row in rows]
    found = await together(things, [(BEYOND, limits), (UNLESS_BEYOND, [(rows[0][0], 5)])])
    assert [rows[49][0]] == found["beyond"]
    assert 0 == (await things.fetch("select n from thing where id = $1", rows[0][0]))[0]["n"]
    await together(things, [(BEYOND, limits[:49]), (UNLESS_BEYOND, [(rows[0][0], 5)])])
    assert 5 == (await things.fetch("select n from thing where id = $1", rows[0][0]))[0]["n"]


@pytest.mark.parametrize(
    "names",
    [
        ["a", "b"], ["", ""], [""], [None], [None, None], ["", None, "x"], ["a,b", '{"c"}', "\\", "NULL", "«é»"],
        ["a\x1fb", "c"], ["\x1e", "d"], ["\x1e", None], ["\x1f"],
    ],
)  # fmt: skip
async def test_every_text_comes_back_as_it_was(things: Database, names: list[str | None]) -> None:
    """Empty ones, none at all, and those that have in them what stands between texts that travel as one."""
    rows = [(things.new_id(), name, n, True, NOON) for n, name in enumerate(names)]
    await together(things, [(KEEP, rows)])
    there = await things.fetch("select name from thing order by n")
    assert [row["name"] for row in there] == names
