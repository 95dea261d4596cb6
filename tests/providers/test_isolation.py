"""What a plugin does when it is imported stays its own affair: others serve, and nothing hangs without a word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = """
from novukit.providers import NoCredentials, Receipt, SmsProvider, hookimpl

class Good(SmsProvider[NoCredentials]):
    id = "good"

    async def send(self, content, key):
        return Receipt()

@hookimpl
def novukit_providers():
    return [Good]
"""
LOAD = """
import json, sys, threading
from novukit.providers import PluginHost

def load():
    host = PluginHost(patience=2)
    told = {one.name: one.error for one in host.statuses if one.distribution.startswith("novukit-fake-")}
    print(json.dumps([told, "good" in host.providers]))
"""
HANGING = {
    "loop": "while True:\n    pass",
    "sleep": "import time\ntime.sleep(600)",
    "read": "import os\nos.read(os.pipe()[0], 1)",
    "retry": "import time\nwhile True:\n    try:\n        time.sleep(600)\n    except Exception:\n        pass",
    "hook": GOOD.replace("return [Good]", "while True:\n        pass"),
}


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of installed packages; ``zgood`` is loaded after the others."""
    install(tmp_path, "zgood", GOOD)
    return tmp_path


def install(folder: Path, name: str, source: str) -> None:
    """As pip leaves a package: its module, and its metadata with the entry point."""
    (folder / f"fake_{name}.py").write_text(source)
    info = folder / f"novukit_fake_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: novukit-fake-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[novukit]\n{name} = fake_{name}\n")


def python(packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the packages installed."""
    env = {**os.environ, "PYTHONPATH": f"{packages}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=packages, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("kind", HANGING)
def test_a_plugin_that_does_not_end_is_cut_off_and_named(packages: Path, kind: str) -> None:
    """A loop, a wait, a read, a loop that catches every Exception, a hook: the others serve."""
    install(packages, "hang", HANGING[kind])

    done = python(packages, "-c", f"{LOAD}\nload()")

    told, serves = json.loads(done.stdout)
    assert told["hang"].startswith("It had not loaded after 2 s.")
    assert (told["zgood"], serves) == (None, True)


@pytest.mark.parametrize(
    ("source", "call"),
    [
        (
            "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
            "load()",
        ),
        ("while True:\n    pass", "threading.Thread(target=load).start()"),
    ],
    ids=["it swallows the interruption", "not in the main thread"],
)
def test_what_cannot_be_interrupted_is_named_and_ends_the_process(packages: Path, source: str, call: str) -> None:
    """Seconds later, with exit code 1: whoever watches the process sees that it has gone, and reads why."""
    install(packages, "hang", source)

    began = time.monotonic()
    done = python(packages, "-c", f"{LOAD}\nfrom novukit.providers import patience\n{call}")

    assert done.returncode == 1
    assert "novukit stops: the plugin hang (novukit-fake-hang 1.0) had not loaded after 2 s" in done.stderr
    assert time.monotonic() - began < 60


def test_an_alarm_of_somebody_elses_goes_on(packages: Path) -> None:
    """With its handler and what was left of its time."""
    code = (
        "import signal\nsignal.signal(signal.SIGALRM, lambda *_: print('rang'))\n"
        "signal.setitimer(signal.ITIMER_REAL, 30)\nload()\n"
        "left, _ = signal.getitimer(signal.ITIMER_REAL)\nprint(0 < left <= 30)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.01)\nsignal.pause()"
    )

    done = python(packages, "-c", f"{LOAD}\n{code}")

    assert done.stdout.splitlines()[1:] == ["True", "rang"], done.stderr


def test_broken_plugins_are_named_by_plugins_and_doctor(packages: Path) -> None:
    """One that cannot be imported, one that exits, one that takes another's id, one without its hook; all at once."""
    install(packages, "gone", "import there_is_no_such_module")
    install(packages, "exit", "raise SystemExit(0)")
    install(packages, "zzsame", GOOD)
    install(packages, "hookless", GOOD.replace("novukit_providers", "novukit_provider"))
    (packages / "novukit.toml").write_text("")

    plugins = python(packages, "-m", "novukit.cli", "plugins", "--json")
    doctor = python(packages, "-m", "novukit.cli", "doctor")

    errors = {one["plugin"]: one["error"] for one in json.loads(plugins.stdout)["data"] if not one["ok"]}
    assert (plugins.returncode, doctor.returncode) == (3, 3)
    assert "there_is_no_such_module" in errors["gone"]
    assert "SystemExit" in errors["exit"]
    assert "taken by zgood (novukit-fake-zgood 1.0)" in errors["zzsame"]
    assert "Did you mean 'novukit_providers'?" in errors["hookless"]
    assert [name for name in errors if f"{name} (novukit-fake-{name} 1.0)" not in doctor.stdout] == []
    assert "good" in {one["id"] for one in json.loads(plugins.stdout)["data"] if one["ok"]}
