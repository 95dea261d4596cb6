"""Credentials from the command line, so that a secret need not stand in the shell's history."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ..errors import InvalidInput, SecretMissing
from .values import assignments


def read_credentials(pairs: tuple[str, ...]) -> dict[str, Any]:
    """An object of ``KEY=VALUE``: ``env:NAME`` reads a variable, ``@file`` a file, ``?`` asks without echo."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (equals and key):
            # The text is not repeated: it may be a secret.
            raise InvalidInput("--set needs a name and a value.", hint="Write --set apiKey=env:SENDGRID_API_KEY.")
        if value.startswith("env:"):
            found[key] = _variable(key, value.removeprefix("env:"))
        elif value.startswith("@"):
            found[key] = _file(key, Path(value[1:]))
        elif value == "?":
            found[key] = click.prompt(key, hide_input=True, err=True)
        else:
            plain = assignments([f"value={value}"], "--set")["value"]
            # A number stays text: passwords and account ids are made of digits too.
            found[key] = plain if isinstance(plain, bool) else value
    return found


def _variable(key: str, name: str) -> str:
    if value := os.environ.get(name):
        return value
    raise SecretMissing(f"{key} needs the environment variable {name[:64]}, which is not set.", hint=f"export {name}=…")


def _file(key: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as err:
        reason = (getattr(err, "strerror", None) or "it is not text").lower()
        raise InvalidInput(f"{key}: {file} cannot be read ({reason}).", hint="Check the path.") from None
