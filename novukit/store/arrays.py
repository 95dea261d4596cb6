"""Arrays to and from Postgres in one piece.

asyncpg asks of each element whether it is a list itself, which takes longer than to write it, and on every new
connection it asks the server what an array is, which takes ten milliseconds. The form is that of PostgreSQL's
``array_send``: dimensions, flags, the elements' type, for each dimension its length and lower bound, then the elements,
each after its length, or after -1 for none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from .uuids import NativeUUID

_HEAD = struct.Struct(">iiIii")
_DIMENSIONS, _LENGTH = struct.Struct(">ii"), struct.Struct(">i")
_NONE = _LENGTH.pack(-1)

Read = Callable[[bytes], Any]


def speak(connection: Any) -> bool:
    """Let an asyncpg connection write and read arrays of UUIDs, texts and whole numbers in this way.

    There is no public door to it, for ``set_type_codec`` takes no arrays. Where the door is gone this says False, and
    arrays go asyncpg's way: the same but for the time that it takes.
    """
    try:
        add = connection._protocol.get_settings().add_python_codec
        for name, array, element, size, write, read in _KINDS:
            add(array, name, "pg_catalog", [], "scalar", _writer(element, write), _reader(size, read), "binary")
    except (AttributeError, TypeError):
        return False
    return True


def _writer(element: int, write: Callable[[Sequence[Any]], bytes]) -> Callable[[Sequence[Any]], bytes]:
    def written(values: Sequence[Any]) -> bytes:
        if isinstance(values, str | bytes):
            raise TypeError(f"a list is expected, not {type(values).__name__}")
        if not values:
            return _HEAD.pack(0, 0, element, 0, 0)[:12]
        return _HEAD.pack(1, 0, element, len(values), 1) + write(values)

    return written


def _reader(size: int, read: Read) -> Callable[[bytes], list[Any]]:
    def found(data: bytes) -> list[Any]:
        data = bytes(data)
        dimensions, has_none = _DIMENSIONS.unpack_from(data)
        if dimensions > 1:
            raise ValueError("an array within an array")
        if size and not has_none:
            return [read(data[at : at + size]) for at in range(_HEAD.size + 4, len(data), size + 4)]
        at, values = _HEAD.size, list[Any]()
        while dimensions and at < len(data):
            length = _LENGTH.unpack_from(data, at)[0]
            at += 4
            values.append(None if length < 0 else read(data[at : at + length]))
            at += max(length, 0)
        return values

    return found


_OF_16, _OF_8, _OF_4 = _LENGTH.pack(16), _LENGTH.pack(8), _LENGTH.pack(4)


def _uuids(values: Sequence[Any]) -> bytes:
    try:
        return _OF_16 + _OF_16.join([value.bytes for value in values])
    except AttributeError:  # there is none, or a text
        return b"".join([_NONE if value is None else _OF_16 + UUID(str(value)).bytes for value in values])


def _texts(values: Sequence[Any]) -> bytes:
    parts = [None if value is None else value.encode() for value in values]
    return b"".join([_NONE if part is None else _LENGTH.pack(len(part)) + part for part in parts])


def _longs(values: Sequence[Any]) -> bytes:
    if None in values:
        return b"".join([_NONE if value is None else _longs([value]) for value in values])
    return _OF_8 + _OF_8.join([value.to_bytes(8, "big", signed=True) for value in values])


def _integers(values: Sequence[Any]) -> bytes:
    if None in values:
        return b"".join([_NONE if value is None else _integers([value]) for value in values])
    return _OF_4 + _OF_4.join([value.to_bytes(4, "big", signed=True) for value in values])


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


# The numbers are those of PostgreSQL's pg_type.dat, which never change.
_KINDS: tuple[tuple[str, int, int, int, Callable[[Sequence[Any]], bytes], Read], ...] = (
    ("_uuid", 2951, 2950, 16, _uuids, NativeUUID),  # type: ignore[arg-type] # asyncpg's takes bytes as well
    ("_text", 1009, 25, 0, _texts, bytes.decode),
    ("_int8", 1016, 20, 8, _longs, _number),
    ("_int4", 1007, 23, 4, _integers, _number),
)
"""The array's and the element's number, the element's bytes (0: as many as it takes), and how to write and read it."""
