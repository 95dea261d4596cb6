"""Master keys: read from a variable, or kept in a file of the project's folder while the database is a local file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
from pathlib import Path

from ..errors import SettingsInvalid

LENGTH = 32
"""Bytes of a key: AES-256."""

_HINT = "Make one with `novukit keys master`."


def make() -> str:
    """A new key, ``kid:base64``; the kid is taken from the key's own hash."""
    return _named(base64.b64encode(secrets.token_bytes(LENGTH)).decode())


def parse(text: str, source: str) -> list[str]:
    """The keys of ``kid:base64,kid2:base64``, or of a bare base64 text, whose kid is then its own hash.

    Raises :class:`SettingsInvalid` that names ``source`` and the kid, and never shows the key.
    """
    found: dict[str, str] = {}
    for number, part in enumerate(text.split(","), 1):
        kid, colon, value = part.strip().rpartition(":")
        which = f"key {kid!r}" if kid else f"key {number}" if "," in text else "the key"
        if colon and not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", kid):
            raise SettingsInvalid(f"{source}: the name of key {number} may hold 1 to 32 letters, digits, _ and -.")
        named = f"{kid}:{_checked(value, which, source)}" if kid else _named(_checked(value, which, source))
        kid = named.partition(":")[0]
        if kid in found:
            raise SettingsInvalid(f"{source}: two keys have the name {kid!r}.", hint="Give each key a name of its own.")
        found[kid] = named
    return list(found.values())


def of_folder(folder: Path) -> list[str]:
    """The key in ``folder/master.key``, readable by its owner only; made on first use."""
    file = folder / "master.key"
    if not file.exists():
        _create(file)
    try:
        return parse(file.read_text().strip(), str(file))
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        hint = "Check its owner and mode."
        raise SettingsInvalid(f"The master key {file} cannot be read ({reason}).", hint=hint) from None


def _create(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not (ignore := file.parent / ".gitignore").exists():
            ignore.write_text("*\n")
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(f"{make()}\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            # A link fails when another process was first: its key stays, ours is dropped.
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as err:
        reason = (err.strerror or type(err).__name__).lower()
        raise SettingsInvalid(
            f"The master key cannot be kept in {file} ({reason}).",
            hint="Make the folder writable, or set NOVUKIT_MASTER_KEY.",
        ) from None


def _checked(value: str, which: str, source: str) -> str:
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        try:
            key = base64.b64decode(value, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise SettingsInvalid(f"{source}: {which} is not base64.", hint=_HINT) from None
    if len(key) != LENGTH:
        raise SettingsInvalid(f"{source}: {which} has {len(key)} bytes; a master key has {LENGTH}.", hint=_HINT)
    return base64.b64encode(key).decode()


def _named(value: str) -> str:
    return f"{hashlib.sha256(base64.b64decode(value)).hexdigest()[:8]}:{value}"
