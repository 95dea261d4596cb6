"""`novukit providers`: what each one can do, and the kit run on one that is being written."""

from __future__ import annotations

from itertools import count

import pytest

from novukit.cli.matrix import limits_of, size
from novukit.providers import Limits

from .conftest import Project

_numbers = count(1)


@pytest.mark.parametrize("width", ["80", "160"])
def test_the_matrix_fits_the_terminal(project: Project, monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    """As tables, one for each channel; the package is shown where there is room for it."""
    monkeypatch.setenv("COLUMNS", width)
    shown = project.run("providers", "--channel", "email")
    lines = shown.out.splitlines()

    assert shown.code == 0
    assert max(map(len, lines)) <= int(width)
    assert lines[0] == "E-mail"
    assert lines[1].split() == ["Provider", "Idempotency", "Supports", "Events", "Limits", *["From"] * (width == "160")]
    row = next(line for line in lines if line.startswith("resend"))
    assert "native 24 h" in row
    assert "reply_to, cc" in row


def test_the_matrix_as_json_has_numbers(project: Project) -> None:
    """Spans in seconds, limits as they are declared, channels apart."""
    found = {one["id"]: one for one in project.json("providers")["data"]}
    only = project.json("providers", "--channel", "chat")["data"]

    assert found["resend"]["idempotencyWindow"] == 86_400
    assert found["resend"]["limits"]["recipients"] == 50
    assert found["resend"]["distribution"].startswith("novukit-resend ")
    assert found["smtp"]["distribution"] == "built in"
    assert {one["channel"] for one in only} == {"chat"}


def test_limits_in_words() -> None:
    """Round numbers of bytes in the unit that makes them short."""
    assert limits_of(Limits(rate=10_000, size=4096, recipients=1, lengths={"body": 2000})) == [
        "10 000/s", "1 recipient", "4096 bytes", "body 2000 characters"
    ]  # fmt: skip
    assert [size(40_000_000), size(10 * 2**20), size(28 * 1024), size(12_345)] == [
        "40 MB", "10 MiB", "28 KiB", "12345 bytes"
    ]  # fmt: skip


def test_each_failure_says_what_to_do(project: Project) -> None:
    """Exit code 1; the first can be run alone."""
    project.ok("new", "provider", "lossy", "--channel", "email")
    module = project.folder / "novukit-lossy" / "novukit_lossy.py"
    module.write_text(module.read_text().replace('"subject": content.subject,', ""))

    told = project.run("providers", "test", "novukit-lossy")
    one = project.json("providers", "test", "novukit-lossy", "--only", "test_a_field_reaches_the_wire[subject]")

    assert told.code == 1
    assert "✗ test_a_field_reaches_the_wire[subject]\n    subject=" in told.out
    assert "Write it there in `send`" in told.out
    assert "--only test_" in told.out
    assert not one["passed"]
    assert (one["data"][0]["tests"], len(one["data"][0]["failed"])) == (1, 1)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("pyproject.toml", 'half = "novukit_half"', 'half = "novukit_other"', "No module named 'novukit_other'"),
        ("pyproject.toml", "[project.entry-points.novukit]", "[project.entry-points.other]", "names no plugin"),
        ("novukit_half.py", "return [Half]", 'return [Half, type("B", (Half,), {"id": "b"})]', "No kit tries the prov"),
        ("novukit_half.py", "def novukit_providers", "def novukit_provider", "Did you mean 'novukit_providers'?"),
    ],
    ids=["entry point", "group", "untested", "hook"],
)
def test_a_plugin_that_would_not_load_is_told(project: Project, file: str, old: str, new: str, said: str) -> None:
    """Its tests may pass: it fails as a whole."""
    name = f"half{next(_numbers)}"  # Python imports a module of one name once
    project.ok("new", "provider", name, "--channel", "sms")
    folder = project.folder / f"novukit-{name}"
    path = folder / file.replace("half", name)
    old, new = (text.replace("half", name).replace("Half", name.capitalize()) for text in (old, new))
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

    result = project.run("providers", "test", str(folder), "--only", "test_the_contract")

    assert result.code == 1
    assert said in result.out


def test_nothing_to_test_is_a_mistake_of_usage(project: Project) -> None:
    """Exit code 2: no such folder, nothing in it, a file that cannot be imported, a test that is not there."""
    (project.folder / "empty").mkdir()
    project.write("empty/pyproject.toml", "[project.entry-points.novukit]\n")
    project.write("broken/test_broken.py", "import novukit_is_not_there\n")
    project.ok("new", "provider", "fine", "--channel", "chat")

    missing = project.run("providers", "test", "nowhere")
    broken = project.run("providers", "test", "broken/test_broken.py")
    none = project.run("providers", "test", "novukit-fine", "--only", "test_nonsense")

    assert (missing.code, broken.code, none.code) == (2, 2, 2)
    assert "There is no nowhere" in missing.err
    assert "Install novukit_is_not_there, or correct its name." in broken.err
    assert "No test begins with 'test_nonsense'" in none.err
