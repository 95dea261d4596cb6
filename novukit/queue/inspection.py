"""Looking at a Redis broker without touching it: is it there, is it fit to ring, does anybody listen?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from taskiq import AsyncBroker


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a Redis server says of itself and of our stream."""

    version: str
    role: str
    """``master``; a replica cannot take a ring."""
    eviction: str
    """What goes when memory is short: ``noeviction``, ``allkeys-lru``, …"""
    key: str
    kind: str
    """``stream``; ``none`` until the first ring."""
    waiting: int = 0
    """Rings that nobody has heard yet; the stream keeps only the latest hundred."""
    heard: bool = False
    """Whether a worker has ever listened."""

    @property
    def major(self) -> int:
        """The first number of the version."""
        first = self.version.partition(".")[0]
        return int(first) if first.isdigit() else 0


async def inspect(broker: AsyncBroker) -> Inspection | None:
    """Ask the server of a Redis broker; None when it is of another kind.

    Raises what the driver raises when the server does not answer, or refuses the password.
    """
    client: Any = getattr(broker, "client", None)
    key = getattr(broker, "queue_name", None)
    if client is None or key is None:
        return None
    told = await client.info()
    info = _one(cast("dict[str, Any]", told))
    kind = _text(await client.type(key))
    found: dict[str, Any] = {
        "version": str(info.get("redis_version", "")), "role": str(info.get("role", "")),
        "eviction": str(info.get("maxmemory_policy", "")), "key": str(key), "kind": kind,
    }  # fmt: skip
    if kind != "stream":
        return Inspection(**found)
    groups = await client.xinfo_groups(key)
    return Inspection(**found, waiting=int(await client.xlen(key)), heard=bool(groups))


def _one(info: dict[str, Any]) -> dict[str, Any]:
    """A cluster answers with one dictionary for each node: the first one speaks for all."""
    first = next(iter(info.values()), None)
    return cast("dict[str, Any]", first) if isinstance(first, dict) and "redis_version" in first else info


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
