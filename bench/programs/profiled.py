"""``novukit worker`` under cProfile: from SIGUSR1 to SIGUSR2, when it writes the profile to the file named first."""

from __future__ import annotations

import cProfile
import signal
import sys

from novukit.cli import main as novukit


def main(path: str) -> None:
    profile = cProfile.Profile()
    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, lambda *_: profile.dump_stats(path))
    sys.argv = ["novukit", "worker", "--json", "--processes", "1"]
    novukit()


if __name__ == "__main__":
    main(sys.argv[1])
