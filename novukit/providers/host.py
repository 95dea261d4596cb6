"""``PluginHost``: finds the plugins, keeps the broken ones apart, and builds providers from the others."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, cast
from weakref import WeakSet

import pluggy

from ..errors import NovukitError, PluginInvalid, ProviderNotFound, did_you_mean
from . import hookspecs
from .base import AnyProvider
from .builtin import BUILTIN
from .contract import ID, check_provider
from .credentials import CredentialField, describe, read
from .http import HttpClient
from .patience import LOAD_SECONDS, within
from .redaction import one_line, tell

GROUP = "novukit"
BUILT_IN = "built in"
ERROR_LIMIT = 500


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """What became of one plugin. ``error`` says why it does not serve; ``providers`` are the ids that it adds."""

    name: str
    distribution: str
    ok: bool
    error: str | None = None
    providers: tuple[str, ...] = ()


class PluginHost:
    """All providers at hand: those that come with novukit, ``plugins``, and what is installed.

    They are loaded in that order, and the first to take a provider id keeps it. A plugin that cannot be loaded, breaks
    the contract or raises is named in ``statuses`` and left out as a whole; the others serve.

    ``plugins`` are modules or objects with hooks. ``installed=False`` leaves the entry points of the group ``novukit``
    alone. ``disabled`` names plugins that are not to be loaded, not even imported. ``http`` is the client that the
    providers share; by default it reaches public addresses only. ``patience`` is how many seconds each plugin may take
    to load; one that takes longer is broken (see :func:`within` for those that cannot be interrupted).
    """

    def __init__(
        self,
        plugins: Iterable[object] = (),
        *,
        installed: bool = True,
        disabled: Iterable[str] = (),
        http: HttpClient | None = None,
        patience: float = LOAD_SECONDS,
    ) -> None:
        self.http = http or HttpClient()
        self._patience = patience
        self.statuses: list[PluginStatus] = []
        self._providers: dict[str, type[AnyProvider]] = {}
        self._owners: dict[str, str] = {}
        self._built: WeakSet[AnyProvider] = WeakSet()
        self._disabled = frozenset(disabled)
        self._hooks = pluggy.PluginManager(hookspecs.PROJECT)
        self._hooks.add_hookspecs(hookspecs)
        for module in BUILTIN:
            self._load(module.rpartition(".")[2], BUILT_IN, partial(importlib.import_module, module))
        for plugin in plugins:
            self._load(name_of(plugin), "given", partial(_itself, plugin))
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name) if installed else ():
            self._load(point.name, distribution_of(point), point.load)

    @property
    def providers(self) -> Mapping[str, type[AnyProvider]]:
        """The provider classes by id."""
        return MappingProxyType(self._providers)

    def get(self, provider_id: str) -> type[AnyProvider]:
        """The provider class with this id. Raises ProviderNotFound, with what to install or what was meant."""
        if found := self._providers.get(provider_id):
            return found
        raise ProviderNotFound(f"No plugin provides {provider_id[:64]!r}.", hint=self._advice(provider_id))

    def build(self, provider_id: str, credentials: Mapping[str, Any]) -> AnyProvider:
        """A provider that is ready to send, with ``credentials`` in camel case or snake case.

        Raises ProviderNotFound, CredentialsInvalid with an issue for each field, or PluginInvalid if the plugin fails.
        """
        cls = self.get(provider_id)
        try:
            provider = cls(read(cls.credentials_type, credentials, provider_id=provider_id), self.http)
        except NovukitError:
            raise
        except (Exception, SystemExit) as err:
            # Any text that was given may be a secret; which ones are is not known if they could not be read.
            said = tell(f"{type(err).__name__}: {err}", strings_within(credentials))
            raise PluginInvalid(f"{provider_id} ({cls.__module__}) could not be built: {said}") from None
        self._built.add(provider)
        return provider

    def credentials_schema(self, provider_id: str) -> dict[str, Any]:
        """The JSON Schema of the provider's credentials, with their names on the wire."""
        return self.get(provider_id).credentials_type.model_json_schema(by_alias=True)

    async def close(self) -> None:
        """Close the providers that were built, then the HTTP client. One that fails to close does not stop the rest."""
        for provider in list(self._built):
            with suppress(Exception, SystemExit):
                await provider.close()
        self._built.clear()
        await self.http.aclose()

    def _load(self, name: str, distribution: str, load: Callable[[], object]) -> None:
        if name in self._disabled:
            self.statuses.append(PluginStatus(name, distribution, ok=False, error="disabled by the configuration"))
            return
        try:
            with within(self._patience, f"{name} ({distribution})"):
                found = self._collect(load(), name, distribution)
        except (Exception, SystemExit) as err:
            self.statuses.append(PluginStatus(name, distribution, ok=False, error=explain(err)))
            return
        self._providers |= found
        self._owners |= dict.fromkeys(found, f"{name} ({distribution})")
        self.statuses.append(PluginStatus(name, distribution, ok=True, providers=tuple(sorted(found))))

    def _collect(self, plugin: object, name: str, distribution: str) -> dict[str, type[AnyProvider]]:
        """The providers of ``plugin``, which is registered only if all of it is in order."""
        hooks = self._hooks
        hooks.register(plugin, name=f"{name} ({distribution})")
        try:
            self._refuse_unknown_hooks(plugin)
            found: dict[str, type[AnyProvider]] = {}
            # Its own implementation alone: in a call to all of them, one that raises takes the others' answers with it.
            for implementation in hooks.hook.novukit_providers.get_hookimpls():
                if implementation.plugin is not plugin:
                    continue
                for candidate in cast("Iterable[object]", implementation.function()):
                    cls = check_provider(candidate)
                    if owner := self._owners.get(cls.id) or (cls.id in found and "itself"):
                        raise PluginInvalid(f"The provider id {cls.id!r} is taken by {owner}.")
                    found[cls.id] = cls
        except BaseException:
            hooks.unregister(plugin)
            raise
        return found

    def _refuse_unknown_hooks(self, plugin: object) -> None:
        callers = self._hooks.get_hookcallers(plugin) or []
        known = [caller.name for caller in callers if caller.has_spec()]
        for caller in callers:
            if not caller.has_spec():
                hint = did_you_mean(caller.name, [name for name in vars(hookspecs) if name.startswith(f"{GROUP}_")])
                raise PluginInvalid(f"There is no hook {caller.name!r}.", hint=hint)
        if not known:
            raise PluginInvalid("It implements no hook.", hint="Write `novukit_providers`, marked with @hookimpl.")

    def _advice(self, provider_id: str) -> str:
        for status in self.statuses:
            if not status.ok and status.name in (provider_id, f"novukit-{provider_id}", provider_id.partition("-")[0]):
                return f"The plugin {status.name!r} ({status.distribution}) does not serve: {status.error}"
        if close := get_close_matches(provider_id, self._providers, n=1, cutoff=0.6):
            return f"Did you mean {close[0]!r}?"
        if ID.fullmatch(provider_id):
            return f"Install the plugin that has it, perhaps with: pip install novukit-{provider_id}"
        return "An id is made of lower-case words joined by `-`."


def describe_credentials(provider_type: type[AnyProvider]) -> list[CredentialField]:
    """The fields of the credentials that ``provider_type`` takes, required ones first."""
    return describe(provider_type.credentials_type)


def strings_within(value: Any) -> list[str]:
    """All strings in ``value``, however deep, except names of fields."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = list(cast("Mapping[Any, Any]", value).values())
    parts = cast("Iterable[Any]", value) if isinstance(value, list | tuple) else ()
    return [text for part in parts for text in strings_within(part)]


def _itself(plugin: object) -> object:
    return plugin


def explain(error: BaseException) -> str:
    """Why a plugin does not serve, in one line; for a fault in its code, with the place."""
    if isinstance(error, NovukitError):
        return one_line(str(error), ERROR_LIMIT)
    place = ""
    if frames := traceback.extract_tb(error.__traceback__):
        place = f" ({PurePath(frames[-1].filename).name}:{frames[-1].lineno})"
    words = str(error).strip().splitlines()
    return one_line(f"{type(error).__name__}{f': {words[0]}' if words else ''}{place}", ERROR_LIMIT)


def name_of(plugin: object) -> str:
    """What a plugin that was handed over is called."""
    return str(getattr(plugin, "__name__", type(plugin).__name__)).rpartition(".")[2]


def distribution_of(point: EntryPoint) -> str:
    """The installed package that an entry point belongs to, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"
