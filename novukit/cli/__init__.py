"""The command line: ``novukit``. Nothing heavy is imported before a command needs it."""

__all__ = ["main"]


def main() -> None:
    """Run the command that was typed and exit with its code."""
    from .entry import run

    run()
