"""A stand-in runtime with a bell: for the routes that call the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from .conftest import StandIn


@dataclass(frozen=True)
class Ringing(StandIn):
    """Notes for which environments it was rung."""

    rung: list[UUID] = field(default_factory=list[UUID])

    @classmethod
    def over(cls, runtime: Any) -> Ringing:
        """The same runtime with a bell."""
        return cls(**vars(runtime))

    async def ring(self, environment_id: UUID) -> None:
        """Note it."""
        self.rung.append(environment_id)
