"""`novukit import novu`: what can be moved arrives once, whatever the source does and whenever one is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..clients.serving import Live, serve
from .conftest import MODULE, TOML, WORKFLOWS, Project, write_files
from .novu import Novu, novu

NUMBER = 230
"""Subscribers of the source: three pages."""


@pytest.fixture
def source() -> Iterator[Novu]:
    """A Novu."""
    with novu() as told:
        yield told


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A novukit with things to move; it speaks Novu's API."""
    folder = tmp_path_factory.mktemp("source")
    write_files(folder)
    with serve(folder, toml=TOML.format(module=MODULE)) as found, found.api() as api:
        people = [
            {"subscriberId": f"s{n}", "email": f"s{n}@example.com", "data": {"n": n}, "locale": "de-DE",
             "timezone": "Europe/Berlin", "firstName": f"Sø{n}"}
            for n in range(NUMBER)
        ]  # fmt: skip
        _done(api.post("/v1/subscribers/bulk", json={"subscribers": people}))
        smtp = {"host": "mail.example.com", "from": "a@example.com", "user": "u", "password": "secret-of-the-source"}
        when = {"value": "AND", "children": [{"field": "plan", "value": "pro", "operator": "EQUAL", "on": "payload"}]}
        _done(api.post("/v1/integrations", json={
            "providerId": "smtp", "identifier": "own-smtp", "name": "Ours", "credentials": smtp, "conditions": [when],
        }))  # fmt: skip
        _done(api.post("/v1/integrations", json={"providerId": "null-push", "identifier": "app"}))
        phone = {
            "providerId": "push-webhook",
            "integrationIdentifier": "app",
            "credentials": {"deviceTokens": ["a", "b"]},
        }
        _done(api.put("/v1/subscribers/s1/credentials", json=phone))
        _done(api.put("/v1/subscribers/s2/credentials", json={
            "providerId": "slack", "credentials": {"webhookUrl": "https://hooks.example.com/1", "channel": "#a"},
        }))  # fmt: skip
        for key, members in (("everyone", range(NUMBER)), ("few", range(3))):
            _done(api.post("/v2/topics", json={"key": key, "name": key.title()}))
            for start in range(0, len(members), 100):
                subscriptions = [
                    {"subscriberId": f"s{n}", "identifier": f"{key}-{n}"} for n in members[start : start + 100]
                ]
                _done(api.post(f"/v2/topics/{key}/subscriptions", json={"subscriptions": subscriptions}))
        _done(api.patch("/v2/subscribers/s1/preferences", json={"channels": {"sms": False}}))
        chosen = {"preferences": [{"workflowId": "welcome", "channels": {"email": False}}]}
        _done(api.patch("/v2/subscribers/s2/preferences/bulk", json=chosen))
        yield found


def _done(answer: httpx.Response) -> None:
    assert answer.is_success, answer.text


def moved(project: Project, url: str, *more: str, key: str = "nv-1") -> dict[str, dict[str, Any]]:
    """Run the import; its stages by name."""
    result = project.run("import", "novu", "--url", url, "--key", key, *more, "--json")
    assert 0 == result.code, result.err
    return {stage["name"]: stage for stage in result.json["stages"]}


def people(project: Project) -> list[str]:
    """The ids of the destination's subscribers."""
    return sorted(one["subscriberId"] for one in project.json("subscribers", "list", "--limit", "2000")["data"])


def numbered(count: int) -> list[dict[str, Any]]:
    """Subscribers as Novu lists them."""
    return [{"_id": f"id{n:05}", "subscriberId": f"n{n}", "email": f"n{n}@example.com"} for n in range(count)]


def test_a_whole_environment_is_moved(synced: Project, live: Live) -> None:
    """Profiles, addresses, topics, choices and integrations; and the second time there is nothing left to do."""
    key = live.secret_key
    found = moved(synced, live.url, key=key)

    assert {"read": NUMBER, "moved": NUMBER, "leftOut": 0}.items() <= found["subscribers"].items()
    assert (2, 2, 0) == tuple(found["topics"][name] for name in ("read", "moved", "leftOut"))
    assert (2, 2, 0) == tuple(found["workflows"][name] for name in ("read", "there", "leftOut"))
    assert (NUMBER, 2) == (found["preferences"]["read"], found["preferences"]["moved"])
    assert ["app", "own-smtp"] == sorted(note["about"] for note in found["integrations"]["notes"])
    assert NUMBER == len(people(synced))
    with live.api() as api:
        theirs = api.get("/v2/subscribers/s1").json()["data"]
    ours = synced.json("subscribers", "show", "s1")
    for name in ("firstName", "email", "locale", "timezone", "data"):
        assert theirs[name] == ours[name]
    assert [("push-webhook", "app", ["a", "b"])] == [
        (one["providerId"], one["integrationIdentifier"], one["credentials"]["deviceTokens"])
        for one in ours["channels"]
    ]
    (slack,) = synced.json("subscribers", "show", "s2")["channels"]
    assert ("https://hooks.example.com/1", "#a") == (
        slack["credentials"]["webhookUrl"],
        slack["credentials"]["channel"],
    )
    assert NUMBER == synced.json("topics", "show", "everyone")["totalCount"]

    again = moved(synced, live.url, key=key)
    assert (NUMBER, NUMBER) == (again["subscribers"]["read"], again["subscribers"]["moved"])
    assert (0, 3) == (again["integrations"]["moved"], again["integrations"]["there"])
    assert "secret-of-the-source" not in "".join(
        file.read_text("utf-8", "replace") for file in synced.folder.rglob("*") if file.is_file()
    )


def test_a_dry_run_writes_nothing(synced: Project, live: Live) -> None:
    """Not even its ledger; it reads everything and tells what would be moved."""
    found = moved(synced, live.url, "--dry-run", key=live.secret_key)

    assert (NUMBER, NUMBER) == (found["subscribers"]["read"], found["subscribers"]["moved"])
    assert [] == people(synced)
    assert [] == list((synced.folder / ".novukit").glob("import-*"))


def test_the_report_is_for_people(synced: Project, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each stage, what to look at, and what to do next; the key comes from the environment."""
    monkeypatch.setenv("NOVU_SECRET_KEY", live.secret_key)
    result = synced.run("import", "novu", "--url", live.url, "--only", "integrations,topics,subscribers")

    assert 0 == result.code
    lines = result.out.splitlines()
    assert "Read" in lines[0]
    assert ["Integrations", "Subscribers", "Topics"] == [line.split()[0] for line in lines[1:4]]
    assert any("own-smtp" in line and "needs its credentials" in line for line in lines)
    assert "Give the integrations their credentials" in lines[-1]
    assert max(map(len, lines)) <= 100


def test_a_source_that_stumbles_is_asked_again(synced: Project, source: Novu) -> None:
    """Too many requests, a server error, a cut connection: nothing is lost, and nothing is there twice."""
    source.people = numbered(250)
    source.faults = [429, None, 429, 429, None, 500, None, "cut", 503, None]

    found = moved(synced, source.url, "--only", "subscribers")

    assert [] == source.faults
    assert (250, 250, 0) == tuple(found["subscribers"][name] for name in ("read", "moved", "leftOut"))
    assert 250 == len(people(synced))


def test_records_that_do_not_fit_are_moved_without_what_does_not(synced: Project, source: Novu) -> None:
    """Or left out by name, when nothing is left to name them by. Each is told of."""
    source.people = [
        {"_id": "1", "subscriberId": "ada", "phone": "0123", "email": "nope", "timezone": "Mars/Olympus",
         "locale": "de_DE", "data": "text", "firstName": 7, "lastName": "L"},
        {"_id": "2", "subscriberId": None}, {"_id": "3"}, {"_id": "4", "subscriberId": "a/b"},
        {"_id": "5", "subscriberId": "gone", "deleted": True}, "no record", None, 7,
        {"_id": "6", "subscriberId": "bob", "channels": "none", "data": {"deep": {"er": [1, None]}}},
        {"_id": "7", "subscriberId": "cy", "channels": [
            {"providerId": "fcm", "_integrationId": "x", "credentials": {"deviceTokens": ["t"]},
             "integrationIdentifier": "not-here"},
            {"providerId": "who-knows", "_integrationId": "x", "credentials": {"deviceTokens": ["t"]}},
            {"providerId": "slack", "_integrationId": "x", "credentials": {}},
        ]},
        {"_id": "8", "subscriberId": "ada", "lastName": "Lovelace"},
    ]  # fmt: skip
    source.topics = {"t": ["ada", "nobody"], "a/b": [], "alone": []}

    found = moved(synced, source.url, "--only", "subscribers,topics")

    assert ["ada", "bob", "cy"] == people(synced)
    ada = synced.json("subscribers", "show", "ada")
    assert ("de-DE", "Lovelace") == (ada["locale"], ada["lastName"])
    (fcm,) = synced.json("subscribers", "show", "cy")["channels"]
    assert ("fcm", ["t"]) == (fcm["providerId"], fcm["credentials"]["deviceTokens"])
    notes = [f"{note['about']} {note['said']}" for note in found["subscribers"]["notes"]]
    for said in ("ada without phone", "ada without email", "ada without timezone", "ada without first name",
                 "a/b the subscriberId", "gone is deleted", "'not-here' is not here",
                 "cy without the address at who-knows"):  # fmt: skip
        assert any(said in note for note in notes), (said, notes)
    assert 4 == found["subscribers"]["leftOut"]
    topics = [f"{note['about']} {note['said']}" for note in found["topics"]["notes"]]
    assert any("t: nobody" in note for note in topics), topics
    assert any(note.startswith("a/b ") for note in topics), topics
    assert {"alone", "t"} == {one["key"] for one in synced.json("topics", "list")["data"]}


def test_a_list_that_changes_while_it_is_read_is_moved_whole(synced: Project, source: Novu) -> None:
    """A cursor that the source has forgotten begins the list again; who is there at the end has arrived."""
    source.people = numbered(250)
    source.halt_at = source.people[99]["_id"]
    command = [sys.executable, "-m", "novukit.cli", "import", "novu", "--url", source.url, "--key", "k", "--only",
               "subscribers", "--json"]  # fmt: skip
    process = subprocess.Popen(command, cwd=synced.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert source.halted.wait(60)
    del source.people[90:110]  # the row of the cursor is gone
    source.people += [{"_id": "new", "subscriberId": "new"}]
    source.halt_at = None
    source.go_on.set()
    out, err = process.communicate(timeout=60)

    assert 0 == process.returncode, err
    (stage,) = json.loads(out)["stages"]
    assert (231, 231) == (stage["read"], stage["moved"])
    assert "was read again" in stage["notes"][0]["said"]
    assert {one["subscriberId"] for one in source.people} <= set(people(synced))


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_was_ended_goes_on_where_it_was(synced: Project, source: Novu, blow: signal.Signals) -> None:
    """Nothing twice, nothing lost, and what is on record is not read again."""
    source.people = numbered(450)
    source.halt_at = source.people[299]["_id"]
    command = [sys.executable, "-m", "novukit.cli", "import", "novu", "--url", source.url, "--key", "k",
               "--only", "subscribers"]  # fmt: skip
    process = subprocess.Popen(command, cwd=synced.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert source.halted.wait(60)
    process.send_signal(blow)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 130)
    if blow is signal.SIGINT:
        assert "goes on where this one has ended" in err
    source.halt_at = None
    source.go_on.set()
    source.requests.clear()

    found = moved(synced, source.url, "--only", "subscribers")

    assert (450, 450) == (found["subscribers"]["read"], found["subscribers"]["moved"])
    assert 450 == len(people(synced))
    asked = [query.get("after") for path, query in source.requests if path == "/v2/subscribers"]
    assert [source.people[299]["_id"], source.people[399]["_id"]] == asked
    assert 450 == moved(synced, source.url, "--only", "subscribers", "--again")["subscribers"]["moved"]


def test_choices_for_workflows_that_are_not_here_are_told_of(synced: Project, source: Novu) -> None:
    """They can be moved later; what holds everywhere is moved now."""
    source.people, source.workflows = numbered(2), ["welcome", "old-one"]
    theirs = [{"channel": "email", "source": "subscriber"}, {"channel": "sms", "source": "template"}]
    source.preferences["n0"] = {
        "global": {"enabled": True, "channels": {"push": False, "email": True}},
        "workflows": [
            {"channels": {"email": False, "sms": False}, "overrides": theirs, "workflow": {"identifier": name}}
            for name in ("welcome", "old-one")
        ],
    }
    found = moved(synced, source.url)

    assert ["old-one"] == [note["about"] for note in found["workflows"]["notes"]]
    assert ["old-one"] == [note["about"] for note in found["preferences"]["notes"]]
    assert (2, 1) == (found["preferences"]["moved"], found["preferences"]["leftOut"])
    another = (
        WORKFLOWS.partition("@workflow")[2]
        .partition("@workflow")[0]
        .replace("welcome", "old-one", 1)
        .replace("def welcome", "def old_one")
    )
    synced.workflows(f"{WORKFLOWS}\n\n@workflow{another}")
    assert 0 == synced.run("sync").code
    assert found["preferences"] == moved(synced, source.url, "--only", "preferences")["preferences"]
    later = moved(synced, source.url, "--only", "preferences", "--again")["preferences"]
    assert (3, 0) == (later["moved"], later["leftOut"])
    assert "the source has none" in found["contexts"]["notes"][0]["said"]


def test_integrations_come_without_secrets_and_only_those_of_the_environment(synced: Project, source: Novu) -> None:
    """Novu lists those of all environments; what has no plugin here is told of, with what to install."""
    ours = {"_environmentId": "here", "active": True, "deleted": False, "primary": True, "credentials": {}}
    source.integrations = [
        {**ours, "_id": "1", "identifier": "smtp-1", "name": "Mail", "providerId": "nodemailer", "channel": "email"},
        {**ours, "_id": "2", "identifier": "x", "providerId": "plivo", "channel": "sms", "name": "P"},
        {**ours, "_id": "3", "identifier": "inbox", "providerId": "novu", "channel": "in_app", "name": "I"},
        {**ours, "_id": "4", "identifier": "pager", "providerId": "pagerduty", "channel": "tool", "name": "T"},
        {**ours, "_id": "5", "identifier": "elsewhere", "providerId": "nodemailer", "channel": "email", "name": "E",
         "_environmentId": "there"},
    ]  # fmt: skip
    found = moved(synced, source.url, "--only", "integrations")["integrations"]

    assert (4, 1, 1, 2) == tuple(found[name] for name in ("read", "moved", "there", "leftOut"))
    assert ["smtp-1", "x", "pager"] == [note["about"] for note in found["notes"]]
    made = {one["identifier"]: one for one in synced.json("integrations", "list")["data"]}
    assert {"mail", "smtp-1"} == set(made)
    assert ("smtp", False, "Mail") == tuple(made["smtp-1"][name] for name in ("providerId", "active", "name"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--url", "http://127.0.0.1:9", "--key", "k", "--only", "subscriber"], 2, "Did you mean 'subscribers'?"),
        (["--url", "http://127.0.0.1:9", "--key", "k", "--only", ","], 2, "names nothing"),
        (["--url", "http://127.0.0.1:9"], 2, "NOVU_SECRET_KEY"),
        (["--url", "novu", "--key", "k"], 2, "is not the URL of a server"),
        (
            ["--url", "http://one.example", "--key", "k", "--to", "http://one.example/", "--to-key", "k"],
            2,
            "same server",
        ),
    ],
)
def test_a_mistake_is_told_before_anything_is_read(
    synced: Project, arguments: list[str], code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do."""
    monkeypatch.delenv("NOVU_SECRET_KEY", raising=False)
    result = synced.run("import", "novu", *arguments)

    assert (code, True) == (result.code, words in result.err), result.err


def test_a_server_that_is_no_novu_is_told_as_one(synced: Project, source: Novu) -> None:
    """And a refused key is told as that."""
    source.faults = [404, 404, 404]
    strange = synced.run("import", "novu", "--url", source.url, "--key", "k")
    source.faults = [401, 401]
    refused = synced.run("import", "novu", "--url", source.url, "--key", "k")

    assert (4, True) == (strange.code, "Is it Novu" in strange.err)
    assert 6 == refused.code


def test_a_ledger_that_is_none_is_not_overwritten(synced: Project, source: Novu) -> None:
    """It is named, with what to do."""
    source.people = numbered(1)
    moved(synced, source.url, "--only", "subscribers")
    (file,) = (synced.folder / ".novukit").glob("import-*.json")
    Path(file).write_text("{}")
    result = synced.run("import", "novu", "--url", source.url, "--key", "k")

    assert 2 == result.code
    assert file.name in result.err
