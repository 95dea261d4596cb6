"""Bad templates: each mistake is named with its file and line, and none can take the machine down."""

from __future__ import annotations

import re
from pathlib import Path
from time import perf_counter

import pytest

from novukit.errors import TemplateFailed
from novukit.rendering import Renderer
from novukit.rendering.loading import MAX_SOURCE


def rendered(folder: Path, source: str, name: str = "a.html", **variables: object) -> str:
    (folder / name).write_text(source, "utf-8")
    return Renderer([folder]).html(name, variables)


def failure(folder: Path, source: str, **variables: object) -> TemplateFailed:
    with pytest.raises(TemplateFailed) as caught:
        rendered(folder, source, **variables)
    return caught.value


def test_an_unknown_variable_is_named_with_the_closest(tmp_path: Path) -> None:
    """Template, line, variable, and what was probably meant."""
    error = failure(tmp_path, "<p>\n{{ comentator }}", commentator="Bob", post="x")

    assert "a.html, line 2: there is no variable 'comentator'." == error.message
    assert "Did you mean 'commentator'?" == error.hint
    assert [("undefined_variable", "/variables/comentator")] == [(i.code, i.path) for i in error.issues]


def test_an_unknown_field_is_named_with_the_closest(tmp_path: Path) -> None:
    """The fields of the value are what is known."""
    error = failure(tmp_path, "{{ subscriber.frst_name }}", subscriber={"first_name": "Ada", "email": "x"})

    assert "a.html, line 1: there is no 'frst_name' here." == error.message
    assert "Did you mean 'first_name'?" == error.hint


def test_a_loops_own_variable_is_known_too(tmp_path: Path) -> None:
    """So that a slip inside the loop is found."""
    error = failure(tmp_path, "{% for comment in comments %}{{ coment.text }}{% endfor %}", comments=[1])

    assert "Did you mean 'comment'?" == error.hint


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ x.name }}", "'name' is asked of nothing (null)"),
        ("{{ y.name }}", "'name' is asked of a list"),
        ("{{ z.name }}", "'name' is asked of a number"),
    ],
)
def test_a_field_of_what_has_none(tmp_path: Path, source: str, said: str) -> None:
    """Says what the value is instead."""
    assert said in failure(tmp_path, source, x=None, y=[1], z=3).message


@pytest.mark.parametrize(
    "source",
    ["{% if x %}1{% endif %}", "{% for a in x %}{% endfor %}", "{{ x ~ 1 }}", "{{ x == 1 }}", "{{ x | upper }}"],
)
def test_any_use_of_what_is_missing_fails(tmp_path: Path, source: str) -> None:
    """Nothing is quietly empty or false."""
    assert "there is no variable 'x'" in failure(tmp_path, source).message


def test_without_variables_the_hint_says_so(tmp_path: Path) -> None:
    """Forgotten ``variables=`` is the likeliest cause."""
    (tmp_path / "a.txt").write_text("{{ x }}")
    with pytest.raises(TemplateFailed) as caught:
        Renderer([tmp_path]).text("a.txt", {})

    assert "It was given no variables." == caught.value.hint


@pytest.mark.parametrize(
    ("source", "line"),
    [("\n{{ a ", 2), ("{% if x %}\n", 1), ("\n\n{% endfor %}", 3), ("{{ a | nofilter }}", 1), ("{{ 'x }}", 1)],
)
def test_syntax_errors_have_their_line(tmp_path: Path, source: str, line: int) -> None:
    """And Jinja's own reason."""
    error = failure(tmp_path, source, a=1)

    assert error.message.startswith(f"a.html, line {line}: ")
    assert ["template_syntax"] == [issue.code for issue in error.issues]


def test_an_unknown_filter_has_the_closest(tmp_path: Path) -> None:
    """Also among novukit's own."""
    assert "Did you mean 'number'?" == failure(tmp_path, "{{ 1 | numbr }}").hint


def test_an_error_in_an_included_template_names_that_one(tmp_path: Path) -> None:
    """File and line of the place, not of the includer."""
    (tmp_path / "part.html").write_text("\n\n{{ oops }}")

    assert failure(tmp_path, "{% include 'part.html' %}").message.startswith("part.html, line 3: ")


@pytest.mark.parametrize(
    "source", ["{{ 1 + 'a' }}", "{{ 1 / 0 }}", "{{ 'a' | int | batch }}", "{{ x() }}", "{{ {}['a']['b'] }}"]
)
def test_any_error_has_its_line(tmp_path: Path, source: str) -> None:
    """Whatever Python says, the template and line come first."""
    assert failure(tmp_path, f"\n{source}", x=1).message.startswith("a.html, line 2: ")


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * (10 ** 9) }}",
        "{{ (10 ** 9) * 'a' }}",
        "{{ [0] * 10 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ '{:{}}'.format(1, 1000000000) }}",
        "{{ ('{:>1000000000}' | attr('format'))(1) }}",
        "{{ ['{:>1000000000}'.format] | first }}",
        "{{ 'a'.center(10 ** 9) }}",
        "{{ 'a'.ljust(width) }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ 'a' | center(width=10 ** 9) }}",
        "{{ ['a'] | map('center', 1000000000) | list }}",
        "{{ '\n' | indent(10 ** 9) }}",
        "{{ [1] | batch(10 ** 9, 0) | list }}",
        "{{ [1] | slice(10 ** 9) | list }}",
        "{{ 1.5 | round(10 ** 9) }}",
        "{{ [1] | tojson(indent=10 ** 9) }}",
        "{{ '\t'.expandtabs(10 ** 9) }}",
        "{{ long | replace('a', long) }}",
        "{{ long.replace('a', long) }}",
        "{{ many | join(long) }}",
        "{{ long.join(many) }}",
        "{{ 9 ** 9 ** 9 ** 9 ** 9 ** 9 }}",
        "{{ 'a'.translate({97: 'b'}) }}",
        "{% for a in range(10 ** 9) %}{% endfor %}",
        "{% set n = namespace(s='aaaaaaaaaa') %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include 'a.html' %}",
        "{% extends 'a.html' %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    ],
)
def test_bombs_are_refused_at_once(tmp_path: Path, source: str) -> None:
    """Before the memory is asked for."""
    began = perf_counter()

    error = failure(tmp_path, source, long="a" * 10_000, many=["b"] * 1000, width=10**9)

    assert ["template_limit"] == [issue.code for issue in error.issues]
    assert perf_counter() - began < 2


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ x['__class__'] }}",
        "{{ x | attr('__class__') }}",
        "{{ '{0.__class__.__mro__}'.format(1) }}",
        "{{ self.__init__ }}",
        "{{ many.append(1) }}",
        "{{ x.clear() }}",
    ],
)
def test_python_is_out_of_reach(tmp_path: Path, source: str) -> None:
    """A template sees data, and cannot change it."""
    error = failure(tmp_path, source, x={"a": 1}, many=[1])

    assert ["template_forbidden"] == [issue.code for issue in error.issues]


@pytest.mark.parametrize("name", ["lipsum", "random"])
def test_chance_is_out_of_reach(tmp_path: Path, name: str) -> None:
    """The same variables give the same message."""
    source = "{{ lipsum() }}" if name == "lipsum" else "{{ [1, 2] | random }}"

    assert name in failure(tmp_path, source).message


@pytest.mark.parametrize(
    "name",
    ["../secret.html", "/etc/passwd.html", "a/../../secret.html", "..\\secret.html", "a\x00.html", "../.."],
)
def test_names_do_not_lead_outside(tmp_path: Path, name: str) -> None:
    """Neither of the step's template, nor of what a template includes."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (tmp_path / "secret.html").write_text("secret")
    (folder / "a.html").write_text("{% include name %}")
    renderer = Renderer([folder])

    for attempt in (lambda: renderer.html("a.html", {"name": name}), lambda: renderer.html(f"{name}.html", {})):
        with pytest.raises(TemplateFailed, match="outside the template folders"):
            attempt()


def test_links_do_not_lead_outside(tmp_path: Path) -> None:
    """A symbolic link is followed only within its folder."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (tmp_path / "secret.html").write_text("secret")
    (folder / "a.html").symlink_to(tmp_path / "secret.html")

    with pytest.raises(TemplateFailed, match="link to a file outside"):
        Renderer([folder]).html("a.html", {})


def test_a_missing_template_has_the_closest(tmp_path: Path) -> None:
    """And the folders that were looked through."""
    (tmp_path / "comments.html").write_text("x")
    with pytest.raises(TemplateFailed) as caught:
        Renderer([tmp_path]).html("coments.html", {})

    assert f"There is no template 'coments.html' in {tmp_path}." == caught.value.message
    assert "Did you mean 'comments.html'?" == caught.value.hint


def test_without_folders_the_setting_is_named() -> None:
    """`templates` in novukit.toml is where folders are said."""
    with pytest.raises(TemplateFailed, match=r"`templates` in novukit\.toml"):
        Renderer([]).html("a.html", {})


def test_a_missing_include_has_its_line(tmp_path: Path) -> None:
    """Of the includer."""
    assert "a.html, line 2: There is no template 'nav.html'" in failure(tmp_path, "\n{% include 'nav.html' %}").message


def test_latin_1_is_refused(tmp_path: Path) -> None:
    """Templates are UTF-8."""
    (tmp_path / "a.html").write_bytes(b"caf\xe9")
    with pytest.raises(TemplateFailed, match=r"a\.html is not UTF-8: byte 3"):
        Renderer([tmp_path]).html("a.html", {})


def test_five_megabytes_are_too_many(tmp_path: Path) -> None:
    """A template is written by people."""
    (tmp_path / "a.html").write_bytes(b"x" * (MAX_SOURCE + 1))
    with pytest.raises(TemplateFailed, match="larger than 5,000,000 bytes"):
        Renderer([tmp_path]).html("a.html", {})


def test_check_finds_every_bad_template(tmp_path: Path) -> None:
    """Without rendering one; each with file and line."""
    for name, source in {
        "good.html": "{% extends 'novukit/base.html' %}{{ anything }}",
        "syntax.html": "\n{% if %}",
        "filter.txt": "{{ x | uper }}",
        "include.html": "\n{% include 'god.html' %}",
        "outside.html": "{% include '../x' %}",
        "logo.png": "{% if",
    }.items():
        (tmp_path / name).write_text(source)
    (tmp_path / "bytes.html").write_bytes(b"\xff")

    issues = Renderer([tmp_path, tmp_path / "none"]).check()

    found = {re.sub(rf"^{re.escape(str(tmp_path))}/", "", issue.message).split(":")[0]: issue for issue in issues}
    assert {"syntax.html", "filter.txt", "include.html", "outside.html", "bytes.html"} == {
        name for name in found if not name.startswith("There")
    }
    assert f"{tmp_path}/syntax.html:2: " in found["syntax.html"].message
    assert "Did you mean 'upper'?" == found["filter.txt"].hint
    assert "Did you mean 'good.html'?" == found["include.html"].hint
    assert f"There is no folder {tmp_path / 'none'}." in {issue.message for issue in issues}
