"""Variables of the environment: values that code and templates read by key. What is secret is never shown again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from pydantic import Field

from ...errors import InvalidInput, Issue, did_you_mean
from ...model import Variable, VariableKey
from ...store import Scope, variables
from ...store.secrets import KeyRing
from ..auth import Here, TheCaller, TheRuntime
from ..wire import Data, Timestamp, Wire, envelope, missing
from .usage import Usage, who_writes

TAGS = ["Environment variables"]

MASK = "********"
"""What is shown of a secret value."""

Text = Annotated[str, Field(max_length=10_000)]


class ValueIn(Wire):
    """A value in one environment: that of the caller's key, for a key opens no other."""

    environment_id_: str
    value: Text


class ValueOut(Wire):
    """The value in the caller's environment, or a mask."""

    environment_id_: str
    value: str


class NewVariable(Wire):
    """A variable to be."""

    key: VariableKey
    type: Literal["string"] = "string"
    is_secret: bool = False
    values: list[ValueIn] = Field(default_factory=list[ValueIn])


class VariableChanges(Wire):
    """What may be changed of a variable. A secret stays one."""

    key: VariableKey | None = None
    type: Literal["string"] | None = None
    is_secret: bool | None = None
    values: list[ValueIn] | None = None


class VariableOut(Wire):
    """A variable."""

    id: str = Field(serialization_alias="_id")
    organization_id_: str
    key: str
    type: Literal["string"] = "string"
    is_secret: bool
    values: list[ValueOut]
    created_at: Timestamp
    updated_at: Timestamp


@get("/v1/environment-variables", summary="List variables", tags=TAGS)
async def list_all(
    here: Here,
    caller: TheCaller,
    runtime: TheRuntime,
    search: Annotated[str | None, QueryParameter(description="A part of the key.")] = None,
) -> Data[list[VariableOut]]:
    """The variables of the environment, by key."""
    found = await variables.all(here, runtime.secrets)
    fits = [one for one in found if not search or search.casefold() in one.key.casefold()]
    return envelope([_out(one, here, caller) for one in fits])


@post("/v1/environment-variables", status_code=200, summary="Create a variable", tags=TAGS)
async def create(here: Here, caller: TheCaller, runtime: TheRuntime, data: JSONBody[NewVariable]) -> Data[VariableOut]:
    """Make a variable. Without a value it is there, and `ctx.env` does not have it yet."""
    value = _value(here, data.values)
    made = await variables.create(here, runtime.secrets, data.key, value, is_secret=data.is_secret)
    return envelope(_out(made, here, caller))


@get("/v1/environment-variables/{variable_key:str}", summary="Show a variable", tags=TAGS)
async def show(here: Here, caller: TheCaller, runtime: TheRuntime, variable_key: FromPath[str]) -> Data[VariableOut]:
    """One variable."""
    return envelope(_out(await _find(here, runtime.secrets, variable_key), here, caller))


@patch("/v1/environment-variables/{variable_key:str}", summary="Change a variable", tags=TAGS)
async def change(
    here: Here, caller: TheCaller, runtime: TheRuntime, variable_key: FromPath[str], data: JSONBody[VariableChanges]
) -> Data[VariableOut]:
    """Change a variable's key or value, or make it secret. Executions see the new value when they run next."""
    old = await _find(here, runtime.secrets, variable_key)
    if old.is_secret and data.is_secret is False:
        message, hint = "A secret variable stays secret.", "Delete it and make it anew."
        raise InvalidInput(message, hint=hint, issues=[Issue("/isSecret", "not_allowed", message, hint)])
    new = await variables.update(
        here, runtime.secrets, old, key=data.key, value=_value(here, data.values or ()), is_secret=data.is_secret
    )
    if new is None:
        raise missing("variable", variable_key)
    return envelope(_out(new, here, caller))


@delete("/v1/environment-variables/{variable_key:str}", summary="Delete a variable", tags=TAGS)
async def remove(here: Here, variable_key: FromPath[str]) -> None:
    """Delete a variable. A workflow that still reads it fails there."""
    if not await variables.delete(here, variable_key):
        raise missing("variable", variable_key)


@get("/v1/environment-variables/{variable_key:str}/usage", summary="Show who uses a variable", tags=TAGS)
async def usage(here: Here, runtime: TheRuntime, variable_key: FromPath[str]) -> Data[Usage]:
    """The workflows whose code names the variable."""
    one = await _find(here, runtime.secrets, variable_key)
    return envelope(Usage(workflows=await who_writes(here, runtime.registry, one.key)))


async def _find(scope: Scope, ring: KeyRing, key: str) -> Variable:
    found = await variables.get(scope, ring, key)
    if found is None:
        error = missing("variable", key)
        error.hint = did_you_mean(key, [one.key for one in await variables.all(scope, ring)])
        raise error
    return found


def _value(scope: Scope, given: list[ValueIn] | tuple[()]) -> str | None:
    """The value for the caller's environment, the last of several; None where none is given."""
    own = str(scope.environment_id)
    for at, one in enumerate(given):
        if one.environment_id_ != own:
            message = "This key opens another environment."
            hint = f"Its own is {own}. Set the value of another with a key of that one."
            raise InvalidInput(
                message, hint=hint, issues=[Issue(f"/values/{at}/_environmentId", "other_environment", message, hint)]
            )
    return given[-1].value if given else None


def _out(one: Variable, scope: Scope, caller: TheCaller) -> VariableOut:
    shown = MASK if one.is_secret else one.value
    values = [] if one.value is None else [ValueOut(environment_id_=str(scope.environment_id), value=shown or "")]
    return VariableOut(
        id=str(one.id),
        organization_id_=str(caller.organization_id),
        key=one.key,
        is_secret=one.is_secret,
        values=values,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )


HANDLERS: list[Any] = [list_all, create, show, change, remove, usage]
