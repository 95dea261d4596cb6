"""`novukit sync`: the plan as one reads it, what it refuses, and its exit codes."""

from __future__ import annotations

import pytest

from novukit.cli.output import Output
from novukit.cli.plan import draw

from .conftest import WORKFLOWS, Project

ONE = '''
"""One."""
from novukit import Context, workflow


@workflow("welcome", name="Welcome aboard")
async def welcome(ctx: Context[None]) -> None:
    await ctx.step.in_app("hello", body="Hello.")
    await ctx.step.push("bell", subject="Hello")
'''


def test_the_first_sync_creates_and_the_second_has_nothing_to_do(project: Project) -> None:
    """Y1: exit code 0 for both."""
    first, second = project.run("sync"), project.run("sync")

    assert (first.code, second.code) == (0, 0)
    assert "+ welcome  Welcome\n    + step hello  in-app\n    + step mail   email" in first.out
    assert "2 to create." in first.out
    assert "✓ Applied." in first.out
    assert second.out == "No changes; 2 unchanged.\n"
    assert f"development in {project.folder}" in first.err


def test_check_changes_nothing_and_exits_with_3(project: Project) -> None:
    """Y11: drift; 0 once it is applied."""
    drift = project.run("sync", "--check")
    again = project.run("sync", "--check", "--json")
    project.run("sync")
    clean = project.run("sync", "--check")

    assert (drift.code, again.code, clean.code) == (3, 3, 0)
    assert "Run `novukit sync` to apply this." in drift.err
    assert again.json["applied"] is False
    assert [one["workflowId"] for one in again.json["plan"]["create"]] == ["later", "welcome"]


def test_a_change_is_shown_step_by_step_with_what_is_in_flight(synced: Project) -> None:
    """What is new, gone, and where executions wait."""
    synced.ok("trigger", "later", "--to", "ada", "--json")
    synced.work()
    synced.workflows(WORKFLOWS.replace('"wait", timedelta(hours=1)', '"sleep", timedelta(hours=1)'))

    told = synced.run("sync").out

    assert "~ later  1 execution in flight" in told
    assert "+ step sleep  delay" in told
    assert "- step wait   delay  ⏲ 1 execution waits there" in told
    assert "1 to change; 1 unchanged." in told


def test_a_deletion_needs_a_flag(synced: Project) -> None:
    """Y2: exit code 5 and the flag; `--allow-delete` for one, `--prune` for all."""
    synced.workflows(ONE)

    refused = synced.run("sync")
    allowed = synced.run("sync", "--allow-delete", "later")

    assert refused.code == 5
    assert "- later" in refused.out
    assert "--allow-delete later" in refused.err
    assert allowed.code == 0
    assert [one["workflowId"] for one in synced.json("workflows", "list")["data"]] == ["welcome"]


def test_a_code_base_without_workflows_deletes_nothing(synced: Project) -> None:
    """Y3: even `--prune` does not empty an environment."""
    synced.workflows('"""None."""\n')

    result = synced.run("sync", "--prune")

    assert result.code == 5
    assert "0 workflows found; 2 workflows would be deleted." in result.err


def test_no_module_is_named(project: Project) -> None:
    """Exit code 2, and what to write."""
    project.write("novukit.toml", "")

    result = project.run("sync")

    assert result.code == 2
    assert 'workflows = ["app.workflows"]' in result.err


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("import nowhere_at_all", 1, [".py:1", "ModuleNotFoundError", "nowhere_at_all"]),
        ("x = 1\ny = x / 0", 1, [".py:2", "ZeroDivisionError"]),
        ("def f(:\n  pass", 1, [".py:1", "not valid Python"]),
        (ONE + ONE.replace("async def welcome", "async def other"), 2, ["Two workflows are called 'welcome'"]),
        (ONE.replace("async def", "def").replace("await ", ""), 2, [".py:6"]),
    ],
)
def test_what_is_wrong_with_the_code_is_told_with_its_place(
    project: Project, text: str, code: int, words: list[str]
) -> None:
    """C12 to C16: their file and line, their exception, no traceback."""
    project.workflows(text)

    result = project.run("sync")

    assert result.code == code, result.err
    assert [word for word in words if word not in result.err] == []
    assert "Traceback" not in result.err


def test_a_module_that_does_not_exist_is_told(project: Project) -> None:
    """C12's kin: what `workflows` names."""
    project.write("novukit.toml", 'workflows = ["nowhere.at_all"]')

    result = project.run("sync")

    assert result.code == 2
    assert "There is no module 'nowhere.at_all'" in result.err


def test_check_needs_no_secrets(project: Project) -> None:
    """A pipeline can look for drift without the credentials of production."""
    project.write(
        "novukit.toml",
        f'workflows = ["{project.module}"]\n[[integrations]]\nidentifier = "m"\nprovider = "smtp"\n'
        'credentials = { host = "h", from = "a@example.com", password = { env = "NOT_SET_ANYWHERE" } }\n',
    )

    assert project.run("sync", "--check").code == 3


def test_a_workflow_is_shown_with_its_versions(synced: Project) -> None:
    """After a change there are two; the payload's fields are told."""
    before = synced.ok("workflows", "show", "welcome").out
    synced.workflows(ONE)
    synced.run("sync", "--prune")
    after = synced.ok("workflows", "show", "welcome").out

    assert "welcome  Welcome" in before
    assert "name   string  no" in before
    assert "1 version\n" in before
    assert "2 versions\n" in after
    assert "2 steps" in after


def test_an_unknown_workflow_is_told_with_the_closest(synced: Project) -> None:
    """Exit code 2."""
    result = synced.run("workflows", "show", "welcom")

    assert result.code == 2
    assert "welcom" in result.err


def test_a_plan_can_be_read_on_any_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """All kinds of changes."""
    step = {"sign": "-", "stepId": "hourly", "kind": "digest", "waiting": 12}
    change = {"workflowId": "a", "name": "A", "steps": [step], "fields": ["payload_schema"], "inFlight": 12}
    draw(Output(), {"create": [], "change": [change], "delete": [{**change, "workflowId": "b"}], "unchanged": ["c"]})

    lines = "    - step hourly  digest  ⏲ 12 executions wait there\n    ~ payload schema\n\n"
    assert capsys.readouterr().out == (
        f"~ a  A  12 executions in flight\n{lines}- b  A  12 executions in flight\n{lines}"
        "1 to change, 1 to delete; 1 unchanged.\n"
    )
