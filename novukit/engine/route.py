"""Route: which integrations may carry a message. Built providers are kept until the integrations change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ..authoring import Router
from ..errors import DecryptionFailed, NovukitError, PluginInvalid, ProviderNotFound, did_you_mean
from ..model import DEFAULT_LOCALE, Facts, Integration, Reason
from ..providers import AnyProvider, PluginHost
from ..store import Database, integrations
from ..store.secrets import KeyRing
from .breaker import Breaker, Breakers
from .bulkhead import Bulkhead, Bulkheads
from .catalogues import Catalogues
from .order import in_order, is_fixed
from .pace import Pace, Paces

log = logging.getLogger("novukit.engine")


@dataclass(frozen=True, slots=True)
class Route:
    """An integration and its provider, ready to send."""

    integration: Integration
    provider: AnyProvider
    bulkhead: Bulkhead
    breaker: Breaker
    pace: Pace | None
    """None: it may go as fast as it can."""


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
    routes: dict[UUID, Route] = field(default_factory=dict[UUID, "Route"])
    fixed: dict[str, list[Route]] = field(default_factory=dict[str, "list[Route]"])
    """The routes of each channel whose order is the same for every message."""


class Routes:
    """The integrations of each environment, and its catalogue, as they were at the last look."""

    def __init__(
        self, database: Database, host: PluginHost, secrets: KeyRing, *, places: int = 50,
        locale: str = DEFAULT_LOCALE,
    ) -> None:  # fmt: skip
        self._database, self._host, self._secrets = database, host, secrets
        self.bulkheads = Bulkheads(places)
        self.breakers = Breakers()
        self.paces = Paces(database)
        self.catalogues = Catalogues(database, secrets, locale)
        self._known: dict[UUID, _Known] = {}

    async def refresh(self, environments: Sequence[UUID]) -> None:
        """Look whether something of ``environments`` has changed; one query when nothing has."""
        stamps = await integrations.stamps(self._database, environments)
        for environment_id in environments:
            known = self._known.setdefault(environment_id, _Known())
            slug, stamp, number = stamps.get(environment_id, ("", None, 0))
            await self.catalogues.refresh(environment_id, number)
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

    def candidates(
        self,
        environment_id: UUID,
        channel: str,
        execution_id: UUID,
        facts: Callable[[], Facts],
        named: str | None = None,
        router: Router | None = None,
    ) -> list[Route] | NoRoute:
        """The integrations that may carry a message, best first: the one ``named`` alone, else all in their order.

        The one that ``router`` chooses comes before the others. What cannot be built is left out while another can.
        """
        known = self._known[environment_id]
        if known.broken:
            return NoRoute(Reason.CREDENTIALS_INVALID, known.broken)
        if named is None and router is None and (fixed := known.fixed.get(channel)):
            return fixed
        usable = [one for one in known.integrations if one.channel == channel]
        if named is not None:
            ordered = [one for one in usable if one.identifier == named]
        else:
            ordered = in_order(usable, execution_id, facts)
            if router is not None:
                first = _asked(router, facts(), usable)
                if isinstance(first, NoRoute):
                    return first
                if first is not None:
                    ordered = [first, *(one for one in ordered if one is not first)]
        if not ordered:
            return _none(known.slug, channel, named, usable)
        built = [(one, self._provider(known, one)) for one in ordered]
        routes = [
            self._route(known, one, provider) for one, provider in built if not isinstance(provider, NovukitError)
        ]
        if named is None and router is None and is_fixed(usable):
            known.fixed[channel] = routes
        return routes or _unbuilt(*built[0])

    def by_id(self, environment_id: UUID, integration_id: UUID | None) -> Route | None:
        """The integration that a message began with, if it is still there and active."""
        known = self._known[environment_id]
        for integration in known.integrations:
            if integration.id == integration_id:
                provider = self._provider(known, integration)
                if isinstance(provider, NovukitError):
                    return None
                return self._route(known, integration, provider)
        return None

    def _route(self, known: _Known, integration: Integration, provider: AnyProvider) -> Route:
        if (route := known.routes.get(integration.id)) is None:
            rate = integration.routing.rate or provider.limits.rate
            pace = self.paces.of(integration.environment_id, integration.id, rate)
            bulkhead, breaker = self.bulkheads.of(integration), self.breakers.of(integration)
            route = known.routes[integration.id] = Route(integration, provider, bulkhead, breaker, pace)
        return route

    def _provider(self, known: _Known, integration: Integration) -> AnyProvider | NovukitError:
        if integration.id not in known.providers:
            try:
                known.providers[integration.id] = self._host.build(integration.provider_id, integration.credentials)
            except NovukitError as err:
                known.providers[integration.id] = err
        return known.providers[integration.id]


def _asked(router: Router, facts: Facts, usable: Sequence[Integration]) -> Integration | NoRoute | None:
    """The integration that an author's function chooses."""
    try:
        chosen = router.choose(facts)
    except Exception as err:
        return NoRoute(Reason.ROUTE_FAILED, f"{router.where}: {type(err).__name__}: {err}")
    if chosen is None:
        return None
    if found := next((one for one in usable if one.identifier == chosen), None):
        return found
    hint = did_you_mean(str(chosen), [one.identifier for one in usable]) or ""
    said = f"{router.where}: there is no active {router.channel} integration {chosen!r}. {hint}"
    return NoRoute(Reason.ROUTE_FAILED, said.strip())


def _none(slug: str, channel: str, named: str | None, usable: Sequence[Integration]) -> NoRoute:
    if usable and named is None:
        names = ", ".join(one.identifier for one in usable)
        return NoRoute(
            Reason.NO_INTEGRATION,
            f"The conditions of no active {channel} integration in the environment {slug!r} hold for this message: "
            f"{names}. One without conditions takes what is left.",
        )
    what = f"integration {named!r}" if named else f"active {channel} integration"
    return NoRoute(
        Reason.NO_INTEGRATION,
        f"There is no {what} in the environment {slug!r}. "
        f"Add one, for example: novukit integrations add catcher-{channel} --environment {slug}",
    )


def _unbuilt(integration: Integration, error: object) -> NoRoute:
    match error:
        case ProviderNotFound():
            return NoRoute(Reason.PROVIDER_MISSING, str(error))
        case PluginInvalid():
            return NoRoute(Reason.PLUGIN_ERROR, str(error))
        case _:
            return NoRoute(Reason.CREDENTIALS_INVALID, f"Integration {integration.identifier!r}: {error}")
