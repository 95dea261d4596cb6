"""Progress of something that takes a while, on stderr, where a terminal is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from .output import Output


@contextmanager
def counted(output: Output, words: str, total: int) -> Generator[Callable[[int], None]]:
    """A bar that moves as the given function is called with how many more are done."""
    if output.as_json or not output.notes.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output.notes, transient=True) as progress:
        task = progress.add_task(words, total=total)
        yield lambda more: progress.update(task, advance=more)
