"""The bridge between novukit and the world: HTTP in Novu's shape. The only package that knows Litestar."""

from .asgi import create_asgi, until_stopped

__all__ = ["create_asgi", "until_stopped"]
