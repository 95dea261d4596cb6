"""Receive: hand a vendor's request to the integration that its URL names, and take in what that understands."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from ..errors import NotFound, NovukitError
from ..model import Integration
from ..providers import AnyProvider, CallbackAnswer, CallbackFailed, CallbackRefused, CallbackRequest, receive
from ..store import Scope, environments, integrations
from . import callback
from .runtime import Runtime

log = logging.getLogger("novukit.callbacks")

QUIET = 60.0
"""Seconds between two warnings about one integration: whoever forges callbacks must not fill the log."""
MOST_KEPT = 1_000


class Receiver:
    """The one door for what vendors tell. What it answers says nothing that its caller does not know already."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._providers: dict[UUID, tuple[datetime, AnyProvider]] = {}
        self._warned: dict[UUID, float] = {}

    async def receive(self, environment: str, identifier: str, request: CallbackRequest) -> CallbackAnswer:
        """Take in ``request``, which came for the integration ``identifier`` of the environment ``environment`` (its
        public identifier); what it told is durable when this returns, and so may be answered.

        Raises NotFound where there is no such integration, or none that takes callbacks; CallbackRefused where it is
        not from the vendor; CallbackFailed where its plugin fails.
        """
        if not (environment + identifier).isprintable():
            raise _nothing()
        found = await environments.by_identifier(self._rt.database, environment)
        if found is None:
            raise _nothing()
        scope = self._rt.scope(found.id)
        try:
            one = await integrations.by_identifier(scope, self._rt.secrets, identifier)
        except NotFound:
            raise _nothing() from None
        return await self._take(scope, one, request)

    async def receive_by_id(
        self, environment_id: UUID, integration_id: UUID, request: CallbackRequest
    ) -> CallbackAnswer:
        """As :meth:`receive`, for a URL that names environment and integration by their own ids."""
        scope = self._rt.scope(environment_id)
        try:
            one = await integrations.get(scope, self._rt.secrets, integration_id)
        except NotFound:
            raise _nothing() from None
        return await self._take(scope, one, request)

    async def _take(self, scope: Scope, one: Integration, request: CallbackRequest) -> CallbackAnswer:
        provider = self._provider(one)
        if provider is None or not provider.events:
            raise _nothing()
        try:
            answer = await receive(provider, request)
        except CallbackRefused as err:
            self._warn(one, "refused", err)
            raise CallbackRefused("The callback is not signed as it must be.") from None
        except CallbackFailed as err:
            self._warn(one, "not understood", err)
            raise CallbackFailed("The callback could not be read.") from None
        await callback.take(self._rt, scope, callback.Teller(one.id, one.identifier), answer.events)
        return answer

    def _provider(self, one: Integration) -> AnyProvider | None:
        """The integration's provider. It is kept while the integration does not change: it may hold a vendor's keys."""
        kept = self._providers.get(one.id)
        if kept is not None and kept[0] == one.updated_at:
            return kept[1]
        try:
            provider = self._rt.host.build(one.provider_id, one.credentials)
        except NovukitError as err:
            self._warn(one, "not understood", err)
            return None
        if len(self._providers) >= MOST_KEPT:
            self._providers.clear()
        self._providers[one.id] = one.updated_at, provider
        return provider

    def _warn(self, one: Integration, what: str, err: NovukitError) -> None:
        now = self._rt.clock.monotonic()
        if now - self._warned.get(one.id, -QUIET) >= QUIET:
            self._warned[one.id] = now
            log.warning("a callback of integration %r was %s: %s", one.identifier, what, err)


def _nothing() -> NotFound:
    return NotFound("Nobody is told anything here.", hint="`novukit integrations webhook-url` prints the URL.")
