"""Arrays say the same to Postgres in our form as in asyncpg's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from novukit.store import arrays

pytestmark = pytest.mark.anyio

Two = tuple[Any, Any]


@pytest.fixture
async def two(empty_postgres: str) -> AsyncIterator[Two]:
    """A connection as asyncpg makes it, and one that speaks our form."""
    plain, ours = await asyncpg.connect(empty_postgres), await asyncpg.connect(empty_postgres)
    assert arrays.speak(ours), "asyncpg has no such door any more: arrays are slower than they could be"
    yield plain, ours
    await plain.close()
    await ours.close()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uuid[]", []),
        ("uuid[]", [uuid4(), None, UUID(int=0)]),
        ("uuid[]", [uuid4() for _ in range(300)]),
        ("uuid[]", [str(uuid4()), str(uuid4())]),
        ("text[]", []),
        ("text[]", ["", None, "ada", "NULL", 'a "b" \\ {c}, d', "Grüße 🎉", "a\nb\x1f"]),
        ("bigint[]", []),
        ("bigint[]", [0, -1, None, 2**63 - 1, -(2**63)]),
        ("integer[]", [0, -1, None, 2**31 - 1, -(2**31)]),
        ("integer[]", (1, 2, 3)),
    ],
)
async def test_what_is_given_is_what_arrives(two: Two, kind: str, values: list[Any]) -> None:
    told = [await one.fetchrow(f"select $1::{kind} as it, $1::{kind}::text as said", values) for one in two]
    assert told[1]["it"] == told[0]["it"]
    assert told[1]["said"] == told[0]["said"]
    assert await two[1].fetchval(f"select cardinality($1::{kind})", values) == len(values)
    for given, back in zip(values, told[1]["it"], strict=True):
        assert given == back or str(given) == str(back)


async def test_none_is_none(two: Two) -> None:
    for one in two:
        assert await one.fetchval("select $1::uuid[]", None) is None
        assert await one.fetchval("select array_agg(x) from unnest($1::bigint[]) as x", []) is None


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uuid[]", ["not a uuid"]),
        ("uuid[]", "not a list"),
        ("text[]", [1]),
        ("bigint[]", ["1"]),
        ("bigint[]", [2**63]),
        ("integer[]", [2**31]),
        ("integer[]", [None, "1"]),
    ],
)
async def test_what_is_no_such_array_is_refused_before_it_is_sent(two: Two, kind: str, values: Any) -> None:
    for one in two:
        with pytest.raises(asyncpg.DataError):
            await one.fetchval(f"select $1::{kind}", values)
        assert await one.fetchval("select 1") == 1
