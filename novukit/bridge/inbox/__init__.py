"""What a browser speaks to: sessions of single subscribers, their notifications and what they choose."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler

from ...engine import Runtime
from ..auth import Connection, Here, TheRuntime
from ..feed import Feed, TheFeed
from . import channels, notifications, preferences, query, refused, session, subscriptions
from .auth import Porter, TheSession
from .origins import Origins
from .token import Session

__all__ = ["HANDLERS", "Origins", "Porter", "Session", "routers"]

_INSIDE: list[Any] = [*notifications.HANDLERS, *preferences.HANDLERS, *subscriptions.HANDLERS, *channels.HANDLERS]
HANDLERS: list[Any] = [*session.HANDLERS, *_INSIDE]


def routers(runtime: Runtime) -> list[Router]:
    """The door, which is open to all, and what is behind it, which a session's token opens."""
    porter = Porter(runtime)

    async def admit(connection: Connection, _: BaseRouteHandler) -> None:
        connection.scope["auth"] = await porter.admit(connection)

    def the_session(request: Request[Any, Any, Any], runtime: TheRuntime) -> TheSession:
        return request.scope["auth"]

    def the_walls(session: TheSession, runtime: TheRuntime) -> Here:
        return runtime.scope(session.environment_id)

    def the_feed(session: TheSession, here: Here, runtime: TheRuntime) -> TheFeed:
        return Feed(runtime, here, session.subscriber_uuid, session.context_keys)

    inside = {
        "session": Provide(the_session, sync_to_thread=False),
        "here": Provide(the_walls, sync_to_thread=False),
        "feed": Provide(the_feed, sync_to_thread=False),
    }
    return [
        Router(path="/", guards=[query.check], route_handlers=session.HANDLERS),
        Router(path="/", route_handlers=refused.OUTSIDE),
        Router(path="/", guards=[admit, query.check], dependencies=inside, route_handlers=[*_INSIDE, *refused.INSIDE]),
    ]
