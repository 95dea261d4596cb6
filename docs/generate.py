"""Write the pages of docs/ that the code knows best: errors, reasons, activity, routes, providers, the command line.

``python -m docs.generate`` writes them, ``--check`` only says which ones are out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from novukit import errors, providers  # providers declares errors of its own
from novukit.bridge import docs as pages_of_the_bridge
from novukit.bridge import health, inbox
from novukit.bridge.api import HANDLERS, callbacks
from novukit.bridge.problems import _STATUS as STATUSES
from novukit.cli.entry import root
from novukit.cli.reasons import WORDS
from novukit.cli.shape import CommonOption
from novukit.model import ActivityKind, Reason

from . import compatibility, matrix

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the code: change it there, then run `make format`. -->"

DECLARING = {errors.__name__, *(f"{providers.__name__}.{name}" for name in ("outcome", "callback", "reception"))}
"""The modules whose errors people can meet."""


def error_page() -> str:
    """Each error code, with the status of the REST API and what it means."""
    rows = [
        f"| `{kind.code}` | {_status(kind)} | {'yes' if kind.retryable else ''} | {_meaning(kind)} |"
        for kind in sorted(_kinds(errors.NovukitError), key=lambda kind: kind.code)
    ]
    return _page(
        "Errors",
        "Every error is a `novukit.NovukitError`: `code` is for machines and does not change, `message` says what is "
        "wrong, `hint` what to do, `issues` which fields (JSON pointers). The REST API answers with the same `code`; "
        "the command line prints message and hint and exits with a code above 0.",
        "«Again» means that the same call may succeed later. On the three trigger routes `payload_invalid` is a 400 "
        "and `workflow_not_found` a 422, as Novu has it.",
        "| code | status | again | meaning |\n| --- | --- | --- | --- |\n" + "\n".join(rows),
    )


def reason_page() -> str:
    """Each reason and each kind of activity."""
    reasons = [f"| `{reason.value}` | {_sentence(WORDS[reason.value])} |" for reason in Reason]
    kinds = [f"| `{kind.value}` | {kind.sentence} |" for kind in ActivityKind]
    return _page(
        "Reasons",
        "Whatever ends, or is skipped, says why: a step, a message and an execution carry one of these. The list is "
        "closed. `novukit executions show` and the activity log print the words.",
        "| reason | in words |\n| --- | --- |\n" + "\n".join(reasons),
        "## Activity\n\nThe activity log is written in the same transaction as what it tells of. Its kinds:",
        "| kind | in words |\n| --- | --- |\n" + "\n".join(kinds),
    )


def route_page() -> str:
    """Each operation of the API with its summary."""
    handlers: list[Any] = [
        *HANDLERS, *callbacks.HANDLERS, *inbox.HANDLERS, *health.HANDLERS, *pages_of_the_bridge.HANDLERS,
    ]  # fmt: skip
    operations = sorted(
        (re.sub(r":\w+}", "}", path), method, handler.summary or handler.fn.__doc__.splitlines()[0])
        for handler in handlers
        for path in handler.paths
        for method in handler.http_methods - {"HEAD", "OPTIONS"}
    )
    return _page(
        "Routes",
        "Every call carries `Authorization: ApiKey <secret key>`, except those to health, to the descriptions, a "
        "vendor's callback, which is signed, and those under `/v1/inbox`, which carry a session's token. "
        "`GET /openapi.json` has parameters and bodies, and `GET /docs` shows them. See [API](api.md).",
        "| method | path | does |\n| --- | --- | --- |\n"
        + "\n".join(f"| {method} | `{path}` | {_prose(summary)} |" for path, method, summary in operations),
    )


def command_page() -> str:
    """Each command with its arguments and options."""
    opening = (
        "`novukit --help` and `novukit <command> --help` say the same. Commands work in this process, with the "
        "`novukit.toml` of the folder or one above it; with `--url` and `--key` (or NOVUKIT_URL and "
        "NOVUKIT_SECRET_KEY) they speak to a server. Options that most commands have:"
    )
    common: dict[str, str] = {}
    for _, command in _commands(root, "novukit"):
        common |= {one.opts[0]: _option(one) for one in command.params if isinstance(one, CommonOption)}
    parts = [opening, "\n".join(common.values())]
    for path, command in _commands(root, "novukit"):
        usage = " ".join(
            piece for piece in command.collect_usage_pieces(click.Context(command)) if piece != "[OPTIONS]"
        )
        parts.append(f"## {path}\n\n{_prose(command.help)}")
        parts.append(f"    {path} {usage}".rstrip())
        own = [one for one in command.params if isinstance(one, click.Option) and not isinstance(one, CommonOption)]
        options = [_option(one) for one in own]
        if options:
            parts.append("\n".join(option for option in options if option))
    return _page("The command line", *parts)


def provider_page() -> str:
    """What each provider can do."""
    return _page("The provider matrix", *matrix.parts())


def compatibility_page() -> str:
    """Every operation of Novu's SDKs, and what becomes of it."""
    return _page("Novu compatibility", *compatibility.parts())


def _commands(group: Any, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def _option(option: click.Option) -> str:
    if option.hidden or not option.help:
        return ""
    metavar = "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('novukit')))}"
    return f"- `{', '.join([*option.opts, *option.secondary_opts])}{metavar}`: {_prose(option.help)}"


def _kinds(kind: type[errors.NovukitError]) -> list[type[errors.NovukitError]]:
    """``kind`` and below, as far as people can meet it: one class for each code."""
    found = {one.code: one for one in _below(kind) if one.__module__ in DECLARING and "code" in vars(one)}
    return list(found.values())


def _below(kind: type[errors.NovukitError]) -> Iterator[type[errors.NovukitError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _below(child)


def _status(kind: type[errors.NovukitError]) -> int:
    return next(status for parent, status in STATUSES if issubclass(kind, parent))


def _meaning(kind: type[errors.NovukitError]) -> str:
    return _prose((kind.__doc__ or "").split("\n\n")[0])


def _prose(text: str | None) -> str:
    """Text of a docstring or a help on one line of Markdown."""
    return " ".join((text or "").replace("``", "`").replace("|", "\\|").split())


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


PAGES = {
    "errors.md": error_page, "reasons.md": reason_page, "cli.md": command_page, "routes.md": route_page,
    "provider-matrix.md": provider_page, "novu-compatibility.md": compatibility_page,
}  # fmt: skip
"""Every generated page: file name → what writes it."""


def main(arguments: list[str]) -> int:
    """Write, or check; the number of pages that are out of date."""
    stale = 0
    for name, write in PAGES.items():
        path, text = DOCS / name, write()
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if "--check" in arguments:
            print(f"docs/{name} is out of date. Run: make format")  # noqa: T201
            stale += 1
        else:
            path.write_text(text, "utf-8")
            print(f"docs/{name} written")  # noqa: T201
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
