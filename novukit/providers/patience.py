"""A limit on the time that a plugin may take to load: a loop without end in one must not stop novukit in silence."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from ..errors import PluginInvalid

LOAD_SECONDS = 20.0
"""How long a plugin may take to load; the largest libraries take two or three."""
GRACE = 5.0
"""Seconds from the interruption to the end of the process, for what cannot be interrupted."""


class _Interrupted(BaseException):
    """Time is up. No Exception: what goes on for ever tends to catch those."""


@contextmanager
def within(seconds: float, plugin: str, grace: float = GRACE) -> Generator[None]:
    """Interrupt what runs in here after ``seconds``: PluginInvalid, so that the other plugins serve.

    Only the main thread can be interrupted, by a signal, and not on Windows. Elsewhere, and where the plugin swallows
    the interruption, a watchdog names the plugin on stderr after ``grace`` more seconds and ends the process: one that
    has stopped and says why is better than one that hangs. Native code that never lets Python go on is beyond both.
    """
    watchdog = threading.Timer(seconds + grace, _give_up, (plugin, seconds))
    watchdog.daemon = True
    watchdog.start()
    try:
        with _alarm(seconds):
            yield
    except _Interrupted:
        raise PluginInvalid(
            f"It had not loaded after {seconds:g} s.", hint="Look for a loop or a wait that runs when it is imported."
        ) from None
    finally:
        watchdog.cancel()


@contextmanager
def _alarm(seconds: float) -> Generator[None]:
    """Raise in here after ``seconds``, and each second from then on, where that is possible."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, _interrupt)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if left:  # somebody else's alarm goes on where it was
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001), interval)


def _interrupt(*_: object) -> None:
    raise _Interrupted


def _give_up(plugin: str, seconds: float) -> None:
    sys.stderr.write(
        f"novukit stops: the plugin {plugin} had not loaded after {seconds:g} s and cannot be interrupted.\n"
        "Mend it, or take it away with pip uninstall.\n"
    )
    sys.stderr.flush()
    os._exit(1)
