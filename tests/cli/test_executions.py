"""`novukit executions`: found by whole and partial ids, drawn as a timeline, resumed and cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from novukit.cli.output import Output
from novukit.cli.reasons import WORDS
from novukit.cli.timeline import MARKS, draw
from novukit.model import ExecutionStatus, Reason, StepStatus

from .conftest import Project


def triggered(project: Project, workflow: str = "welcome", **options: str) -> dict[str, Any]:
    """Trigger for Ada, work, and give the story of the execution."""
    more = [part for name, value in options.items() for part in (f"--{name}", value)]
    answer = project.json("trigger", workflow, "--to", "ada@example.com", *more)
    project.work()
    return project.json("executions", "show", answer["transactionId"])


def test_an_execution_is_found_by_each_of_its_ids(synced: Project) -> None:
    """Whole, by its beginning, by its end; by the transaction's id and the beginning of that."""
    story = triggered(synced)
    whole, transaction = story["id"], story["transactionId"]

    parts = (whole, whole[:12], whole[-8:], transaction, transaction[:9])
    found = [synced.json("executions", "show", part)["id"] for part in parts]

    assert set(found) == {whole}


def test_a_transaction_of_several_shows_them_all(synced: Project) -> None:
    """One story after the other."""
    answer = synced.json("trigger", "welcome", "--to", "ada", "--to", "bob")
    synced.work()

    stories = synced.json("executions", "show", answer["transactionId"])["data"]
    drawn = synced.ok("executions", "show", answer["transactionId"]).out

    assert sorted(story["subscriberId"] for story in stories) == ["ada", "bob"]
    assert drawn.count("welcome for ") == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("0190", "too short"),
        ("00000000-0000-7000-8000-000000000000", "There is no execution and no transaction"),
        ("zzzzzzzzzzzz", "There is no execution and no transaction"),
    ],
)
def test_an_id_of_nothing_is_told(synced: Project, given: str, words: str) -> None:
    """Exit code 2, and where to look."""
    result = synced.run("executions", "show", given)

    assert result.code == 2
    assert words in result.err


def test_the_timeline_tells_all_in_80_columns(synced: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Header, a line for each step, the message's words and addresses; nothing is wider."""
    story = triggered(synced, set="name=Ada")
    monkeypatch.setenv("COLUMNS", "80")

    lines = synced.ok("executions", "show", story["id"]).out.splitlines()

    told = "\n".join(lines)
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("✓ welcome for ada@example.com")
    assert lines[0].endswith("completed")
    assert f"execution   {story['id']}" in told
    assert f"transaction {story['transactionId']}" in told
    assert "✓ hello  in-app    completed" in told
    assert "✓ mail   email     completed" in told
    assert "«Welcome, Ada» to ada@example.com by catcher-email" in told
    assert story["steps"][1]["messageId"] in told


def test_a_skipped_step_says_why(synced: Project) -> None:
    """Bob has no address."""
    answer = synced.json("trigger", "welcome", "--to", "bob")
    synced.work()

    told = synced.ok("executions", "show", answer["transactionId"]).out

    assert "↷ mail   email     skipped" in told
    assert "the subscriber has no address for this channel" in told


def test_a_failed_execution_is_resumed_where_it_failed(synced: Project) -> None:
    """Without an integration the step fails; with one again, `resume` goes on there."""
    synced.ok("integrations", "update", "mail", "--inactive")
    story = _fail(synced)
    listed = synced.ok("executions", "list", "--status", "failed")
    resumed = synced.run("executions", "resume", story["id"])
    again = synced.run("executions", "resume", story["id"])

    assert story["status"] == "failed"
    assert "✗ failed" in listed.out
    assert (resumed.code, again.code) == (0, 1)
    assert "1 execution resumed." in resumed.out
    assert "No worker is running" in resumed.err
    assert "Only failed and parked executions can be resumed." in again.err


def _fail(project: Project) -> dict[str, Any]:
    """An execution that failed for want of an SMS integration."""
    project.workflows(
        '''
"""One."""
from novukit import Context, workflow


@workflow("texted")
async def texted(ctx: Context[None]) -> None:
    await ctx.step.sms("text", body="Now.")
'''
    )
    project.ok("sync", "--prune", "--json")
    project.ok("subscribers", "set", "ada@example.com", "--phone", "+4915112345678")
    return triggered(project, "texted")


def test_all_that_failed_are_resumed_at_once(synced: Project) -> None:
    """`--all-failed`, narrowed by workflow; asks first, and where nobody can answer needs `--yes`."""
    _fail(synced)

    refused = synced.run("executions", "resume", "--all-failed")
    other = synced.run("executions", "resume", "--all-failed", "--workflow", "other", "--yes")
    done = synced.json("executions", "resume", "--all-failed", "--step", "text", "--yes")

    assert refused.code == 5
    assert "Add --yes." in refused.err
    assert other.code == 1
    assert done == {"resumed": 1}


def test_resume_needs_to_know_which(synced: Project) -> None:
    """Ids or `--all-failed`, not both, not neither."""
    assert synced.run("executions", "resume").code == 2
    assert synced.run("executions", "resume", "0190aaaa", "--all-failed").code == 2


def test_a_waiting_execution_is_cancelled(synced: Project) -> None:
    """By the execution's id, and by the transaction's; a second time there is nothing left."""
    one = triggered(synced, "later")
    two = triggered(synced, "later")

    first = synced.ok("executions", "cancel", one["id"])
    second = synced.ok("executions", "cancel", two["transactionId"])
    again = synced.ok("executions", "cancel", one["id"])

    assert one["status"] == "waiting"
    assert first.out == f"Cancelled execution {one['id']}.\n"
    assert second.out == f"Cancelled transaction {two['transactionId']}.\n"
    assert again.out.startswith("Nothing was left to cancel")
    assert {one["status"] for one in synced.json("executions", "list")["data"]} == {"cancelled"}


def test_a_waiting_execution_says_how_long(synced: Project) -> None:
    """In the header and at the step."""
    story = triggered(synced, "later")

    told = synced.ok("executions", "show", story["id"]).out

    assert "⏲ later for ada@example.com" in told
    assert "goes on in 60 min" in told or "goes on in 1 h" in told


def test_an_empty_list_is_a_sentence(synced: Project) -> None:
    """Not an empty table."""
    assert synced.ok("executions", "list").out == "Nothing has run yet.\n"
    assert synced.ok("executions", "list", "--status", "failed").out == "There are no such executions.\n"
    assert synced.json("executions", "list") == {"data": [], "totalCount": 0}


def test_every_reason_has_words() -> None:
    """And there is no word for a reason that does not exist."""
    assert sorted(WORDS) == sorted(reason.value for reason in Reason)


def test_every_status_has_a_mark() -> None:
    """Of executions and of steps."""
    assert {status.value for status in (*ExecutionStatus, *StepStatus)} <= MARKS.keys()


def test_what_others_wrote_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in a subscriber's id, a subject or an error are made visible."""
    bad = "\x1b[2J\x07"
    step = {
        "stepId": f"a{bad}", "key": "", "kind": "email", "status": "failed", "reason": "provider_rejected",
        "detail": bad, "attempts": 2, "messageId": "m", "startedAt": "2026-01-01T00:00:00.000Z", "durationMs": 5.0,
    }  # fmt: skip
    draw(
        Output(),
        {
            "id": "i", "transactionId": "t", "workflowId": f"w{bad}", "subscriberId": f"s{bad}", "status": "failed",
            "createdAt": "2026-01-01T00:00:00.000Z", "steps": [step], "detail": bad,
            "messages": [{"id": "m", "content": {"subject": bad, "to": bad}, "providerId": bad}],
        },
    )  # fmt: skip

    out = capsys.readouterr().out
    assert "\x1b[2J" not in out
    assert "\x07" not in out
    assert "\\x1b[2J" in out
