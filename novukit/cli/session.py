"""A session: how a command speaks to novukit, in this process or to a server elsewhere, through the same API."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import SecretMissing, SettingsInvalid, Unauthorized, Unreachable
from .output import Output, sign

if TYPE_CHECKING:
    from ..app import App
    from ..client import Client
    from ..settings import Settings

MOST = 100
"""How many things one page holds at most."""


@dataclass(frozen=True)
class Target:
    """Where a command was told to work."""

    config: Path | None = None
    environment: str | None = None
    url: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Listed:
    """What a list command found, and how many there are in all."""

    data: list[dict[str, Any]]
    total: int
    capped: bool = False

    @property
    def more(self) -> str:
        """What to say when not all is shown."""
        rest = self.total - len(self.data)
        return f"{len(self.data)} of {self.total}{'+' if self.capped else ''}; --limit shows more" if rest > 0 else ""


@dataclass(frozen=True)
class Session:
    """An open way to one environment."""

    client: Client
    output: Output
    place: str
    """What it speaks to, for people: ``development in /home/ada/shop`` or a URL."""
    app: App | None = None
    settings: Settings | None = None

    async def get(self, path: str, **params: Any) -> Any:
        return await self.client.request("GET", path, params=params)

    async def post(self, path: str, body: Any = None, **params: Any) -> Any:
        return await self.client.request("POST", path, json=body, params=params)

    async def put(self, path: str, body: Any = None, **params: Any) -> Any:
        return await self.client.request("PUT", path, json=body, params=params)

    async def patch(self, path: str, body: Any = None) -> Any:
        return await self.client.request("PATCH", path, json=body)

    async def delete(self, path: str, body: Any = None, **params: Any) -> Any:
        return await self.client.request("DELETE", path, json=body, params=params)

    async def pages(self, path: str, limit: int, **params: Any) -> Listed:
        """Up to ``limit`` entries of a list that is read by cursor."""
        found: list[dict[str, Any]] = []
        total, capped, after = 0, False, None
        while len(found) < limit:
            page = cast(
                "dict[str, Any]", await self.get(path, limit=min(MOST, limit - len(found)), after=after, **params)
            )
            found += page["data"]
            total, capped, after = int(page["totalCount"]), bool(page.get("totalCountCapped")), page.get("next")
            if not after:
                break
        return Listed(found, max(total, len(found)), capped)

    def done(self, value: Any, *words: str | tuple[str, str]) -> None:
        """Say that something was done."""
        self.output.show(value, lambda: self.output.line((f"{sign('✓')} ", "green"), *words))


def settings_of(config: Path | None, environment: str | None, output: Output) -> Settings:
    """The settings that a command works with; what is unwise in them is said on stderr."""
    from ..settings import Settings

    settings = Settings.load(config)
    for warning in settings.warnings:
        output.note(("! ", "yellow"), warning)
    return settings.for_environment(environment) if environment else settings


@asynccontextmanager
async def open_session(target: Target, output: Output) -> AsyncGenerator[Session]:
    """Open what ``target`` names: a server if there is a URL (option, variable or novukit.toml), else an app here."""
    settings, url = _whereto(target, output)
    if url is None:
        assert settings is not None
        async with _in_process(settings, output) as session:
            yield session
        return
    from ..client import Client

    key = target.key or os.environ.get("NOVUKIT_SECRET_KEY")
    if not key:
        raise SecretMissing(
            f"A secret key is needed for {url}.",
            hint="Set NOVUKIT_SECRET_KEY, or give --key; `novukit keys` on the server shows it.",
        )
    async with Client(url, key) as client:
        session = Session(client, output, url, settings=settings)
        if target.environment:
            await _hold_to(session, target.environment)
        yield session


def _whereto(target: Target, output: Output) -> tuple[Settings | None, str | None]:
    """The settings, if there are any, and the URL, if one is given. A project is only needed without a URL."""
    url = target.url or os.environ.get("NOVUKIT_URL")
    if url and target.config is None:
        return None, url
    settings = settings_of(target.config, target.environment, output)
    if target.key and not (url or settings.url):
        raise SettingsInvalid(
            "--key is for a server: it needs --url.", hint="Without --url the project's own key is used."
        )
    return settings, url or settings.url


@asynccontextmanager
async def _in_process(settings: Settings, output: Output) -> AsyncGenerator[Session]:
    from ..app import App
    from ..authoring import Registry
    from ..client import Client

    # No workflow is imported: what these commands need to know of workflows is in the database.
    async with App(settings, registry=Registry(())) as app:
        key = await own_key(app)
        async with Client.of_app(app.asgi(), key) as client:
            place = f"{settings.environment} in {settings.root}"
            yield Session(client, output, place, app=app, settings=settings)


async def own_key(app: App) -> str:
    """Bootstrap, and a secret key of the environment that the settings name."""
    from ..store import keys

    scope = app.runtime.scope(await app.bootstrap())
    ring = app.runtime.secrets
    if in_force := await keys.reveal(scope, ring):
        return in_force[0][1]
    # All were revoked. Whoever holds database and master key may make another one anyway.
    return (await keys.create(scope, ring, "Command line"))[1]


async def _hold_to(session: Session, slug: str) -> None:
    """A key opens one environment; refuse if it is not the one that was named."""
    found = cast("Mapping[str, Any]", await session.get("/v1/environments/me"))
    if slug not in (found.get("slug"), found.get("name")):
        raise Unauthorized(
            f"The secret key opens the environment {found.get('name')!r}, not {slug!r}.",
            hint=f"Use a key of {slug!r}, or leave --environment out.",
        )


async def live_workers(session: Session) -> int | None:
    """How many workers are alive, if the server tells."""
    try:
        ready = await session.get("/v1/health/ready")
    except Unreachable:
        return None
    return cast("Mapping[str, int | None]", ready).get("workers") if isinstance(ready, Mapping) else None
