"""UUIDs in the quickest form that there is: asyncpg has a UUID of its own, in C, which is a subclass of Python's.

It is made, hashed and written in a fraction of the time, and an execution needs dozens; on SQLite no less.
"""

from __future__ import annotations

from uuid import UUID

try:
    from asyncpg.pgproto.pgproto import UUID as NativeUUID  # noqa: N811 - it is a class
except ImportError:  # the extra «postgres» is not installed
    from ..clock import uuid_of

    NativeUUID = UUID
else:

    def uuid_of(number: int) -> UUID:
        """The UUID of a 128-bit number."""
        return NativeUUID(number.to_bytes(16, "big"))  # pyright: ignore[reportArgumentType] - takes bytes as well


def uuid_from(text: str) -> UUID:
    """The UUID that a database has written as ``text``."""
    return NativeUUID(text)


__all__ = ["NativeUUID", "uuid_from", "uuid_of"]
