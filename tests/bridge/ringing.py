"""A runtime with a bell that is heard: for the routes that call the engine."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from novukit.engine import Runtime


@dataclass(frozen=True)
class Ringing(Runtime):
    """Notes for which environments it was rung."""

    rung: list[UUID] = field(default_factory=list[UUID])

    @classmethod
    def over(cls, runtime: Any) -> Ringing:
        """The same runtime with a bell."""
        rung: list[UUID] = []

        async def ring(environment_id: UUID) -> None:
            rung.append(environment_id)

        given = {each.name: getattr(runtime, each.name) for each in fields(runtime) if each.init}
        return cls(**{**given, "ring": ring, "rung": rung})
