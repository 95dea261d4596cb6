"""The peers' own Python environment, made once from ``bench/peers.txt``, so that nothing of theirs meets novukit's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rich.console import Console

HERE = Path(__file__).parent
PINS = HERE.parent / "peers.txt"
HOME = HERE / ".venv"


def python(console: Console) -> Path:
    """The peers' interpreter; made, or made again after ``peers.txt`` has changed."""
    stamp, interpreter = HOME / ".installed", HOME / "bin" / "python"
    pins = PINS.read_text("utf-8")
    if stamp.is_file() and stamp.read_text("utf-8") == pins:
        return interpreter
    console.print("Installing the peers (once) …", style="dim")
    subprocess.run([sys.executable, "-m", "venv", "--clear", HOME], check=True)
    pip = [interpreter, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--requirement", PINS]
    subprocess.run(pip, check=True)
    stamp.write_text(pins, "utf-8")
    return interpreter
