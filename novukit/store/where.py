"""``Where``: the conditions of a query, put together one by one, each with its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Where:
    """Conditions joined by ``and``. In each, ``?`` stands for its next argument.

    The arguments are numbered as they come, so that the same text serves both engines.
    """

    def __init__(self, condition: str, *args: Any) -> None:
        self._conditions: list[str] = []
        self.args: list[Any] = []
        self.add(condition, *args)

    def add(self, condition: str, *args: Any) -> None:
        """Add one condition."""
        parts = condition.split("?")
        assert len(parts) == len(args) + 1, condition
        self._conditions.append(
            parts[0] + "".join(f"{self.mark(arg)}{rest}" for arg, rest in zip(args, parts[1:], strict=True))
        )

    def among(self, column: str, values: Sequence[Any]) -> None:
        """``column`` is one of ``values``; no condition at all when there are none."""
        if values:
            self.add(f"{column} in ({', '.join('?' * len(values))})", *values)

    def mark(self, arg: Any) -> str:
        """Take one more argument and give its place: ``$7``."""
        self.args.append(arg)
        return f"${len(self.args)}"

    def __str__(self) -> str:
        return " and ".join(self._conditions)
