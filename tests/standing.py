"""One bridge for many runtimes: its three hundred routes take a third of a second to make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Litestar

from novukit.bridge import create_asgi


class Standing:
    """Stands for an object that each test has anew, wherever the bridge holds on to it."""

    def __init__(self, now: Callable[[], Any]) -> None:
        self._now = now

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Standing(lambda: self._now().database) if name == "database" else getattr(self._now(), name)


def standing_bridge() -> Callable[[Any], Litestar]:
    """Gives the bridge over a runtime; always the same one, hence over the runtime that was given last."""
    made: list[Litestar] = []
    current: list[Any] = [None]

    def over(runtime: Any) -> Litestar:
        current[0] = runtime
        if not made:
            standing: Any = Standing(lambda: current[0])
            made.append(create_asgi(standing))
        made[0].state.runtime = runtime
        return made[0]

    return over
