"""Where the house's own files are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON_FOLDERS = ("novukit", "tests", "examples", "plugins", "bench", "docs")
ELSEWHERE = {".git", ".venv", "__pycache__", "node_modules", ".novukit", "build", "dist"}
TEXT = {".py", ".md", ".toml", ".txt", ".sql", ".html", ".svg", ".json", ".yaml", ".yml", ""}


def python_files(*folders: str) -> list[Path]:
    """All Python files of the repository, or of some of its folders."""
    return sorted(path for folder in folders or PYTHON_FOLDERS for path in _walk(ROOT / folder) if path.suffix == ".py")


def text_files() -> list[Path]:
    """Every file of the repository that people read."""
    return sorted(path for path in _walk(ROOT) if path.suffix in TEXT)


def name(path: Path) -> str:
    """The path as one would say it."""
    return path.relative_to(ROOT).as_posix()


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in ELSEWHERE or path.name.endswith((".egg-info", "_cache")):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path
