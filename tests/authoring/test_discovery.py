"""Discovery finds every step in every branch without running the author's code, and names what it cannot accept."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from novukit import Context, Workflow, workflow
from novukit.errors import WorkflowInvalid

from .conftest import FIRST, Write


def steps(found: Workflow[Any]) -> list[tuple[str, str]]:
    return [(step.id, step.kind.value) for step in found.spec().steps]


def body(write: Write, text: str) -> Workflow[Any]:
    """A workflow with this body; its first line is line ``FIRST`` + 2 of the file."""
    lines = "\n".join(f"    {line}" for line in dedent(text).strip("\n").splitlines())
    return write(f'@workflow("one")\nasync def one(ctx: Context[None]) -> None:\n{lines}\n').one


def refusal(write: Write, text: str) -> str:
    with pytest.raises(WorkflowInvalid) as caught:
        body(write, text).spec()
    return str(caught.value)


def test_all_nine_kinds_are_found_in_the_order_of_the_source(write: Write) -> None:
    """The kind is the method's name, the id its first argument."""
    found = body(
        write,
        """
        step = ctx.step
        await step.in_app("a", body="x")
        await step.email(id="b", subject="x")
        await step.sms("c", body="x")
        await step.push("d", subject="x")
        await step.chat("e", body="x")
        await step.digest("f", window=timedelta(hours=1))
        await step.delay("g", timedelta(hours=1))
        await step.throttle("h", limit=1, window=timedelta(hours=1))
        await step.custom("i", print)
        """,
    )

    kinds = ["in_app", "email", "sms", "push", "chat", "digest", "delay", "throttle", "custom"]
    assert list(zip("abcdefghi", kinds, strict=True)) == steps(found)


def test_every_branch_is_seen(write: Write) -> None:
    """Steps behind conditions, in loops, handlers, comprehensions and expressions are steps."""
    found = body(
        write,
        """
        if ctx.subscriber.email:
            await ctx.step.email("if", subject="x")
        elif ctx.subscriber.phone:
            await ctx.step.sms("elif")
        else:
            await ctx.step.chat("else")
        for at in range(3):
            await ctx.step.push("for", subject="x", key=str(at))
        while False:
            await ctx.step.push("while", subject="x")
        try:
            await ctx.step.sms("try")
        except ValueError:
            await ctx.step.email("except", subject="x")
        match ctx.environment:
            case "production":
                await ctx.step.sms("case")
        with open("x"):
            sent = await ctx.step.sms("with")
        [await ctx.step.sms("comprehension", key=str(n)) for n in range(2)]
        one = (await ctx.step.sms("then")) if sent else (await ctx.step.sms("otherwise"))
        return
        await ctx.step.sms("never")
        """,
    )

    assert [
        "if", "elif", "else", "for", "while", "try", "except", "case", "with", "comprehension", "then", "otherwise",
        "never",
    ] == [step for step, _ in steps(found)]  # fmt: skip


def test_the_authors_code_is_never_run(write: Write) -> None:
    """A workflow that would raise at once is read like any other."""
    assert [("a", "sms")] == steps(body(write, 'raise RuntimeError\nawait ctx.step.sms("a")'))


@pytest.mark.parametrize(
    "text",
    [
        "step = ctx.step\nawait step.sms('a')",
        "step, payload = ctx.step, ctx.payload\nawait step.sms('a')",
        "(payload, [step]) = (ctx.payload, [ctx.step])\nawait step.sms('a')",
        "step: Step[None] = ctx.step\nawait step.sms('a')",
        "await (step := ctx.step).sms('a')",
        "context = ctx\nstep = context.step\nagain = step\nawait again.sms('a')",
        "waits = ctx.step.sms('a')\nawait waits",
    ],
)
def test_step_is_followed_through_names(text: str, write: Write) -> None:
    """However the author shortens ``ctx.step``."""
    assert [("a", "sms")] == steps(body(write, text))


def test_what_only_looks_like_a_step_is_none(write: Write) -> None:
    """Other objects may have methods of the same names."""
    found = body(
        write, 'mailer = print\nawait mailer.email("no")\nawait ctx.payload.sms("no")\nawait ctx.step.sms("a")'
    )

    assert [("a", "sms")] == steps(found)


def test_helpers_are_followed(write: Write) -> None:
    """Functions called with ctx or step, by position or by name, nested and recursive, count where they are called."""
    found = write(
        """
        async def remind(wait: int, step: Step[None]) -> None:
            await step.delay("wait", timedelta(days=wait))
            await tell(who=step)

        async def tell(*, who: Step[None]) -> None:
            await who.sms("tell")

        async def again(ctx: Context[None], left: int) -> None:
            await ctx.step.push("again", subject="x", key=str(left))
            if left:
                await again(ctx, left - 1)

        async def unused(step: Step[None]) -> None:
            await step.sms("unused")

        @workflow("one")
        async def one(ctx: Context[None]) -> None:
            async def within(step: Step[None]) -> None:
                await step.chat("within")
                await ctx.step.chat("closure")

            await ctx.step.email("first", subject="x")
            await remind(3, ctx.step)
            await again(ctx, 3)
            await within(ctx.step)
        """
    ).one

    assert {"first", "wait", "tell", "again", "within", "closure"} == {step for step, _ in steps(found)}


def test_helpers_of_other_modules_are_followed(write: Write) -> None:
    """A shared helper is found through the name that it was imported under, or through its module."""
    common = write('async def common(step: Step[None]) -> None:\n    await step.sms("common")\n').__name__
    found = write(
        f"""
        import {common} as shared
        from {common} import common as named

        @workflow("one")
        async def one(ctx: Context[None]) -> None:
            await named(ctx.step)

        @workflow("two")
        async def two(ctx: Context[None]) -> None:
            await shared.common(ctx.step)
        """
    )

    assert [("common", "sms")] == steps(found.one) == steps(found.two)


def test_lines_are_counted_from_the_workflows_first_one(write: Write) -> None:
    """Moving a workflow within its file changes nothing; a helper's steps stand where it is called."""
    text = """
        @workflow("one")
        async def one(ctx: Context[None]) -> None:
            await ctx.step.sms("a")

            await helper(ctx)

        async def helper(ctx: Context[None]) -> None:
            await ctx.step.sms("b")
        """
    first, moved = write(text).one.spec(), write("\n\n\n" + text + "\n\n").one.spec()

    assert [2, 4] == [step.line for step in first.steps]
    assert first == moved
    assert first.version == moved.version


def test_a_workflow_within_a_function_is_read(write: Write) -> None:
    """As tests define them."""

    @workflow("inner")
    async def inner(ctx: Context[None]) -> None:
        await ctx.step.sms("a")

    assert [("a", "sms")] == steps(inner)


def test_a_decorated_workflow_is_read_below_its_decorators(write: Write) -> None:
    """``functools.wraps`` leads to the function that has the steps."""
    found = write(
        """
        from functools import wraps

        def traced(function):
            @wraps(function)
            async def inner(ctx):
                return await function(ctx)
            return inner

        @workflow("one")
        @traced
        async def one(ctx: Context[None]) -> None:
            await ctx.step.sms("a")
        """
    ).one

    assert [("a", "sms")] == steps(found)


@pytest.mark.parametrize(
    "text",
    [
        "if x:\n    await ctx.step.sms('a', body='1')\nelse:\n    await ctx.step.sms('a', body='2')",
        "if x:\n    await ctx.step.sms('a')\nelif y:\n    await ctx.step.sms('a')",
        "match x:\n    case 1:\n        await ctx.step.sms('a')\n    case _:\n        await ctx.step.sms('a')",
        "await (ctx.step.sms('a') if x else ctx.step.sms('a'))",
        "try:\n    pass\nexcept A:\n    await ctx.step.sms('a')\nexcept B:\n    await ctx.step.sms('a')",
        "try:\n    pass\nexcept A:\n    await ctx.step.sms('a')\nelse:\n    await ctx.step.sms('a')",
    ],
)
def test_branches_that_exclude_each_other_may_share_a_step(text: str, write: Write) -> None:
    """Only one of them can run."""
    assert [("a", "sms")] == steps(body(write, text))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("await ctx.step.sms('a')\nawait ctx.step.sms('a')", "2 and 3"),
        ("await ctx.step.sms('a', key='1')\nawait ctx.step.sms('a', key='2')", "2 and 3"),
        ("if x:\n    await ctx.step.sms('a')\nawait ctx.step.sms('a')", "3 and 4"),
        ("if x:\n    await ctx.step.sms('a')\nelse:\n    await ctx.step.chat('a')", "3 and 5, as sms and as chat"),
        ("try:\n    await ctx.step.sms('a')\nexcept E:\n    await ctx.step.sms('a')", "3 and 5"),
        ("if x:\n    await ctx.step.sms('a')\nif y:\n    await ctx.step.sms('a')", "3 and 5"),
    ],
)
def test_a_step_id_used_twice_is_refused(text: str, lines: str, write: Write) -> None:
    """Both lines are named; what was tried may have run before its handler does."""
    first, rest = lines.split(" and ", 1)
    second, *more = rest.split(", ", 1)
    expected = f"in lines {int(first) + FIRST} and {int(second) + FIRST}" + "".join(f", {m}" for m in more)

    message = refusal(write, text)

    assert expected in message
    assert "'a'" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("await ctx.step.sms(f'a{1}')", ["step.sms()", "not a literal string", "key="]),
        ("await ctx.step.sms(NAME)", ["not a literal string"]),
        ("await ctx.step.sms(*names)", ["not a literal string"]),
        ("await ctx.step.sms(body='x')", ["has no id"]),
        ("await ctx.step.sms('a b')", ["'a b' cannot be the id"]),
        ("await ctx.step.sms('.a')", ["'.a' cannot be the id"]),
        ("await ctx.step.sms('a\\n')", ["cannot be the id"]),
        ("await ctx.step.sms('" + "x" * 101 + "')", ["cannot be the id", "100"]),
        ("ctx.step.sms('a')", ["not awaited", "`await step.sms(…)`"]),
        ("await ctx.step.smss('a')", ["no step.smss()", "Did you mean 'sms'?"]),
        ("send = ctx.step.sms\nawait send('a')", ["without being called"]),
        ("await helper(ctx.step.sms)", ["without being called"]),
        ("try:\n    pass\nfinally:\n    await ctx.step.sms('a')", ["`finally`", "sleep"]),
        ("await ctx.step.in_app('inbox')\nawait ctx.step.sms('a', unless_seen='inbxo')", ["Did you mean 'inbox'?"]),
        ("pass", ["there are no steps", "await ctx.step.email"]),
    ],
)
def test_what_cannot_be_made_durable_is_refused(text: str, words: list[str], write: Write) -> None:
    """File and line, what is wrong, and what to do."""
    message = refusal(write, text)

    assert [] == [word for word in ["'one'", ".py:", *words] if word not in message]


def test_a_helper_in_finally_is_refused(write: Write) -> None:
    """Also when the same helper is called outside of it."""
    with pytest.raises(WorkflowInvalid, match="`finally`"):
        write(
            """
            async def tell(step: Step[None]) -> None:
                await step.sms("tell", key="1")

            @workflow("one")
            async def one(ctx: Context[None]) -> None:
                await tell(ctx.step)
                try:
                    pass
                finally:
                    await tell(ctx.step)
            """
        ).one.spec()


def test_all_problems_are_told_at_once(write: Write) -> None:
    """Each with its own file and line."""
    with pytest.raises(WorkflowInvalid, match="'one' breaks 3 rules") as caught:
        body(write, "ctx.step.sms('a')\nawait ctx.step.sms('b c')\nawait ctx.step.push(x)").spec()

    assert ["step_not_awaited", "step_id_invalid", "step_id_not_literal"] == [i.code for i in caught.value.issues]
    assert [True] * 3 == [f":{FIRST + n}: " in i.message for n, i in enumerate(caught.value.issues, 2)]


def test_source_that_cannot_be_read_is_refused() -> None:
    """As in a bare interpreter: the message says to use a file."""
    names: dict[str, Any] = {"workflow": workflow, "Context": Context}
    exec("@workflow('one')\nasync def one(ctx: Context[None]): await ctx.step.sms('a')", names)

    with pytest.raises(WorkflowInvalid, match=r"<string>:1: the source of workflow 'one' cannot be read.*in a file"):
        names["one"].spec()


def test_a_file_changed_since_its_import_is_refused(write: Write) -> None:
    """Steps of other code than what runs would be worse than none."""
    module = write('@workflow("one")\nasync def one(ctx: Context[None]) -> None:\n    await ctx.step.sms("a")\n')
    assert module.__file__ is not None
    Path(module.__file__).write_text("# nothing is left\n", encoding="utf-8")

    with pytest.raises(WorkflowInvalid, match="start again"):
        module.one.spec()
