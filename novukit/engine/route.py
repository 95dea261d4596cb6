"""Route: which integration carries a message. Built providers are kept until the integrations change."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ..errors import DecryptionFailed, NovukitError, PluginInvalid, ProviderNotFound
from ..model import Integration, Reason
from ..providers import AnyProvider, PluginHost
from ..store import Database, integrations
from ..store.secrets import KeyRing
from .bulkhead import Bulkhead, Bulkheads

log = logging.getLogger("novukit.engine")


@dataclass(frozen=True, slots=True)
class Route:
    """An integration and its provider, ready to send."""

    integration: Integration
    provider: AnyProvider
    bulkhead: Bulkhead


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why there is none."""

    reason: Reason
    detail: str


@dataclass(slots=True)
class _Known:
    stamp: Any = None
    slug: str = ""
    broken: str = ""
    integrations: Sequence[Integration] = ()
    providers: dict[UUID, AnyProvider | NovukitError] = field(default_factory=dict[UUID, AnyProvider | NovukitError])
    chosen: dict[tuple[str, str | None], Route] = field(default_factory=dict[tuple[str, str | None], Route])
    """By channel and name; only what was found is kept, for anything may be asked for."""


class Routes:
    """The integrations of each environment, as they were at the last look."""

    def __init__(self, database: Database, host: PluginHost, secrets: KeyRing, *, places: int = 50) -> None:
        self._database, self._host, self._secrets = database, host, secrets
        self.bulkheads = Bulkheads(places)
        self._known: dict[UUID, _Known] = {}

    async def refresh(self, environments: Sequence[UUID]) -> None:
        """Look whether the integrations of ``environments`` have changed; one query when they have not."""
        stamps = await integrations.stamps(self._database, environments)
        for environment_id in environments:
            known = self._known.setdefault(environment_id, _Known())
            slug, stamp = stamps.get(environment_id, ("", None))
            if known.slug and known.stamp == stamp:
                continue
            active, broken = [], ""
            try:
                active = await integrations.active(self._database.scope(environment_id), self._secrets)
            except DecryptionFailed as err:  # this environment's messages fail, the others' do not
                broken = f"The credentials of an integration in {slug!r} cannot be read: {err}"
                log.error("%s %s", broken, err.hint or "")
            self._known[environment_id] = _Known(stamp, slug, broken, active)

    def environment(self, environment_id: UUID) -> str:
        """The environment's slug."""
        return self._known[environment_id].slug

    def choose(self, environment_id: UUID, channel: str, named: str | None) -> Route | NoRoute:
        """The integration named, else the channel's primary one, else its first."""
        known = self._known[environment_id]
        route = known.chosen.get((channel, named)) or self._choose(known, channel, named)
        if isinstance(route, Route):
            known.chosen[channel, named] = route
        return route

    def _choose(self, known: _Known, channel: str, named: str | None) -> Route | NoRoute:
        if known.broken:
            return NoRoute(Reason.CREDENTIALS_INVALID, known.broken)
        usable = [i for i in known.integrations if i.channel == channel and (named is None or i.identifier == named)]
        if not usable:
            what = f"integration {named!r}" if named else f"active {channel} integration"
            return NoRoute(
                Reason.NO_INTEGRATION,
                f"There is no {what} in the environment {known.slug!r}. "
                f"Add one, for example: novukit integrations add catcher-{channel} --environment {known.slug}",
            )
        integration = next((i for i in usable if i.primary), usable[0])
        provider = self._provider(known, integration)
        if isinstance(provider, ProviderNotFound):
            return NoRoute(Reason.PROVIDER_MISSING, str(provider))
        if isinstance(provider, PluginInvalid):
            return NoRoute(Reason.PLUGIN_ERROR, str(provider))
        if isinstance(provider, NovukitError):
            return NoRoute(Reason.CREDENTIALS_INVALID, f"Integration {integration.identifier!r}: {provider}")
        return Route(integration, provider, self.bulkheads.of(integration))

    def by_id(self, environment_id: UUID, integration_id: UUID | None) -> Route | None:
        """The integration that a message began with, if it is still there and active."""
        known = self._known[environment_id]
        for integration in known.integrations:
            if integration.id == integration_id:
                provider = self._provider(known, integration)
                if isinstance(provider, NovukitError):
                    return None
                return Route(integration, provider, self.bulkheads.of(integration))
        return None

    def _provider(self, known: _Known, integration: Integration) -> AnyProvider | NovukitError:
        if integration.id not in known.providers:
            try:
                known.providers[integration.id] = self._host.build(integration.provider_id, integration.credentials)
            except NovukitError as err:
                known.providers[integration.id] = err
        return known.providers[integration.id]
