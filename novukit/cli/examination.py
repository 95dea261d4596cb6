"""What ``novukit doctor`` looks at, one function for each subject; nothing here changes anything."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..clock import SystemClock, uuid7_source
from ..errors import NotFound, NovukitError, SecretMissing
from . import backlog, infrastructure
from .check import Check, failed
from .values import count

if TYPE_CHECKING:
    from ..authoring import Registry
    from ..model import Environment, Integration
    from ..providers import PluginStatus
    from ..settings import Settings
    from ..store import Database, Scope
    from ..store.secrets import KeyRing


async def examine(config: Path | None, environment: str | None) -> list[Check]:
    """Look at everything; what cannot be looked at for want of something else is left out."""
    from ..settings import Settings

    try:
        settings = Settings.load(config)
        settings = settings.for_environment(environment) if environment else settings
    except NovukitError as err:
        return [failed("Configuration", err)]
    found = list(_configuration(settings))
    found += _plugins()
    registry, checks = _workflows(settings)
    found += checks
    found += _templates(settings)
    found += await infrastructure.broker(settings)
    found += [check async for check in _in_database(settings, registry)]
    return found


def _configuration(settings: Settings) -> Iterator[Check]:
    for warning in settings.warnings:
        yield Check("Configuration", "warning", warning)
    yield Check("Configuration", "ok", f"{settings.file}, environment {settings.environment}")
    for integration in settings.integrations:
        if integration.serves(settings.environment):
            try:
                integration.resolved()
            except SecretMissing as err:
                yield Check("Secrets", "warning", err.message, err.hint)


def _plugins() -> list[Check]:
    from ..providers import PluginHost

    host = PluginHost()
    broken = [_broken(one) for one in host.statuses if not one.ok]
    finding = f"{count(len(host.providers), 'provider')} in {count(len(host.statuses), 'plugin')}"
    return broken or [Check("Plugins", "ok", finding)]


def _broken(one: PluginStatus) -> Check:
    fix = f"Mend it, or remove it: pip uninstall {one.distribution.partition(' ')[0]}"
    return Check("Plugins", "failed", f"{one.name} ({one.distribution}): {one.error}", fix)


def _workflows(settings: Settings) -> tuple[Registry | None, list[Check]]:
    from ..authoring import Registry

    try:
        registry = Registry.load(settings.workflows, settings.root)
    except NovukitError as err:
        return None, [failed("Workflows", err)]
    if not len(registry):
        return registry, [
            Check("Workflows", "warning", "No workflow is known.", 'Name their modules: workflows = ["app.workflows"].')
        ]
    steps = sum(len(one.spec().steps) for one in registry)
    return registry, [Check("Workflows", "ok", f"{count(len(registry), 'workflow')} with {count(steps, 'step')}")]


def _templates(settings: Settings) -> list[Check]:
    from ..rendering import Renderer

    missing = [folder for folder in settings.templates if not folder.is_dir()]
    if missing:
        return [
            Check("Templates", "failed", f"There is no folder {folder}.", "Make it, or correct `templates`.")
            for folder in missing
        ]
    issues = Renderer(settings.templates).check()
    return [Check("Templates", "failed", f"{one.path}: {one.message}", one.hint) for one in issues[:20]] or (
        [Check("Templates", "ok", f"all in {count(len(settings.templates), 'folder')} can be read")]
        if settings.templates
        else []
    )


async def _in_database(settings: Settings, registry: Registry | None) -> AsyncIterator[Check]:
    from ..store import Database, migrations
    from ..store.database import sqlite_path

    if settings.database.startswith("sqlite:") and not sqlite_path(settings.database).exists():
        yield Check("Database", "warning", "The file is not there yet.", "`novukit dev` makes it.")
        return
    clock = SystemClock()
    try:
        database = Database(settings.database, clock=clock, new_id=uuid7_source(clock, random.SystemRandom()))
        await database.open()
    except NovukitError as err:
        yield failed("Database", err)
        return
    try:
        yield Check("Database", "ok", _shown(settings))
        async for check in infrastructure.durability(database):
            yield check
        if database.dialect == "postgres":
            yield await infrastructure.clock(database)
        try:
            await migrations.check(database)
        except NovukitError as err:
            yield failed("Schema", err)
            return
        yield Check("Schema", "ok", "up to date")
        async for check in _contents(settings, database, registry):
            yield check
    finally:
        await database.close()


async def _contents(settings: Settings, database: Database, registry: Registry | None) -> AsyncIterator[Check]:
    from ..store import environments, organizations
    from ..store.secrets import KeyRing

    variable = settings.master_key.env if settings.master_key else "NOVUKIT_MASTER_KEY"
    kept = (settings.root / ".novukit" / "master.key").exists() or bool(os.environ.get(variable))
    try:
        organization = await organizations.first(database)
        if organization is None:
            raise NotFound("The database is empty.", hint="`novukit dev` and `novukit server` make the environments.")
        environment = await environments.by_slug(database, organization.id, settings.environment)
    except NovukitError as err:
        yield Check(
            "Environment", "warning", err.message, err.hint or "`novukit dev` and `novukit server` make the first ones."
        )
        if database.dialect == "postgres":  # beside a SQLite file the first start makes one
            try:
                KeyRing(settings.master_keys())
            except NovukitError as invalid:
                yield failed("Master key", invalid)
        return
    for check in _inbox(settings, environment):
        yield check
    scope = database.scope(environment.id)
    ring: KeyRing | None = None
    try:
        if not kept and settings.database.startswith("sqlite:"):
            raise SecretMissing(
                f"The master key {settings.root / '.novukit' / 'master.key'} is gone.",
                hint="Restore it: without it stored secrets cannot be opened.",
            )
        ring = KeyRing(settings.master_keys())
        channels = await _opened(scope, ring)
        yield Check("Master key", "ok", f"{ring.kid} opens what is stored")
    except NovukitError as err:
        yield failed("Master key", err)
        channels = []
    async for check in _sync(scope, registry):
        yield check
    async for check in backlog.work(database):
        yield check
    if ring is not None:
        async for check in _channels(settings, registry, channels):
            yield check


def _inbox(settings: Settings, environment: Environment) -> Iterator[Check]:
    """Who may open inboxes from a browser; in Development anyone may, and that is meant so."""
    if settings.environment == "development":
        return
    inbox = settings.inbox
    open_to_all = environment.type == "dev" if inbox.require_hmac is None else not inbox.require_hmac
    if open_to_all:
        why = "its type is dev" if inbox.require_hmac is None else "inbox.require_hmac is false"
        finding = f"Whoever knows a subscriber's id can open their inbox: {why}."
        yield Check("Inbox", "warning", finding, "Set require_hmac = true in [inbox], and send a subscriberHash.")
    if "*" in inbox.origins:
        yield Check("Inbox", "warning", "Pages of every origin may speak to it.", "Name yours in inbox.origins.")
    elif not open_to_all:
        whose = ", ".join(inbox.origins) or "of this server only; inbox.origins names others"
        yield Check("Inbox", "ok", f"needs a hash; pages {'of ' if inbox.origins else ''}{whose}")


async def _opened(scope: Scope, ring: KeyRing) -> list[Integration]:
    """Open every secret of the environment once."""
    from ..store import integrations, keys

    await keys.reveal(scope, ring)
    return await integrations.list_all(scope, ring)


async def _channels(settings: Settings, registry: Registry | None, channels: list[Integration]) -> AsyncIterator[Check]:
    """Make the provider of every active integration, as the first message would; and is there one for each channel?"""
    from ..providers import HttpClient, PluginHost

    host, unfit = PluginHost(http=HttpClient(allow_private=settings.environment == "development")), False
    try:
        for one in channels:
            try:
                if one.active:
                    host.build(one.provider_id, one.credentials)
            except NovukitError as err:
                unfit = True
                yield Check("Channels", "failed", f"Integration {one.identifier!r}: {err.message}", err.hint)
    finally:
        await host.close()
    if registry is None:
        return
    wanted = {step.kind.value for one in registry for step in one.spec().steps if step.kind.is_channel} - {"in_app"}
    if lacking := sorted(wanted - {one.channel for one in channels if one.active}):
        finding = f"No active integration for {', '.join(lacking)}: such steps will fail."
        yield Check("Channels", "warning", finding, "`novukit integrations add PROVIDER`")
    elif not unfit:
        yield Check("Channels", "ok", ", ".join(f"{one.channel}: {one.identifier}" for one in channels) or "in-app")


async def _sync(scope: Scope, registry: Registry | None) -> AsyncIterator[Check]:
    from ..engine import sync
    from ..store import workflows

    if registry is None:
        return
    plan = sync.diff(await workflows.of_code(scope), registry.manifest(), await workflows.in_flight(scope))
    if plan.empty:
        yield Check("Sync", "ok", "the environment holds what the code declares")
    else:
        changes = len(plan.create) + len(plan.change) + len(plan.delete)
        fix = "`novukit sync --check` tells which, `novukit sync` applies it."
        yield Check("Sync", "warning", f"{count(changes, 'workflow')} differ from the code.", fix)


def _shown(settings: Settings) -> str:
    url = settings.database
    return url.removeprefix("sqlite:///") if url.startswith("sqlite:") else url.rpartition("@")[2]
