"""What is kept: subscribers, topics, integrations, environments and keys, created, shown, changed and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Project


def test_a_subscriber_is_created_changed_shown_and_deleted(project: Project) -> None:
    """The whole life of one; `create` refuses one that exists, `set` leaves alone what is not said."""
    project.ok("subscribers", "create", "ada", "--email", "ada@example.com", "--first-name", "Ada")
    twice = project.run("subscribers", "create", "ada")
    changed = project.ok(
        "subscribers", "set", "ada", "--timezone", "Europe/London", "--data", "plan=pro", "--data", "n=3"
    )
    one = project.json("subscribers", "show", "ada")
    shown = project.ok("subscribers", "show", "ada").out
    refused = project.run("subscribers", "delete", "ada")
    deleted = project.ok("subscribers", "delete", "ada", "--yes")
    gone = project.run("subscribers", "show", "ada")

    assert (twice.code, refused.code, gone.code) == (2, 5, 2)
    assert "exists already" in twice.err
    assert changed.out == "✓ Stored ada.\n"
    assert (one["email"], one["timezone"], one["data"]) == ("ada@example.com", "Europe/London", {"plan": "pro", "n": 3})
    assert "e-mail     ada@example.com" in shown
    assert "Add --yes." in refused.err
    assert deleted.out == "✓ Deleted ada.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["set", "a/b"], "/"),
        (["show", "a/b"], "cannot be a name"),
        (["show", "nobody"], "nobody"),
        (["set", "ada", "--email", "nope"], "email"),
        (["set", "ada", "--timezone", "Europe/Londn"], "Europe/London"),
        (["set", "ada", "--phone", "0123"], "phone"),
        (["set", "ada", "--data", "plan"], "has no key or no value"),
    ],
)
def test_a_mistake_about_a_subscriber_is_told(project: Project, arguments: list[str], words: str) -> None:
    """Exit code 2, in one block."""
    result = project.run("subscribers", *arguments)

    assert result.code == 2
    assert words in result.err


def test_subscribers_are_listed_and_found(project: Project) -> None:
    """By address; as many as are asked for, over several pages."""
    project.write("p.csv", "subscriberId,email\n" + "".join(f"s{n},s{n}@example.com\n" for n in range(120)))
    project.run("subscribers", "import", "p.csv")

    all_ = project.json("subscribers", "list", "--limit", "110")
    one = project.json("subscribers", "list", "--email", "s7@example.com")
    told = project.run("subscribers", "list", "--limit", "2")

    assert (len(all_["data"]), all_["totalCount"]) == (110, 120)
    assert [found["subscriberId"] for found in one["data"]] == ["s7"]
    assert "2 of 120; --limit shows more" in told.err
    assert len({found["subscriberId"] for found in all_["data"]}) == 110


def test_an_import_reads_any_table(project: Project) -> None:
    """Semicolons, a byte order mark, other spellings, own data; an empty cell leaves the field alone."""
    project.ok("subscribers", "set", "ada", "--first-name", "Ada")
    text = "\ufeffSubscriber ID;e_mail;First Name;data.plan\nada;ada@example.com;;pro\ngrace;;Grace;\n\n"
    (project.folder / "p.csv").write_text(text, encoding="utf-8")
    result = project.json("subscribers", "import", "p.csv")

    assert [one["subscriberId"] for one in result["updated"]] == ["ada"]
    assert [one["subscriberId"] for one in result["created"]] == ["grace"]
    ada = project.json("subscribers", "show", "ada")
    assert (ada["firstName"], ada["email"], ada["data"]) == ("Ada", "ada@example.com", {"plan": "pro"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("email\na@example.com\n", "there is no column subscriberId"),
        ("subscriberId,emial\nada,x\n", "Did you mean 'email'?"),
        ("subscriberId,email\n,a@example.com\n", "p.csv:2: the subscriberId is empty"),
        ("subscriberId,email\nada,a@example.com,more\n", "p.csv:2: 3 cells under 2 columns"),
        ("", "there is no column subscriberId"),
    ],
)
def test_a_table_that_cannot_be_read_imports_nothing(project: Project, text: str, words: str) -> None:
    """Line and column name; exit code 2."""
    project.write("p.csv", text)

    result = project.run("subscribers", "import", "p.csv")

    assert result.code == 2
    assert words in result.err
    assert project.json("subscribers", "list")["totalCount"] == 0


def test_a_subscriber_that_is_refused_does_not_stop_the_others(project: Project) -> None:
    """Exit code 1: the work ran, and some of it failed; who and why."""
    project.write("p.csv", "subscriberId,email\nada,ada@example.com\nbob,nope\n")

    result = project.run("subscribers", "import", "p.csv")

    assert result.code == 1
    assert "1 created, 0 changed, 1 refused" in result.out
    assert "✗ bob: " in result.err


def test_an_import_from_standard_input(project: Project) -> None:
    """`-`."""
    assert project.run("subscribers", "import", "-", stdin="id\nada\n").out == "1 created, 0 changed, 0 refused\n"


def test_a_topic_is_filled_emptied_and_deleted(project: Project) -> None:
    """Adding makes the topic; who does not exist is told, and makes the command fail."""
    for name in ("ada", "bob"):
        project.ok("subscribers", "set", name)
    added = project.run("topics", "add", "staff", "ada", "bob", "nobody")
    shown = project.ok("topics", "show", "staff").out
    removed = project.ok("topics", "remove", "staff", "bob")
    listed = project.json("topics", "list")
    ada = project.json("subscribers", "show", "ada")
    deleted = project.ok("topics", "delete", "staff", "--yes")

    assert added.code == 1
    assert "✗ nobody: " in added.err
    assert "Added 2 subscribers to staff." in added.out
    assert "2 members" in shown
    assert removed.out == "✓ Removed 1 subscriber from staff.\n"
    assert [one["key"] for one in listed["data"]] == ["staff"]
    assert [one["topic"]["key"] for one in ada["subscriptions"]] == ["staff"]
    assert deleted.out == "✓ Deleted staff.\n"
    assert project.ok("topics", "list").out == "There are no topics yet.\n"


def test_a_topic_that_exists_is_not_created_again(project: Project) -> None:
    """Exit code 2."""
    project.ok("topics", "create", "staff", "--name", "All")

    assert project.run("topics", "create", "staff").code == 2


def test_integrations_are_added_used_first_and_removed(project: Project) -> None:
    """The first of a channel is its primary; another one can take its place."""
    project.ok("integrations", "add", "catcher-sms", "--identifier", "one", "--set", "from=Acme")
    project.ok("integrations", "add", "null-sms", "--identifier", "two", "--name", "Second")
    project.ok("integrations", "set-primary", "two")
    project.ok("integrations", "update", "one", "--name", "First", "--inactive")
    found: list[dict[str, Any]] = project.json("integrations", "list")["data"]
    shown = project.ok("integrations", "list").out
    project.ok("integrations", "remove", "one", "--yes")

    known = {one["identifier"]: (one["name"], one["primary"], one["active"]) for one in found}
    assert known == {
        "mail": ("catcher-email", True, True),
        "one": ("First", False, False),
        "two": ("Second", True, True),
    }
    assert "credentials" not in shown
    assert len(project.json("integrations", "list")["data"]) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "sendgird"], "sendgird"),
        (["add", "smtp", "--set", "hots=x"], "hots"),
        (["add", "smtp", "--set", "password=env:NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE"),
        (["add", "smtp", "--set", "password=@missing"], "missing cannot be read"),
        (["add", "smtp", "--set", "hush"], "needs a name and a value"),
        (["add", "catcher-sms", "--channel", "email"], "sms"),
        (["remove", "mial"], "Did you mean 'mail'?"),
        (["update", "mail"], "Nothing to change"),
    ],
)
def test_a_mistake_about_an_integration_is_told(project: Project, arguments: list[str], words: str) -> None:
    """Exit code 2; a secret is never repeated."""
    result = project.run("integrations", *arguments)

    assert result.code == 2, result.err
    assert words in result.err
    assert "hush" not in result.err


def test_credentials_are_read_from_a_variable_and_a_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a secret need not stand in the shell's history."""
    monkeypatch.setenv("MAIL_HOST", "127.0.0.1")
    project.write("port", "1\n")

    added = project.run(
        "integrations", "add", "smtp", "--set", "host=env:MAIL_HOST", "--set", "port=@port",
        "--set", "from=a@example.com", "--identifier", "real",
    )  # fmt: skip
    checked = project.run("integrations", "check", "real")

    assert added.code == 0, added.err
    assert checked.code == 3
    assert "✗" in checked.out


def test_integrations_are_routed(project: Project) -> None:
    """Conditions, share and rate are said as options, and shown in words."""
    project.ok(
        "integrations", "add", "null-sms", "--identifier", "eu", "--when", "country=de", "--when", "country=AT",
        "--when", "payload.vip=true", "--weight", "3", "--rate", "2.5", "--on-unknown", "next",
    )  # fmt: skip
    (one,) = [one for one in project.json("integrations", "list")["data"] if one["identifier"] == "eu"]
    shown = project.ok("integrations", "list").out
    wrong = project.run("integrations", "update", "eu", "--when", "county=DE")
    project.ok("integrations", "update", "eu", "--when", "", "--weight", "0")
    (bare,) = [one for one in project.json("integrations", "list")["data"] if one["identifier"] == "eu"]

    assert ({"country": ["DE", "AT"], "payload": {"vip": [True]}}, 3, 2.5) == (one["when"], one["weight"], one["rate"])
    assert "DE or AT" in " ".join(shown.split())
    assert (2, True) == (wrong.code, "--when county=DE" in wrong.err)
    assert (False, 2.5) == ("when" in bare, bare["rate"])


def test_integrations_are_checked(project: Project) -> None:
    """All of them unless some are named; nothing is sent."""
    result = project.run("integrations", "check")

    assert result.code == 0
    assert "mail" in result.out


def test_environments_are_listed_without_their_keys(project: Project) -> None:
    """The current one is marked; secrets are for `novukit keys`."""
    project.ok("environments", "create", "Staging")
    shown = project.ok("environments", "list").out
    found = project.json("environments", "list")

    assert [one["slug"] for one in found["data"]] == ["development", "production", "staging"]
    assert "●  development" in shown
    assert "nk_" not in shown + str(found)


def test_commands_work_in_the_environment_that_is_named(project: Project) -> None:
    """`--environment`; what one environment keeps the other does not see."""
    project.ok("subscribers", "set", "ada", "--environment", "production")

    assert project.json("subscribers", "list")["totalCount"] == 0
    assert project.json("subscribers", "list", "-e", "production")["totalCount"] == 1


@pytest.mark.parametrize("name", ["prodction", "No Such!"])
def test_an_environment_that_does_not_exist_is_told(project: Project, name: str) -> None:
    """Exit code 2."""
    result = project.run("subscribers", "list", "-e", name)

    assert result.code == 2
    assert name in result.err


def test_keys_tell_how_to_reach_an_environment(project: Project) -> None:
    """URL, secret and application identifier; another environment has others."""
    here, there = project.json("keys"), project.json("keys", "--environment", "production")
    shown = project.ok("keys").out

    assert here["url"] == "http://127.0.0.1:8000"
    assert here["secretKey"].startswith("nk_")
    assert here["secretKey"] in shown
    assert here["applicationIdentifier"] in shown
    assert here["secretKey"] != there["secretKey"]
    assert (here["environment"], there["environment"]) == ("development", "production")


def test_keys_are_created_and_revoked(project: Project) -> None:
    """By name or by the end of the id; the last one opens another door by itself."""
    made = project.json("keys", "create", "deploy")
    listed = project.ok("keys").out
    unknown = project.run("keys", "revoke", "deplyo", "--yes")
    project.ok("keys", "revoke", "deploy", "--yes")
    again = project.run("keys", "revoke", made["_id"][-8:], "--yes")

    assert made["key"].startswith("nk_")
    assert "deploy" in listed
    assert unknown.code == again.code == 2
    assert "Did you mean 'deploy'?" in unknown.err
    assert "revoked" in project.ok("keys").out


def test_options_of_a_group_go_behind_the_command(project: Project) -> None:
    """Before it they would be lost."""
    result = project.run("keys", "--environment", "production", "create", "ci")

    assert result.code == 2
    assert "Options go behind the command: novukit keys create" in result.err


def test_a_master_key_is_made_without_a_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is what the variable takes."""
    (project.folder / "novukit.toml").unlink()
    key = project.ok("keys", "master").out.strip()
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", key)
    project.write("novukit.toml", "")

    assert project.run("keys").code == 0
    assert not (project.folder / ".novukit" / "master.key").exists()


def test_another_master_key_does_not_open_what_is_stored(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """C10: exit code 2; the key that is missing is named."""
    project.run("keys")
    monkeypatch.setenv("NOVUKIT_MASTER_KEY", project.ok("keys", "master").out.strip())

    result = project.run("subscribers", "list")

    assert result.code == 2
    assert "sealed with master key" in result.err


def test_a_test_message_is_sent_and_told(synced: Project) -> None:
    """With the words that name the integration; in development nobody is asked. A refusal ends with 1."""
    add = ("integrations", "add", "catcher-email", "--identifier", "kept", "--set", "from=hello@example.com")
    synced.ok(*add, "--set", f"folder={synced.folder}/caught")
    sent = synced.ok("integrations", "send-test", "kept", "--to", "ada@example.com")
    refused = synced.run("integrations", "send-test", "kept", "--to", "ada@example.com\nBcc: eve@example.com")
    (kept,) = (synced.folder / "caught").rglob("*.eml")

    assert "✓ catcher-email has taken it on." in sent.out
    assert "The integration kept can send" in kept.read_text()
    assert "To: ada@example.com" in kept.read_text()
    assert refused.code == 1
    assert "✗ catcher-email rejected: " in refused.out


def test_outside_development_a_test_message_needs_a_yes(synced: Project) -> None:
    """Exit code 5 where nobody can be asked; --yes is one."""
    arguments = ("integrations", "send-test", "mail", "--to", "ada@example.com", "--environment", "production")
    unsure = synced.run(*arguments)
    sure = synced.run(*arguments, "--yes", "--json")

    assert unsure.code == 5
    assert "Send a message to ada@example.com with mail, of the environment production?" in unsure.err
    assert "outcome" in sure.out
