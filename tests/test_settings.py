"""Settings: what a file may say, and how each mistake is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from novukit.errors import SecretMissing, SettingsInvalid
from novukit.settings import SecretRef, Settings


def load(folder: Path, text: str, **environ: str) -> Settings:
    """The settings of a file with this text."""
    (folder / "novukit.toml").write_text(text)
    return Settings.load(folder, environ=environ)


def refusal(folder: Path, text: str, **environ: str) -> SettingsInvalid:
    """The error that this text leads to."""
    with pytest.raises(SettingsInvalid) as caught:
        load(folder, text, **environ)
    return caught.value


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    """Development, SQLite beside the file, a broker in the process."""
    settings = load(tmp_path, "")

    assert settings.environment == "development"
    assert settings.database == f"sqlite:///{tmp_path}/novukit.db"
    assert settings.broker == "memory://"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.worker.concurrency == 200
    assert settings.warnings == ()


def test_everything_can_be_said(tmp_path: Path) -> None:
    """Every key of the file ends where it belongs; paths are taken from the file's folder."""
    settings = load(
        tmp_path,
        """
        environment = "staging"
        workflows = ["app.workflows", "more"]
        templates = ["templates", "/srv/shared"]
        database = "postgres://ada:secret@db/notify"
        broker = "redis://queue:6379/1"
        url = "https://notify.example.com"
        host = "0.0.0.0"
        port = 80
        master_key = { env = "MASTER" }

        [worker]
        processes = 2
        concurrency = 200
        lease = 5
        sweep = 0.5
        grace = 60
        max_takeovers = 5

        [[integrations]]
        identifier = "mail"
        provider = "smtp"
        channel = "email"
        name = "Mail"
        environments = ["staging"]
        primary = true
        active = false
        concurrency = 10
        credentials = { host = "smtp.example.com", port = 587, password = { env = "SMTP_PASSWORD" } }
        """,
    )

    assert settings.workflows == ("app.workflows", "more")
    assert settings.templates == (tmp_path / "templates", Path("/srv/shared"))
    assert settings.worker.model_dump() == {
        "concurrency": 200, "processes": 2, "lease": 5.0, "sweep": 0.5, "grace": 60.0, "max_takeovers": 5,
    }  # fmt: skip
    [mail] = settings.integrations
    assert mail.resolved({"SMTP_PASSWORD": "hush"}) == {"host": "smtp.example.com", "port": 587, "password": "hush"}
    assert mail.serves("staging")
    assert not mail.serves("production")
    assert settings.master_key == SecretRef(env="MASTER")


def test_the_file_is_found_from_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands work anywhere within the project."""
    (tmp_path / "novukit.toml").write_text("port = 9000")
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")

    settings = Settings.load(environ={})

    assert (settings.port, settings.root) == (9000, tmp_path)


def test_no_file_is_told_with_the_way_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C1: where it was looked for, and `novukit init`."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsInvalid) as caught:
        Settings.load(environ={})

    assert str(tmp_path) in caught.value.message
    assert "novukit init" in (caught.value.hint or "")


def test_environment_variables_override_the_file(tmp_path: Path) -> None:
    """One variable for each thing that differs between machines; an empty one counts as not set."""
    settings = load(
        tmp_path, 'environment = "staging"\nbroker = "redis://file:6379/0"',
        NOVUKIT_DATABASE="postgres://db/one", NOVUKIT_ENVIRONMENT="production", NOVUKIT_URL="http://there:1",
        NOVUKIT_SECRET_KEY="nk_secret", NOVUKIT_BROKER="",
    )  # fmt: skip

    assert settings.database == "postgres://db/one"
    assert settings.environment == "production"
    assert settings.url == "http://there:1"
    assert settings.secret_key == "nk_secret"
    assert settings.broker == "redis://file:6379/0"
    assert "nk_secret" not in repr(settings)


ROUTED = '[[integrations]]\nidentifier = "m"\nprovider = "smtp"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('\ndatabse = "x"', ["novukit.toml:2:1", "'databse' is not a setting", "Did you mean 'database'?"]),
        ("[worker]\nconcurency = 5", ["novukit.toml:2:1", "'worker.concurency'", "Did you mean 'concurrency'?"]),
        ("[workr]\nlease = 5", ["novukit.toml:1:2", "'workr'", "Did you mean 'worker'?"]),
        ('port = "8000"', ["novukit.toml:1:1", "port must be a whole number", "Remove the quotes."]),
        ("port = 8000.5", ["port must be a whole number"]),
        ("port = 70000", ["port must be between 0 and 65535, not 70000"]),
        ("[worker]\nconcurrency = 0", ["novukit.toml:2:1", "between 1 and 1000, not 0"]),
        (ROUTED + 'when = { county = "DE" }', ["novukit.toml:4:", "county", "Did you mean 'country'?"]),
        (ROUTED + 'when = { country = "Germany" }', ["country"]),
        (ROUTED + "weight = -1", ["weight must be between 0 and 1000, not -1"]),
        (ROUTED + "rate = 0", ["rate must be between 0 and 100000 messages a second, not 0"]),
        ("[worker]\nlease = nan", ["worker.lease must be a finite number"]),
        ('workflows = "app.workflows"', ["must be a list", 'Write workflows = ["app.workflows"].']),
        ('workflows = ["app/workflows.py"]', ["not the name of a Python module", "'app.workflows'"]),
        ("environment = true", ["environment must be a text in quotes, not true"]),
        ('environment = "My Env"', ["small letters, digits and -", "My Env"]),
        ('database = "mysql://h/x"', ["this is not a database URL", "postgres://user:password@host"]),
        ('database = "postgres:/x"', ["this is not a database URL"]),
        ('broker = "localhost"', ["this is not a broker URL", "redis://"]),
        ('url = "notify.example.com"', ["not the URL of a server"]),
        ("worker = 5", ["worker must be a table"]),
        ('[[integrations]]\nprovider = "smtp"', ["integrations.identifier is missing", "novukit.toml:1:3"]),
        ('[[integrations]]\nidentifier = "a b"\nprovider = "smtp"', ["novukit.toml:2:1", "letters, digits, _ . and -"]),
        ('[[integrations]]\nidentifier = "a"\nprovider = "x"\nchannel = "fax"', ["must be one of", "'email'", "fax"]),
        ('secret_key = "nk_x"', ["'secret_key' cannot be set in the file", "NOVUKIT_SECRET_KEY"]),
        ('root = "/"', ["'root' cannot be set in the file"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_its_remedy(tmp_path: Path, text: str, words: list[str]) -> None:
    """C3 to C5, C9, C27: what, where (file, line, column), and what was expected."""
    error = refusal(tmp_path, text)

    told = f"{error.message} {error.hint}"
    assert [word for word in words if word not in told] == []


def test_the_place_within_the_second_of_two_integrations_is_found(tmp_path: Path) -> None:
    """Line and column of the key itself, with the line and a caret below."""
    error = refusal(
        tmp_path,
        '[[integrations]]\nidentifier = "a"\nprovider = "x"\n\n[[integrations]]\nidentifier = "b"\nprovidr = "x"\n',
    )

    assert "novukit.toml:7:1: 'integrations.providr'" in error.message
    assert '    7 | providr = "x"\n      | ^' in error.message


def test_all_mistakes_are_told_at_once_in_their_order(tmp_path: Path) -> None:
    """Nobody should have to start the program once for each."""
    error = refusal(tmp_path, 'port = "1"\nhsot = "x"\n[worker]\nsweep = -1\n')

    assert ["/port", "/hsot", "/worker/sweep"] == [issue.path for issue in error.issues]
    assert error.message.startswith("3 settings are wrong.")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('a = "b\nc = 1', "1:7", "the line ends before the quotes are closed"),
        ("port 8000", "1:6", "expected '='"),
        ("[worker\nlease = 1", "1:8", ""),
        ("port = 1\nport = 2", "2:9", "cannot overwrite a value"),
        ('workflows = ["a"', "1:17", ""),
    ],
)  # fmt: skip
def test_a_syntax_error_is_told_with_a_caret(tmp_path: Path, text: str, place: str, words: str) -> None:
    """C2: file, line, column, the line itself."""
    error = refusal(tmp_path, text)

    assert f"novukit.toml:{place}: not valid TOML" in error.message
    assert words in error.message
    assert "^" in error.message


def test_what_may_be_secret_is_never_shown(tmp_path: Path) -> None:
    """Neither the line that is cited nor the value that is wrong gives a secret away."""
    texts = [
        'databse = "postgres://ada:hush@h/x"',
        'database = "mysql://ada:hush@h/x"',
        '[[integrations]]\nidentifier = "a"\nprovidr = "y"\ncredentials = { api_key = "hush" }\napi_key = "hush"',
        'secret_key = "hush"',
        'api_key = "hush',
    ]  # fmt: skip

    told = [str(refusal(tmp_path, text)) for text in texts]

    assert ["hush" in one for one in told] == [False] * len(texts)


def test_a_mistake_in_a_variable_names_the_variable(tmp_path: Path) -> None:
    """It is not in the file, so no line is cited."""
    error = refusal(tmp_path, "", NOVUKIT_DATABASE="postgres:/ada:hush@x")

    assert error.message.startswith("Environment variable NOVUKIT_DATABASE: ")
    assert "hush" not in str(error)


def test_a_secret_in_the_file_is_a_warning_in_development(tmp_path: Path) -> None:
    """C6: named, not shown, with what to write instead."""
    text = '[[integrations]]\nidentifier = "mail-1"\nprovider = "x"\ncredentials = { host = "h", api_key = "hush" }\n'
    (tmp_path / "novukit.toml").touch(0o600)

    settings = load(tmp_path, text)

    assert len(settings.warnings) == 1
    assert "novukit.toml:4:" in settings.warnings[0]
    assert 'api_key = { env = "MAIL_1_API_KEY" }' in settings.warnings[0]
    assert "hush" not in settings.warnings[0]


def test_a_secret_in_the_file_is_an_error_elsewhere(tmp_path: Path) -> None:
    """In production a plain secret is refused; an integration of Development only does not matter there."""
    text = (
        'environment = "production"\n[[integrations]]\nidentifier = "mail"\nprovider = "x"\n'
        'credentials = {{ apiKey = "hush" }}\nenvironments = [{}]\n'
    )

    error = refusal(tmp_path, text.format(""))
    fine = load(tmp_path, text.format('"development"'))

    assert "'apiKey' of integration 'mail' stands in the file in plain text" in error.message
    assert len(fine.warnings) > 0


def test_a_file_with_secrets_that_everyone_can_read_is_told(tmp_path: Path) -> None:
    """C8: path and remedy."""
    text = '[[integrations]]\nidentifier = "a"\nprovider = "x"\ncredentials = { token = "hush" }\n'
    (tmp_path / "novukit.toml").touch()
    (tmp_path / "novukit.toml").chmod(0o644)

    settings = load(tmp_path, text)

    assert "chmod 600" in settings.warnings[-1]


def test_two_integrations_of_one_name_are_refused_with_both_lines(tmp_path: Path) -> None:
    """The second is cited, the first is named by its line."""
    error = refusal(
        tmp_path,
        '[[integrations]]\nidentifier = "a"\nprovider = "x"\n[[integrations]]\nidentifier = "a"\nprovider = "y"\n',
    )

    assert "novukit.toml:5:1" in error.message
    assert "first on line 2" in error.message


def test_a_secret_that_is_not_set_is_named_when_it_is_needed(tmp_path: Path) -> None:
    """C7: the file can be read without it; then the key and the variable are named. Empty is not set."""
    settings = load(
        tmp_path, '[[integrations]]\nidentifier = "mail"\nprovider = "x"\ncredentials = { api_key = { env = "FOO" } }\n'
    )

    for environ in ({}, {"FOO": ""}):
        with pytest.raises(SecretMissing, match=r"credentials\.api_key of integration 'mail' needs .* FOO"):
            settings.integrations[0].resolved(environ)


@pytest.mark.parametrize("text", ['credentials = { key = { env = "A B" } }', "credentials = { key = { env = 5 } }"])
def test_a_reference_that_names_no_variable_is_refused(tmp_path: Path, text: str) -> None:
    """A typo in a reference is found when the file is read, not when the secret is needed."""
    error = refusal(tmp_path, f'[[integrations]]\nidentifier = "mail"\nprovider = "x"\n{text}\n')

    assert "novukit.toml:4:" in error.message


def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    """C8: not UTF-8, a folder, not there."""
    file = tmp_path / "novukit.toml"
    told: list[str] = []
    file.write_bytes(b"port = 1\n# \xff\n")
    for path in (file, tmp_path / "other.toml"):
        with pytest.raises(SettingsInvalid) as caught:
            Settings.load(path, environ={})
        told.append(caught.value.message)
    file.unlink()
    file.mkdir()
    with pytest.raises(SettingsInvalid) as caught:
        Settings.load(file / "novukit.toml", environ={})

    assert "novukit.toml:2: the file is not UTF-8 text" in told[0]
    assert "There is no file" in told[1]


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """Some editors write one."""
    (tmp_path / "novukit.toml").write_bytes(b"\xef\xbb\xbfport = 9000\n")

    assert Settings.load(tmp_path, environ={}).port == 9000


def test_brackets_and_quotes_in_values_do_not_mislead(tmp_path: Path) -> None:
    """The place of a key is found behind multi-line texts and lists."""
    text = 'workflows = [\n  "a",  # [x]\n  "b",\n]\nenvironment = """\n[worker]\nport = 1"""\nprt = 5\n'

    error = refusal(tmp_path, text)

    assert "novukit.toml:8:1: 'prt'" in error.message


def test_settings_can_be_made_without_a_file(tmp_path: Path) -> None:
    """Tests and embedding do so; relative paths are taken from ``root``."""
    settings = Settings(root=tmp_path, database="sqlite:///other.db", templates=(Path("t"),))

    assert settings.database == f"sqlite:///{tmp_path}/other.db"
    assert settings.templates == (tmp_path / "t",)


def test_another_environment_is_chosen_by_its_slug(tmp_path: Path) -> None:
    """`--environment`; what cannot be a slug is refused."""
    settings = Settings(root=tmp_path)

    assert settings.for_environment("production").environment == "production"
    with pytest.raises(SettingsInvalid, match="cannot name an environment"):
        settings.for_environment("Prod!")
