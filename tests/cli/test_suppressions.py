"""`novukit suppressions`, `novukit integrations webhook-url`, and what the timeline tells of deliveries."""

from __future__ import annotations

import sqlite3

from .conftest import Project
from .test_executions import triggered


def test_added_listed_and_released(synced: Project) -> None:
    """By address or by id; each change is on record with its note; a step to such an address is skipped."""
    assert "every address is written to" in synced.ok("suppressions", "list").out
    done = synced.ok("suppressions", "add", "email", "Ada <ADA@example.com>", "--note", "asked by phone")
    assert "Nothing is sent to ada@example.com any more." in done.out
    synced.ok("suppressions", "add", "sms", "+49 151 12345678")
    told = synced.ok("suppressions", "list").out
    assert all(part in told for part in ("ada@example.com", "manual", "asked by phone", "+4915112345678"))
    assert "ada" not in synced.ok("suppressions", "list", "--channel", "sms").out
    assert [] == synced.json("suppressions", "list", "--reason", "bounced")["data"]
    synced.json("trigger", "welcome", "--to", "ada@example.com")
    synced.work()
    (one,) = synced.json("executions", "list")["data"]
    shown = synced.ok("executions", "show", one["id"]).out
    assert "the address is suppressed" in shown
    (done,) = synced.json("suppressions", "release", "ada@EXAMPLE.com", "--note", "is back")["data"]
    assert [("added", "asked by phone"), ("released", "is back")] == [
        (each["kind"], each["detail"]) for each in done["history"]
    ]
    (sms,) = synced.json("suppressions", "list")["data"]
    synced.ok("suppressions", "release", sms["id"])
    assert 2 == len(synced.json("suppressions", "list", "--released")["data"])
    refused = synced.run("suppressions", "release", "bob@example.com", "--json")
    assert (refused.code, refused.error["error"]["code"]) == (2, "not_found")


def test_the_url_to_enter_at_the_vendor(synced: Project) -> None:
    """With what to tick there; a provider without callbacks is told as that; without public_url the path is."""
    refused = synced.run("integrations", "webhook-url", "mail", "--json")
    assert 2 == refused.code
    assert "has no callbacks" in refused.error["error"]["message"]
    synced.ok(
        "integrations", "add", "resend", "--identifier", "real", "--set", "apiKey=re_x", "--set", "from=a@example.com"
    )
    told = synced.run("integrations", "webhook-url", "real")
    assert told.out.startswith("/v1/callbacks/")
    assert told.out.endswith("/real\n")
    assert "email.bounced" in " ".join(told.err.split())
    assert "public_url is not set" in told.err
    toml = (synced.folder / "novukit.toml").read_text()
    synced.write("novukit.toml", f'public_url = "https://notify.example.com/"\n{toml}')
    found = synced.json("integrations", "webhook-url", "real")
    assert found["url"] == f"https://notify.example.com{found['path']}"
    assert found["events"][:2] == ["accepted", "delivered"]
    synced.write("novukit.toml", f'public_url = "notify.example.com"\n{toml}')
    assert "https://notify.example.com" in synced.run("integrations", "webhook-url", "real").err


def test_the_timeline_tells_how_far_a_message_came(synced: Project) -> None:
    """Below the message, each thing with its time."""
    execution = triggered(synced)["id"]
    with sqlite3.connect(synced.folder / "novukit.db") as connection:
        connection.execute(
            "update novukit_message set delivered_at = sent_at, bounced_at = sent_at where step_id = 'mail'"
        )
    connection.close()
    shown = synced.ok("executions", "show", execution).out
    assert "delivered " in shown
    assert ", bounced " in shown
