"""The bridge between novukit and the world: HTTP in Novu's shape. The only package that knows Litestar."""

from .asgi import create_asgi, until_stopped
from .realtime import Realtime

__all__ = ["Realtime", "create_asgi", "until_stopped"]
