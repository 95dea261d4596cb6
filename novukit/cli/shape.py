"""The shape of a command: our help page, common options, and the bridge from click to an async function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, NoReturn, cast

import click

from ..errors import did_you_mean
from .output import Output

Callback = Callable[..., Any]

WIDTH = 96
"""Help is never set wider than this."""


class CommonOption(click.Option):
    """An option that most commands have; help lists these last."""


def _json_option() -> CommonOption:
    return CommonOption(["--json", "as_json"], is_flag=True, help="Print one JSON document instead of tables.")


def _config_option() -> CommonOption:
    return CommonOption(["--config"], type=click.Path(path_type=Path), metavar="FILE", help="The novukit.toml to use.")


def _environment_option() -> CommonOption:
    return CommonOption(
        ["--environment", "-e"], metavar="SLUG", help="The environment; without it the one of novukit.toml."
    )


def _remote_options() -> list[CommonOption]:
    return [
        CommonOption(["--url"], metavar="URL", help="A server to talk to, instead of working in this process."),
        CommonOption(["--key"], metavar="KEY", help="The secret key for --url; better: NOVUKIT_SECRET_KEY."),
    ]


class _Page:
    """Writes help pages; mixed into commands and groups."""

    examples: str = ""

    def write_examples(self, formatter: click.HelpFormatter) -> None:
        lines = inspect.cleandoc(self.examples).splitlines()
        if not lines:
            return
        formatter.write_paragraph()
        formatter.write(f"{_heading('Examples')}\n")
        for line in lines:
            formatter.write(f"  {click.style(line, dim=True) if line.startswith('#') else line}\n".rstrip(" "))


class Command(_Page, click.Command):
    """One command."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = self.collect_usage_pieces(ctx)
        _usage(formatter, ctx.command_path, " ".join([*pieces[1:], *pieces[:1]]))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        _prose(formatter, self.help)
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record and record[1]:
                (common if isinstance(parameter, CommonOption) or "--help" in parameter.opts else own).append(record)
        _definitions(formatter, "Options", own)
        _definitions(formatter, "Common options", common)
        self.write_examples(formatter)


class Group(_Page, click.Group):
    """Commands under one noun."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _usage(formatter, ctx.command_path, "COMMAND …")

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        _prose(formatter, self.help)
        _definitions(formatter, "Options", [r for p in self.params if (r := p.get_help_record(ctx)) and r[1]])
        sections = self.sections(ctx)
        widest = max((len(name) for _, records in sections for name, _ in records), default=0)
        for title, records in sections:
            _definitions(formatter, title, records, widest)
        self.write_examples(formatter)
        formatter.write(f"\n{click.style(f'{ctx.command_path} COMMAND --help tells more.', dim=True)}\n")

    def sections(self, ctx: click.Context) -> list[tuple[str, list[tuple[str, str]]]]:
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        return [("Commands", [(name, _first_sentence(found.help)) for name, found in commands if found])]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            unknown(ctx, args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def command(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, name: str, *, examples: str = ""
    ) -> Callable[[Callback], Command]:
        """Add a command; its help is the function's docstring."""

        def add(function: Callback) -> Command:
            made = command(name, examples=examples)(function)
            self.add_command(made)
            return made

        return add


def unknown(ctx: click.Context, name: str, known: list[str]) -> NoReturn:
    """Refuse a command that does not exist."""
    hint = did_you_mean(name, known) or ""
    raise click.UsageError(f"{ctx.command_path} has no command {name!r}. {hint}".strip(), ctx)


def command(name: str, *, examples: str = "") -> Callable[[Callback], Command]:
    """Make a command of a function; its help is the function's docstring."""

    def make(function: Callback) -> Command:
        parameters: list[click.Parameter] = list(reversed(getattr(function, "__click_params__", [])))
        made = Command(name, callback=function, params=parameters, help=inspect.getdoc(function))
        made.examples = examples
        return made

    return make


def group(name: str, help: str, *, examples: str = "") -> Group:
    """Make a group."""
    made = Group(name, help=help, no_args_is_help=True)
    made.examples = examples
    return made


def group_with_default(name: str, help: str, default: Callback, *, examples: str = "") -> Group:
    """Make a group that does ``default`` when no command is named."""

    def call(**options: Any) -> None:
        ctx = click.get_current_context()
        if ctx.invoked_subcommand is None:
            default(**options)
        elif any(options.values()):
            raise click.UsageError(f"Options go behind the command: {ctx.command_path} {ctx.invoked_subcommand} …", ctx)

    parameters: list[click.Parameter] = list(reversed(getattr(default, "__click_params__", [])))
    made = Group(name, help=help, invoke_without_command=True, callback=call, params=parameters)
    made.examples = examples
    return made


def local(function: Callable[..., Any]) -> Callable[..., None]:
    """For a command that works on this machine: it gets an :class:`Output`, and may be async."""

    def call(*, as_json: bool, **arguments: Any) -> None:
        output = Output(as_json)
        _finish(function(output, **arguments))

    return _dressed(call, function, [_json_option()])


def placed(function: Callable[..., Any]) -> Callable[..., None]:
    """For a command that reads the settings itself: it gets an :class:`Output`, ``config`` and ``environment``."""

    def call(*, as_json: bool, **arguments: Any) -> None:
        _finish(function(Output(as_json), **arguments))

    return _dressed(call, function, [_environment_option(), _config_option(), _json_option()])


def configured(function: Callable[..., Any]) -> Callable[..., None]:
    """For a command that needs the settings: it gets an :class:`Output` and the :class:`Settings`, and may be async."""

    def call(*, as_json: bool, config: Path | None, environment: str | None, **arguments: Any) -> None:
        from .session import settings_of

        output = Output(as_json)
        _finish(function(output, settings_of(config, environment, output), **arguments))

    return _dressed(call, function, [_environment_option(), _config_option(), _json_option()])


def connected(function: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """For a command that speaks to a server, in this process or elsewhere: it gets a :class:`Session`."""

    def call(
        *, as_json: bool, config: Path | None, environment: str | None, url: str | None, key: str | None, **rest: Any
    ) -> None:
        from .session import Target, open_session

        async def work() -> None:
            async with open_session(Target(config, environment, url, key), Output(as_json)) as session:
                await function(session, **rest)

        _finish(work())

    return _dressed(call, function, [_environment_option(), *_remote_options(), _config_option(), _json_option()])


def _dressed(call: Callback, function: Callback, options: list[CommonOption]) -> Callback:
    """``call`` with the docstring and options of ``function``, and the common ``options`` after them."""
    call.__doc__, call.__name__ = function.__doc__, getattr(function, "__name__", "command")
    # click keeps parameters in reverse: decorators are applied from the bottom up.
    call.__click_params__ = [*reversed(options), *getattr(function, "__click_params__", [])]  # type: ignore[attr-defined]
    return call


def _finish(result: Any) -> None:
    """Run what an async function returned to its end."""
    if isinstance(result, Coroutine):
        from . import loop

        loop.run(cast("Coroutine[Any, Any, None]", result))


def _heading(text: str) -> str:
    return click.style(text, bold=True)


def _first_sentence(text: str | None) -> str:
    """What a list of commands shows of a help text."""
    paragraph = " ".join((text or "").strip().partition("\n\n")[0].split())
    first, stop, _ = paragraph.partition(". ")
    return f"{first}." if stop else paragraph


def _usage(formatter: click.HelpFormatter, path: str, rest: str) -> None:
    formatter.write(f"{_heading('Usage')}  {path} {rest}\n")


def _prose(formatter: click.HelpFormatter, text: str | None) -> None:
    for paragraph in inspect.cleandoc(text or "").split("\n\n"):
        formatter.write("\n")
        formatter.write_text(" ".join(paragraph.split()))


def _definitions(formatter: click.HelpFormatter, title: str, records: list[tuple[str, str]], least: int = 0) -> None:
    if not records:
        return
    formatter.write(f"\n{_heading(title)}\n")
    formatter.indent()
    # On a narrow terminal the text goes below its term.
    room = max(8, min(34, formatter.width // 2))
    padded = [(f"{click.style(term, fg='cyan')}{' ' * (least - len(term))}", text) for term, text in records]
    formatter.write_dl(padded, col_max=room)
    formatter.dedent()
