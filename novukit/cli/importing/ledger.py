"""The ledger of an import: how far each stage has come, and what was left out; kept in a file, so that it can go on."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ...errors import SettingsInvalid

VERSION = 1
MOST_NOTES = 1_000
"""Remarks that a stage keeps; the others are only counted."""


@dataclass
class Stage:
    """How far one kind of thing has come.

    ``after`` is the cursor of the page that comes next; ``within`` that of each topic that is under way. ``there``
    counts what the destination had already, ``left_out`` what could not be moved.
    """

    name: str
    after: str | None = None
    within: dict[str, str] = field(default_factory=dict[str, str])
    done: bool = False
    total: int | None = None
    read: int = 0
    moved: int = 0
    there: int = 0
    left_out: int = 0
    notes: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    more_notes: int = 0

    def note(self, about: str, said: str) -> None:
        """Remark something about one thing."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append({"about": about[:255], "said": said[:500]})
        else:
            self.more_notes += 1

    def leave_out(self, about: str, said: str) -> None:
        """Remark that one thing could not be moved, and why."""
        self.left_out += 1
        self.note(about, said)

    def begin_again(self) -> None:
        """Forget how far it has come."""
        fresh = Stage(self.name)
        self.__dict__.update(fresh.__dict__)


class Ledger:
    """All stages of one import, from one environment to another. Without a file (a dry run) nothing is kept."""

    def __init__(self, file: Path | None, source: str, to: str) -> None:
        self.file, self.source, self.to = file, source, to
        self.stages: dict[str, Stage] = {}
        self.resumed = False
        if file is not None and file.exists():
            self._read(file)

    def stage(self, name: str) -> Stage:
        """The stage of this name, as far as it has come."""
        return self.stages.setdefault(name, Stage(name))

    def save(self) -> None:
        """Write it, whole or not at all."""
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        told: dict[str, Any] = {
            "version": VERSION,
            "source": self.source,
            "to": self.to,
            "stages": {name: vars(stage) for name, stage in self.stages.items()},
        }
        fresh = self.file.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as out:
            json.dump(told, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self.file)

    def _read(self, file: Path) -> None:
        try:
            told = cast("dict[str, Any]", json.loads(file.read_text("utf-8")))
            assert told["version"] == VERSION
            self.stages = {name: Stage(**stage) for name, stage in told["stages"].items()}
        except (ValueError, KeyError, TypeError, AssertionError):
            raise SettingsInvalid(
                f"{file} is not the ledger of an import, or one of another novukit.",
                hint="Delete it to begin again: what is moved twice is there once.",
            ) from None
        self.resumed = any(stage.read or stage.done for stage in self.stages.values())


def ledger_file(folder: Path, source: str, environment_id: str, to: str) -> Path:
    """Where the ledger of an import between these two is kept."""
    named = hashlib.blake2b(f"{source}\n{environment_id}\n{to}".encode(), digest_size=4).hexdigest()
    return folder / ".novukit" / f"import-{named}.json"
