"""Tests of pages: keyset pages without gaps or repeats, and cursors that fit only where they were made."""

from __future__ import annotations

import pytest

from novukit.errors import InvalidInput
from novukit.store import Database, Scope, pages, subscriptions, topics
from novukit.store.pages import PageQuery

from .people import environment, subscriber

pytestmark = pytest.mark.anyio


@pytest.fixture
async def scope(database: Database) -> Scope:
    return await environment(database)


async def _seven(scope: Scope) -> None:
    for n in range(1, 8):
        await topics.create(scope, f"t{n}")


async def _keys(scope: Scope, query: PageQuery) -> tuple[list[str], str | None, str | None]:
    page = await topics.page(scope, query)
    return [topic.key for topic in page.data], page.next, page.previous


async def _walk(scope: Scope, *, ascending: bool) -> list[str]:
    seen, after = [], None
    while True:
        keys, after, _ = await _keys(scope, PageQuery(after=after, limit=3, ascending=ascending))
        seen += keys
        if after is None:
            return seen


async def test_an_empty_list_has_one_empty_page(scope: Scope) -> None:
    """Nothing there: no rows, no cursors, a total of 0."""
    page = await topics.page(scope, PageQuery())
    assert ([], None, None, 0, False) == (page.data, page.next, page.previous, page.total, page.capped)


async def test_forwards_every_row_comes_once_newest_first(scope: Scope) -> None:
    """The pages of a list, one after another, are the list."""
    await _seven(scope)
    assert ["t7", "t6", "t5", "t4", "t3", "t2", "t1"] == await _walk(scope, ascending=False)


async def test_ascending_turns_the_order_round(scope: Scope) -> None:
    """Oldest first if asked for."""
    await _seven(scope)
    assert ["t1", "t2", "t3", "t4", "t5", "t6", "t7"] == await _walk(scope, ascending=True)


@pytest.mark.parametrize("ascending", [False, True])
async def test_backwards_gives_the_pages_that_forwards_gave(scope: Scope, ascending: bool) -> None:
    """From the last page the previous cursors lead back over the same pages, in the same order within each."""
    await _seven(scope)
    forwards, after = [], None
    while True:
        keys, after, previous = await _keys(scope, PageQuery(after=after, limit=3, ascending=ascending))
        forwards.append(keys)
        if after is None:
            break
    backwards, following = [], None
    while previous is not None:
        keys, following, previous = await _keys(scope, PageQuery(before=previous, limit=3, ascending=ascending))
        assert following is not None
        backwards.append(keys)
    assert forwards[:-1] == backwards[::-1]


async def test_the_first_page_has_nothing_before_it_and_the_last_nothing_after(scope: Scope) -> None:
    """A cursor is given only where there is something to be read."""
    await _seven(scope)
    _, following, previous = await _keys(scope, PageQuery(limit=6))
    assert (True, None) == (following is not None, previous)
    _, following, previous = await _keys(scope, PageQuery(limit=6, after=following))
    assert (None, True) == (following, previous is not None)


async def test_a_page_that_ends_with_the_list_has_no_next(scope: Scope) -> None:
    """Exactly as many rows as the limit: there is no empty page to follow."""
    await _seven(scope)
    assert (7, None) == (len((await _keys(scope, PageQuery(limit=7)))[0]), (await _keys(scope, PageQuery(limit=7)))[1])


async def test_include_cursor_gives_the_cursors_own_row_too(scope: Scope) -> None:
    """The row at the cursor is the first after it, or the last before it."""
    await _seven(scope)
    _, following, _ = await _keys(scope, PageQuery(limit=3))
    keys, _, previous = await _keys(scope, PageQuery(limit=3, after=following, include_cursor=True))
    assert ["t5", "t4", "t3"] == keys
    keys, _, _ = await _keys(scope, PageQuery(limit=3, before=previous, include_cursor=True))
    assert ["t7", "t6", "t5"] == keys


async def test_rows_that_come_and_go_neither_repeat_nor_hide_others(scope: Scope) -> None:
    """Between two pages a newer row comes and the cursor's own row goes: the rest is as it was."""
    await _seven(scope)
    keys, following, _ = await _keys(scope, PageQuery(limit=3))
    await topics.create(scope, "t8")
    await topics.delete(scope, keys[-1])
    assert ["t4", "t3", "t2"] == (await _keys(scope, PageQuery(limit=3, after=following)))[0]


async def test_the_total_counts_the_list_and_not_the_page(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """All seven are counted; above the cap counting stops and says so."""
    await _seven(scope)
    page = await topics.page(scope, PageQuery(limit=2))
    assert (7, False) == (page.total, page.capped)
    monkeypatch.setattr(pages, "COUNTED", 5)
    page = await topics.page(scope, PageQuery(limit=2))
    assert (5, True) == (page.total, page.capped)


@pytest.mark.parametrize("limit", [-1, 0, 101])
async def test_a_limit_out_of_range_is_refused(scope: Scope, limit: int) -> None:
    """1 to 100."""
    with pytest.raises(InvalidInput) as refused:
        await topics.page(scope, PageQuery(limit=limit))
    assert [("/limit", "out_of_range")] == [(issue.path, issue.code) for issue in refused.value.issues]


async def test_after_and_before_exclude_each_other(scope: Scope) -> None:
    """A page has one place."""
    with pytest.raises(InvalidInput, match="exclude"):
        await topics.page(scope, PageQuery(after="x", before="y"))


@pytest.mark.parametrize("cursor", ["", "x", "é", "AAAA", "A" * 32, "null", "00000000-0000-0000-0000-000000000000"])
async def test_garbage_is_not_a_cursor(scope: Scope, cursor: str) -> None:
    """Whatever is no cursor is refused, with the parameter's name and what to do."""
    for query, path in ((PageQuery(after=cursor), "/after"), (PageQuery(before=cursor), "/before")):
        with pytest.raises(InvalidInput) as refused:
            await topics.page(scope, query)
        assert [(path, "invalid_cursor", "Start again without a cursor.")] == [
            (issue.path, issue.code, issue.hint) for issue in refused.value.issues
        ]


async def test_a_cursor_fits_only_its_list_environment_and_direction(scope: Scope, database: Database) -> None:
    """A topics cursor is refused by another list, another environment, the other order, and when it was changed."""
    await _seven(scope)
    for name in "abc":
        await subscriber(scope, name)
    cursor = (await _keys(scope, PageQuery(limit=3)))[1]
    assert cursor is not None
    topic = await topics.by_key(scope, "t1")
    assert topic is not None
    with pytest.raises(InvalidInput, match="not a cursor of this list"):
        await subscriptions.page(scope, topic, PageQuery(after=cursor))
    with pytest.raises(InvalidInput, match="not a cursor of this list"):
        await topics.page(await environment(database, "production"), PageQuery(after=cursor))
    with pytest.raises(InvalidInput, match="orderDirection=DESC"):
        await topics.page(scope, PageQuery(after=cursor, ascending=True))
    with pytest.raises(InvalidInput, match="not a cursor of this list"):
        await topics.page(scope, PageQuery(after=cursor[:5] + ("A" if cursor[5] != "A" else "B") + cursor[6:]))
