"""`novukit executions resolve`: a message of which nobody knows whether it went out; and how far a topic has come."""

from __future__ import annotations

import sqlite3

import pytest

from .conftest import Project
from .test_executions import triggered

LOSE = """
update novukit_execution set status = 'parked', reason = 'outcome_unknown', step = 'mail', finished_at = null;
update novukit_checkpoint set status = 'unknown', reason = 'outcome_unknown', result = null where step_id = 'mail';
update novukit_message set status = 'unknown', sent_at = null where step_id = 'mail';
"""


def lost(project: Project, people: int = 1) -> list[str]:
    """Executions whose provider's answer was lost; their ids."""
    for _ in range(people):
        triggered(project)
    connection = sqlite3.connect(project.folder / "novukit.db")
    connection.executescript(LOSE)
    connection.close()
    return [one["id"] for one in project.json("executions", "list", "--unknown")["data"]]


def test_they_are_listed_with_what_to_do(synced: Project) -> None:
    """Only those, and the command that settles them."""
    (one,) = lost(synced)
    synced.json("trigger", "welcome", "--to", "bob")
    told = synced.run("executions", "list", "--unknown")
    assert one[-12:] in told.out
    assert "bob" not in told.out
    assert "novukit executions resolve ID --as sent|not-sent|failed" in told.err
    assert "There are no such executions." in synced.ok("executions", "list", "--unknown", "--workflow", "later").out


def test_one_that_arrived(synced: Project) -> None:
    """It goes on; the log says by which key, and how one knows; again is the same, something else is refused."""
    (one,) = lost(synced)
    done = synced.run("executions", "resolve", one, "--as", "sent", "--note", "in the log at 10:02")
    assert (done.code, done.out) == (0, "1 execution goes on: sent.\n")
    assert "No worker is running" in done.err
    synced.work()
    story = synced.json("executions", "show", one)
    assert story["status"] == "completed"
    (line,) = [line for line in story["activity"] if line["kind"] == "step.resolved_sent"]
    assert line["detail"].endswith("': in the log at 10:02")
    assert synced.run("executions", "resolve", one, "--as", "sent").code == 0
    refused = synced.run("executions", "resolve", one, "--as", "failed", "--json")
    assert (refused.code, refused.error["error"]["code"]) == (2, "resolved_otherwise")


def test_one_that_did_not_is_sent_again(synced: Project) -> None:
    """And so the mail is there, once more."""
    (one,) = lost(synced)
    synced.run("executions", "resolve", one[-12:], "--as", "not-sent")
    synced.work()
    story = synced.json("executions", "show", one)
    assert (story["status"], story["steps"][1]["status"], story["steps"][1]["attempts"]) == (
        "completed",
        "completed",
        1,
    )


def test_all_at_once(synced: Project) -> None:
    """`--all-unknown`, narrowed by workflow and step; it asks first."""
    assert 3 == len(lost(synced, 3))
    assert synced.run("executions", "resolve", "--all-unknown", "--as", "failed").code == 5
    none = synced.run("executions", "resolve", "--all-unknown", "--workflow", "later", "--as", "failed", "--yes")
    assert none.code == 1
    done = synced.run("executions", "resolve", "--all-unknown", "--step", "mail", "--as", "failed", "--yes", "--json")
    assert done.json == {"resolved": 3, "already": 0, "others": 0}
    synced.work()
    assert {one["status"] for one in synced.json("executions", "list")["data"]} == {"failed"}
    assert synced.json("executions", "list", "--unknown")["data"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["0190aaaabbbb"], "Missing option '--as'"),
        (["--as", "sent"], "Give either ids or --all-unknown."),
        (["0190aaaabbbb", "--as", "maybe"], "'maybe' is not one of"),
        (["0190aaaabbbb", "--as", "sent"], "There is no execution"),
    ],
)
def test_mistakes(synced: Project, arguments: list[str], words: str) -> None:
    """Exit code 2, and what is missing."""
    result = synced.run("executions", "resolve", *arguments)
    assert result.code == 2
    assert words in result.err


def test_nothing_unknown(synced: Project) -> None:
    """An execution that is fine is not resolved."""
    story = triggered(synced)
    refused = synced.run("executions", "resolve", story["id"], "--as", "sent")
    assert refused.code == 2
    assert "The execution is completed" in refused.err


def test_a_topic_says_how_far_it_has_come(synced: Project) -> None:
    """Its members follow; when all have an execution, nothing more is said."""
    for name in ("ada", "bob", "cy"):
        synced.ok("subscribers", "set", name)
    synced.ok("topics", "add", "staff", "ada", "bob", "cy")
    told = synced.run("trigger", "welcome", "--to", "topic:staff", "--transaction-id", "t-1")
    assert "Triggered: 0 of 3 executions so far; the others follow." in told.out
    again = synced.json("trigger", "welcome", "--to", "topic:staff", "--transaction-id", "t-1")
    assert ("expanding", 0, 3) == (again["event"], again["executions"], again["expected"])
    assert "0 of 3 members so far; the others follow." in synced.run("executions", "list", "--transaction", "t-1").err
    synced.work()
    again = synced.json("trigger", "welcome", "--to", "topic:staff", "--transaction-id", "t-1")
    assert (3, False) == (again["executions"], "event" in again)
    assert synced.ok("executions", "list", "--transaction", "t-1").err == ""
