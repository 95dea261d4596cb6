"""A registry is made of the modules that an application names; whatever is wrong with them is told by file and line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from textwrap import dedent

import pytest

from novukit.authoring import Registry
from novukit.errors import WorkflowInvalid, WorkflowNotFound

ONE = """
from novukit import Context, workflow

@workflow("{id}")
async def {name}(ctx: Context[None]) -> None:
    await ctx.step.sms("code")
"""

_numbers = count()

Package = Callable[..., str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Write a package with these modules below ``tmp_path``; its name is its own."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    name = f"package_{next(_numbers)}"

    def write(**modules: str) -> str:
        (tmp_path / name).mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (tmp_path / name / f"{module}.py").write_text(dedent(text), encoding="utf-8")
        return name

    yield write
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        del sys.modules[module]


def test_workflows_are_found_where_they_are_named(package: Package, tmp_path: Path) -> None:
    """Defined in a named module or imported into one, each once; modules that are not named do not count."""
    name = package(
        a=ONE.format(id="a", name="a"),
        b="from .a import a\nfrom . import c\n" + ONE.format(id="b", name="b") + "alias = b\n",
        c=ONE.format(id="c", name="c"),
    )

    registry = Registry.load([f"{name}.a", f"{name}.b"], tmp_path)

    assert ["a", "b"] == [one.id for one in registry]
    assert (2, True, False) == (len(registry), "b" in registry, "c" in registry)
    assert {"a", "b"} == registry.manifest().workflows.keys()
    assert "a" == registry.get("a").id


def test_an_unknown_workflow_is_named_with_the_closest(package: Package, tmp_path: Path) -> None:
    """And without any there is a hint where to name them."""
    registry = Registry.load([f"{package(a=ONE.format(id='welcome', name='a'))}.a"], tmp_path)

    with pytest.raises(WorkflowNotFound, match=r"'welcom'.* Did you mean 'welcome'\?"):
        registry.get("welcom")
    with pytest.raises(WorkflowNotFound, match=r"novukit\.toml"):
        Registry().get("welcome")


def test_two_workflows_with_one_id_are_refused(package: Package, tmp_path: Path) -> None:
    """Both places are named."""
    name = package(a=ONE.format(id="same", name="a"), b="\n" + ONE.format(id="same", name="b"))

    with pytest.raises(WorkflowInvalid, match=r"'same': .*a\.py:4 and .*b\.py:5"):
        Registry.load([f"{name}.a", f"{name}.b"], tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\ny = 1 / 0\n", ["a.py:2: ZeroDivisionError: division by zero"]),
        ("import not_there_at_all\n", ["a.py:1: ModuleNotFoundError", "'not_there_at_all'"]),
        ("def f(:\n", ["not valid Python", "a.py:1:7"]),
        ("raise SystemExit(3)\n", ["a.py:1: SystemExit: 3"]),
        ("def deep():\n    int('x')\n\ndeep()\n", ["a.py:2: ValueError: invalid literal"]),
        ("import json\njson.loads('{')\n", ["a.py:2: json.decoder.JSONDecodeError"]),
        ("x = '\\x00'\n\x00", ["not valid Python"]),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(
    text: str, words: list[str], package: Package, tmp_path: Path
) -> None:
    """With the line in the author's file, and what was raised there."""
    name = package(a=text)

    with pytest.raises(WorkflowInvalid) as caught:
        Registry.load([f"{name}.a"], tmp_path)

    assert [] == [word for word in [f"'{name}.a'", *words] if word not in str(caught.value)]


@pytest.mark.parametrize("missing", ["not_there", "not_there.workflows", "{name}.workflow"])
def test_a_module_that_is_not_there_is_named(missing: str, package: Package, tmp_path: Path) -> None:
    """With the folder that was searched."""
    module = missing.format(name=package())

    with pytest.raises(WorkflowInvalid, match=f"no module '{module}'.*dotted names") as caught:
        Registry.load([module], tmp_path)

    assert str(tmp_path) in caught.value.message


def test_a_definition_that_breaks_a_rule_keeps_its_own_words(package: Package, tmp_path: Path) -> None:
    """What is wrong in the workflow is told, whether at its definition or in its steps."""
    name = package(
        a="from novukit import Context, workflow\n\n@workflow('a')\ndef a(ctx: Context[None]): ...\n",
        b=ONE.format(id="b", name="b").replace('"code"', "str(1)"),
    )

    with pytest.raises(WorkflowInvalid, match=r"a\.py:3: workflow function 'a' is not async"):
        Registry.load([f"{name}.a"], tmp_path)
    with pytest.raises(WorkflowInvalid, match=r"b\.py:6: in workflow 'b', the id of step\.sms\(\) is not a literal"):
        Registry.load([f"{name}.b"], tmp_path)
