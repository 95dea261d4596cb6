"""`novukit trigger`: whom it may name, how the payload is given, what it says, and how each mistake is told."""

from __future__ import annotations

import pytest

from .conftest import Project


def test_an_address_makes_a_subscriber_with_that_address(synced: Project) -> None:
    """The quickest way to see something: one command, one e-mail."""
    result = synced.run("trigger", "welcome", "--to", "ada@example.com")

    transaction = synced.json("executions", "list")["data"][0]["transactionId"]
    assert result.code == 0
    assert "Triggered: 1 execution." in result.out
    assert f"novukit executions show {transaction}" in result.out
    assert synced.json("subscribers", "show", "ada@example.com")["email"] == "ada@example.com"


def test_it_says_that_no_worker_is_running(synced: Project) -> None:
    """The trigger is kept; the user is told why nothing comes."""
    result = synced.run("trigger", "welcome", "--to", "ada")

    assert "No worker is running: start one with `novukit dev`." in result.err


def test_several_recipients_and_a_topic(synced: Project) -> None:
    """`--to` is repeatable; a topic is named with its prefix."""
    synced.ok("subscribers", "set", "bob")
    synced.ok("topics", "add", "staff", "bob")

    answer = synced.json("trigger", "welcome", "--to", "ada", "--to", "topic:staff")
    synced.work()

    found = synced.json("executions", "list", "--transaction", answer["transactionId"])["data"]
    assert sorted(one["subscriberId"] for one in found) == ["ada", "bob"]


def test_everyone(synced: Project) -> None:
    """A broadcast."""
    for name in ("ada", "bob"):
        synced.ok("subscribers", "set", name)

    answer = synced.json("trigger", "welcome", "--to", "everyone")
    synced.work()

    assert len(synced.json("executions", "list", "--transaction", answer["transactionId"])["data"]) == 2


@pytest.mark.parametrize(
    ("arguments", "stdin", "greeting"),
    [
        (["--payload", '{"name": "Ada"}'], "", "Hello, Ada."),
        (["--payload", "@payload.json"], "", "Hello, Grace."),
        (["--payload", "-"], '{"name": "Alan"}', "Hello, Alan."),
        (["--set", "name=Edsger"], "", "Hello, Edsger."),
        (["--payload", '{"name": "Ada"}', "--set", 'name="Barbara"'], "", "Hello, Barbara."),
    ],
)
def test_the_payload_comes_from_anywhere(synced: Project, arguments: list[str], stdin: str, greeting: str) -> None:
    """As text, from a file, from standard input, field by field."""
    synced.write("payload.json", '{"name": "Grace"}')

    answer = synced.json("trigger", "welcome", "--to", "ada", *arguments, stdin=stdin)
    synced.work()

    story = synced.json("executions", "show", answer["transactionId"])
    assert story["messages"][0]["content"]["body"] == greeting


def test_the_same_transaction_id_begins_nothing_new(synced: Project) -> None:
    """And says so."""
    first = synced.json("trigger", "welcome", "--to", "ada", "--transaction-id", "order-7")
    again = synced.run("trigger", "welcome", "--to", "ada", "--transaction-id", "order-7")

    assert (first["transactionId"], first["duplicate"]) == ("order-7", False)
    assert "Triggered before: 1 execution." in again.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["welcom", "--to", "ada"], ["welcom", "Did you mean 'welcome'?"]),
        (["welcome"], ["Missing option '--to'"]),
        (["welcome", "--to", "a/b"], ["'a/b' is not a recipient", "must not hold /"]),
        (["welcome", "--to", "ada@"], ["'ada@' is not a recipient"]),
        (["welcome", "--to", "topic:a b"], ["'topic:a b' is not a recipient"]),
        (["welcome", "--to", "topic:nobody"], ["nobody"]),
        (["welcome", "--to", "everyone", "--to", "ada"], ["stands alone"]),
        (["welcome", "--to", "ada", "--payload", "{bad"], ["--payload:1:2: not valid JSON", "^"]),
        (["welcome", "--to", "ada", "--payload", "[1]"], ["must be a JSON object"]),
        (["welcome", "--to", "ada", "--payload", "@missing.json"], ["missing.json cannot be read"]),
        (["welcome", "--to", "ada", "--payload", "-"], ["standard input is empty"]),
        (["welcome", "--to", "ada", "--payload", '{"n": NaN}'], ["NaN is not a JSON value"]),
        (["welcome", "--to", "ada", "--set", "name"], ["has no key or no value"]),
        (["welcome", "--to", "ada", "--set", "name=5"], ["name"]),
        (["welcome", "--to", "ada", "--transaction-id", "a b"], ["trigger is not valid"]),
    ],
)
def test_a_mistake_is_told_and_exits_with_2(synced: Project, arguments: list[str], words: list[str]) -> None:
    """C20, C21 and their like: nothing is stored."""
    result = synced.run("trigger", *arguments)

    assert (result.code, result.out) == (2, "")
    assert [word for word in words if word not in result.err] == []
    assert "Traceback" not in result.err
    assert synced.json("executions", "list")["totalCount"] == 0


def test_a_mistake_as_json_is_one_object(synced: Project) -> None:
    """On stderr; stdout stays empty."""
    result = synced.run("trigger", "welcom", "--to", "ada", "--json")

    assert result.out == ""
    assert result.error["exitCode"] == 2
    assert result.error["error"]["code"] == "workflow_not_found"


def test_waiting_draws_what_happened(synced: Project) -> None:
    """`--wait` on a transaction that is complete already: its timeline, step by step."""
    synced.ok("trigger", "welcome", "--to", "ada@example.com", "--transaction-id", "t-1", "--json")
    synced.work()

    result = synced.run("trigger", "welcome", "--to", "ada@example.com", "--transaction-id", "t-1", "--wait")

    assert result.code == 0
    assert "✓ welcome for ada@example.com" in result.out
    assert "✓ mail   email     completed" in result.out
    assert "to ada@example.com by catcher-email" in result.out


def test_waiting_has_an_end(synced: Project) -> None:
    """Without a worker: exit code 1, and the command to look again."""
    result = synced.run("trigger", "welcome", "--to", "ada", "--wait", "--timeout", "0.1")

    assert result.code == 1
    assert "1 execution of 1 had not ended (pending)" in result.err
    assert "novukit executions show" in result.err


def test_a_failed_execution_makes_waiting_fail(synced: Project) -> None:
    """Exit code 1: the work ran, and failed. `later` has no integration for its SMS."""
    synced.ok("integrations", "remove", "mail", "--yes")
    synced.write("novukit.toml", f'workflows = ["{synced.module}"]\n')
    synced.ok("trigger", "welcome", "--to", "ada@example.com", "--transaction-id", "t-1", "--json")
    synced.work()

    result = synced.run("trigger", "welcome", "--to", "ada@example.com", "--transaction-id", "t-1", "--wait")

    assert result.code == 1
    assert "✗ welcome for ada@example.com" in result.out
    assert "the channel has no active integration" in result.out
