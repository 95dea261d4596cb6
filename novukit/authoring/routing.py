"""``@route``: a function of the author's that says by which integration a message goes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import WorkflowInvalid
from ..model import CHANNELS, Channel, Facts
from . import sources

Chooses = Callable[[Facts], str | None]


@dataclass(frozen=True, eq=False)
class Router:
    """A routing function, the channel that it is for, and where it stands. Made by :func:`route`."""

    channel: Channel
    choose: Chooses
    where: str


def route(channel: Channel) -> Callable[[Chooses], Router]:
    """Let the function below choose the integrations of ``channel`` (``"email"``, ``"sms"``, ``"push"``, ``"chat"``).

    It stands in one of the modules that ``workflows`` in novukit.toml names, one for each channel. It is given
    :class:`Facts` and returns an integration's identifier, or None to leave the choice to what is declared. The one
    that it names comes first, whatever its conditions; the others stand in if that refuses for reasons of its own.

    It must be quick and have no effects: it is called before a message goes on record, and again when an execution is
    run anew before that. A step whose message is on record does not ask it. Raises :class:`WorkflowInvalid` for another
    channel, and for an ``async`` function.
    """

    def made(function: Chooses) -> Router:
        code = function.__code__
        where = sources.where(code.co_filename, code.co_firstlineno)
        known = [kind.value for kind in CHANNELS if kind.value != "in_app"]
        if channel not in known:
            raise WorkflowInvalid(f"{where}: {channel!r} is not routed.", hint=f"Channels: {', '.join(known)}.")
        if inspect.iscoroutinefunction(function):
            raise WorkflowInvalid(
                f"{where}: a routing function is not async.",
                hint="It must not wait for anything: decide by the facts that it is given.",
            )
        return Router(channel, function, where)

    return made
