"""`novukit prune`: what ended long ago goes, and nothing else; a person is asked before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from novukit.app import App
from novukit.settings import Settings
from novukit.testing.clock import VirtualClock

from ..rows import Rows
from .conftest import Project


@pytest.fixture
def aged(synced: Project) -> Project:
    """The project with two executions of a hundred days ago, one of them asleep, and one of now."""

    async def main() -> None:
        now = datetime.now(UTC)
        clock = VirtualClock(now - timedelta(days=100))
        async with App(Settings.load(synced.folder), clock=clock) as app:
            rows = Rows(app.runtime.scope(await app.bootstrap()), app.runtime.new_id())
            await rows.execution(status="completed", finished_at=clock.now())
            await rows.execution(status="waiting", wake_at=now + timedelta(days=1))
            clock.advance(timedelta(days=100))
            await rows.execution(status="completed", finished_at=now)

    asyncio.run(main())
    return synced


def left(project: Project) -> list[str]:
    return sorted(one["status"] for one in project.json("executions", "list")["data"])


def test_what_is_old_goes(aged: Project) -> None:
    """After a dry run has told what would; the second time there is nothing to do."""
    dry = aged.json("prune", "--older-than", "90d", "--dry-run")
    before = left(aged)
    done = aged.json("prune", "--older-than", "90d", "--yes")
    again = aged.json("prune", "--older-than", "90d", "--yes")

    assert {"executions": 1, "events": 1} == dry["wouldDelete"] == done["deleted"]
    assert ["completed", "completed", "waiting"] == before
    assert ["completed", "waiting"] == left(aged)
    assert {} == again["deleted"]


def test_it_tells_people(aged: Project) -> None:
    """In words."""
    assert "It would delete 1 execution, 1 event." in aged.ok("prune", "--older-than", "12w", "--dry-run").out
    assert "✓ Deleted 1 execution, 1 event." in aged.ok("prune", "--older-than", "12w", "--yes").out
    assert "Nothing is that old." in aged.ok("prune", "--older-than", "12w").out


def test_it_asks_before(aged: Project) -> None:
    """Where nobody can answer it refuses: exit code 5, and nothing has gone."""
    result = aged.run("prune", "--older-than", "90d")

    assert 5 == result.code
    assert "1 execution, 1 event" in result.err
    assert 3 == len(left(aged))


def test_the_age_may_stand_in_the_file(aged: Project) -> None:
    """`retention` is what is meant when nothing is said."""
    toml = (aged.folder / "novukit.toml").read_text()
    aged.write("novukit.toml", f'retention = "90d"\n{toml}')

    assert {"executions": 1, "events": 1} == aged.json("prune", "--yes")["deleted"]


@pytest.mark.parametrize("age", ["90", "0d", "-1d", "1.5d", "90 days", "1m", "9999999w", "90d; drop"])
def test_a_wrong_age_is_told(aged: Project, age: str) -> None:
    """Exit code 2; nothing has gone."""
    result = aged.run("prune", f"--older-than={age}", "--yes")

    assert 2 == result.code
    assert "--older-than" in result.err
    assert 3 == len(left(aged))


def test_no_age_at_all(aged: Project) -> None:
    """It must be said, here or in the file."""
    result = aged.run("prune", "--yes")

    assert 2 == result.code
    assert "--older-than 90d" in result.err


def test_a_wrong_retention_is_told_with_its_place(project: Project) -> None:
    """Line and column, and what to write."""
    project.write("novukit.toml", 'retention = "90"\n')
    result = project.run("prune", "--dry-run")

    assert 2 == result.code
    assert "novukit.toml:1:" in result.err
    assert "90d" in result.err


def test_one_environment_alone(aged: Project) -> None:
    """With --environment the others keep theirs."""
    other = aged.json("prune", "--older-than", "90d", "--yes", "--environment", "production")
    own = aged.json("prune", "--older-than", "90d", "--yes", "--environment", "development")

    assert ({}, {"executions": 1, "events": 1}) == (other["deleted"], own["deleted"])
