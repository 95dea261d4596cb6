"""The way in: find the command, run it, and turn whatever happens into one exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Any, NoReturn, cast

import click

from ..errors import NovukitError
from .failure import INTERRUPTED, OK, report, report_fault, report_usage
from .index import INDEX, names
from .shape import WIDTH, Group


class _PipeClosed(Exception):
    """Whoever read our output has seen enough. click would make a failure of it."""


class Root(Group):
    """``novukit``: commands are imported when they are called."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as err:
            raise _PipeClosed from err

    def list_commands(self, ctx: click.Context) -> list[str]:
        return names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in names():
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        found: click.Command = import_module(f".commands.{module}", __package__).command
        return found

    def sections(self, ctx: click.Context) -> list[tuple[str, list[tuple[str, str]]]]:
        return [(title, list(commands.items())) for title, commands in INDEX.items()]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Nothing: the page lists them in sections."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Names and helps come from the index: completing imports nothing."""
        from click.shell_completion import CompletionItem

        listed = {name: text for commands in INDEX.values() for name, text in commands.items()}
        return [CompletionItem(name, help=text) for name, text in listed.items() if name.startswith(incomplete)]


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("novukit")
        except PackageNotFoundError:
            number = "(not installed)"
        click.echo(f"novukit {number}, Python {sys.version.split()[0]}")
        ctx.exit()


root = Root(
    "novukit",
    help="Notification workflows in Python: durable, declarative, with plugin providers.",
    no_args_is_help=True,
    params=[click.Option(["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version)],
    context_settings={"max_content_width": WIDTH, "help_option_names": ["--help", "-h"]},
)
root.examples = """
    novukit init shop && cd shop && novukit dev
    novukit trigger welcome --to ada@example.com --wait
    novukit sync --environment production --check
"""


def run(args: Sequence[str] | None = None) -> NoReturn:
    """Run ``novukit`` with these arguments (those of the process unless given) and exit."""
    arguments = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except (_PipeClosed, BrokenPipeError):
        # Python flushes once more at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = OK
    sys.exit(code)


def _run(arguments: list[str]) -> int:  # noqa: PLR0911 (one for each way to end)
    as_json = "--json" in arguments
    color = False if os.environ.get("NO_COLOR") else None
    try:
        return root.main(arguments, prog_name="novukit", standalone_mode=False, color=color) or OK
    except click.exceptions.NoArgsIsHelpError as err:
        click.echo(err.ctx.get_help() if err.ctx else "", color=color)
        return OK
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as err:
        return report_usage(err, as_json)
    except NovukitError as err:
        return report(err, as_json)
    except (_PipeClosed, BrokenPipeError):
        raise
    except Exception as err:
        if isinstance(found := _innermost(err), NovukitError):
            return report(found, as_json)
        if isinstance(found, KeyboardInterrupt):
            return INTERRUPTED
        if os.environ.get("NOVUKIT_TRACEBACK"):
            raise
        from ..store.outage import outage

        if away := outage(found):  # it went away while the command was at work
            return report(away, as_json)
        return report_fault(found, as_json)


def _innermost(err: BaseException) -> BaseException:
    """The one error within a group of one."""
    while isinstance(err, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", err).exceptions
        if len(inner) != 1:
            break
        err = inner[0]
    return cast("BaseException", err)
