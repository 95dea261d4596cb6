"""``python -m novukit.cli``."""

from . import main

main()
