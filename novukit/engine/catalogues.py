"""Catalogues: what each environment's messages are made of besides code, kept until it changes."""

from __future__ import annotations

from uuid import UUID

from ..model import Catalogue
from ..store import Database, catalogue
from ..store.secrets import KeyRing


class Catalogues:
    """The catalogue of each environment, as it was at the last look; no query for what has not changed since."""

    def __init__(self, database: Database, secrets: KeyRing, locale: str) -> None:
        self._database, self._secrets, self._locale = database, secrets, locale
        self._numbers: dict[UUID, int] = {}
        self._known: dict[UUID, Catalogue] = {}
        self._empty = Catalogue(default_locale=locale)

    async def refresh(self, environment_id: UUID, number: int) -> None:
        """Read the catalogue again unless it is that of ``number``. Before the first change, 0, nothing is in it."""
        if self._numbers.get(environment_id, 0) == number:
            return
        # A change after the number was read is seen here already, and read again at the next look.
        found = await catalogue.read(self._database.scope(environment_id), self._secrets, self._locale)
        self._known[environment_id], self._numbers[environment_id] = found, number

    def of(self, environment_id: UUID) -> Catalogue:
        """The catalogue at the last look."""
        return self._known.get(environment_id, self._empty)
