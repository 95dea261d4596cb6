"""Environments: the walled parts of the organization."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody
from pydantic import Field

from ...engine import remote
from ...errors import InvalidInput, Issue
from ...model import Environment
from ...store import environments, keys, workflows
from ..auth import TheCaller, TheDoorman, TheRuntime
from ..wire import Data, Wire, envelope
from .promote import of_organization

TAGS = ["Environments"]

Name = Annotated[str, Field(min_length=1, max_length=environments.LARGEST_NAME)]
PublicId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class EnvironmentKey(Wire):
    """A secret key in force."""

    key: str
    user_id_: str


class EnvironmentOut(Wire):
    """An environment. ``apiKeys`` are there only in the one that the caller's key opens."""

    id_: str
    organization_id_: str
    name: str
    identifier: str
    type: Literal["dev", "prod"]
    slug: str
    api_keys: list[EnvironmentKey] | None = None


class Tag(Wire):
    """A tag of a workflow."""

    name: str


class NewEnvironment(Wire):
    """What an environment is made of. ``color`` is taken for the SDKs' sake, and not kept."""

    name: Name
    color: str | None = None
    parent_id: str | None = None
    type: Literal["dev", "prod"] = "dev"


class BridgeIn(Wire):
    """Where the environment's application is; see `POST /v1/bridge/sync`."""

    url: Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://\S+$")]


class EnvironmentChanges(Wire):
    """What may be changed of an environment."""

    name: Name | None = None
    identifier: PublicId | None = None
    bridge: BridgeIn | None = None
    color: str | None = None
    parent_id: str | None = None


@get("/v1/environments", summary="List environments", tags=TAGS)
async def list_all(caller: TheCaller, runtime: TheRuntime) -> Data[list[EnvironmentOut]]:
    """All environments of the organization; with secret keys only the caller's own."""
    found = await environments.all(runtime.database, caller.organization_id)
    return envelope([await _out(one, caller, runtime) for one in found])


@get("/v1/environments/me", summary="Show the caller's environment", tags=TAGS)
async def me(caller: TheCaller, runtime: TheRuntime) -> Data[EnvironmentOut]:
    """The environment that the secret key opens."""
    # Read anew: what the doorman remembers of the caller may be a few seconds old.
    return envelope(await _out(await environments.get(runtime.database, caller.environment.id), caller, runtime))


@post("/v1/environments", summary="Create an environment", tags=TAGS)
async def create(data: JSONBody[NewEnvironment], caller: TheCaller, runtime: TheRuntime) -> Data[EnvironmentOut]:
    """Make an environment with a secret key of its own, which `novukit keys` shows on the server."""
    _refuse_parent(data.parent_id)
    made = await environments.create(
        runtime.database, runtime.secrets, caller.organization_id, data.name, type=data.type
    )
    return envelope(await _out(made, caller, runtime))


@put("/v1/environments/{environment_id:str}", summary="Change an environment", tags=TAGS)
async def update(
    environment_id: FromPath[str], data: JSONBody[EnvironmentChanges], caller: TheCaller, runtime: TheRuntime
) -> Data[EnvironmentOut]:
    """Rename an environment (its slug follows), or give it another public identifier."""
    _refuse_parent(data.parent_id)
    found = await of_organization(runtime, caller, environment_id)
    changed = await environments.update(runtime.database, found.id, name=data.name, identifier=data.identifier)
    if data.bridge is not None:
        own = caller.key_id if found.id == caller.environment.id else None
        await remote.connect(runtime, runtime.scope(found.id), data.bridge.url, own)
    return envelope(await _out(changed, caller, runtime))


@delete("/v1/environments/{environment_id:str}", status_code=200, summary="Delete an environment", tags=TAGS)
async def remove(
    environment_id: FromPath[str], caller: TheCaller, runtime: TheRuntime, doorman: TheDoorman
) -> Data[dict[str, Any]]:
    """Delete an environment with everything in it: keys, workflows, subscribers, messages.

    Refused while executions are in flight there, for the environment that the server starts with, and for a production
    one unless the key is its own.
    """
    found = await of_organization(runtime, caller, environment_id)
    if found.slug == runtime.settings.environment:
        raise _kept(f"This server starts with {found.name!r}.", "Name another environment in novukit.toml first.")
    if found.type == "prod" and found.id != caller.environment.id:
        raise _kept(f"{found.name!r} is in production.", "Delete it with its own key: nobody does that by mistake.")
    if open_ones := await environments.delete(runtime.scope(found.id)):
        message = f"{found.name!r} has executions that have not ended: {open_ones}."
        raise _kept(message, "Cancel them, or switch off its workflows and let them end.")
    doorman.forget_environment(found.id)
    return envelope({})


@get("/v2/environments/{environment_id:str}/tags", summary="List the tags of an environment", tags=TAGS)
async def tags(environment_id: FromPath[str], caller: TheCaller, runtime: TheRuntime) -> Data[list[Tag]]:
    """The tags of its workflows, each once."""
    found = await of_organization(runtime, caller, environment_id)
    stored = await workflows.all(runtime.scope(found.id))
    return envelope([Tag(name=name) for name in sorted({tag for one in stored for tag in one.spec.tags})])


def _kept(message: str, hint: str) -> InvalidInput:
    return InvalidInput(message, hint=hint, issues=[Issue("/environmentId", "not_allowed", message, hint)])


async def _out(one: Environment, caller: TheCaller, runtime: TheRuntime) -> EnvironmentOut:
    shown = None
    if one.id == caller.environment.id:
        in_force = await keys.reveal(runtime.scope(one.id), runtime.secrets)
        shown = [EnvironmentKey(key=secret, user_id_=str(key.id)) for key, secret in in_force]
    return EnvironmentOut(
        id_=str(one.id),
        organization_id_=str(one.organization_id),
        name=one.name,
        identifier=one.identifier,
        type=one.type,
        slug=one.slug,
        api_keys=shown,
    )


def _refuse_parent(parent_id: str | None) -> None:
    if parent_id is not None:
        message, hint = "novukit's environments have no parents.", "Leave parentId out."
        raise InvalidInput(message, hint=hint, issues=[Issue("/parentId", "not_supported", message, hint)])


HANDLERS: list[Any] = [list_all, me, create, update, remove, tags]
