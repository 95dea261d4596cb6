"""Integrations: providers with their credentials. Credentials come in, and never go out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody
from pydantic import Field

from ...errors import CredentialsInvalid, InvalidInput, Issue, NovukitError, PluginInvalid, ProviderNotFound
from ...model import OPERATORS, Channel, Identifier, Integration, Routing, When
from ...providers import dispatch
from ...providers.base import AnyProvider, Provider
from ...store import Scope, circuits, integrations
from ..auth import Here, TheCaller, TheRuntime
from ..idempotency import KEEPING
from ..wire import Data, Wire, envelope, identify

TAGS = ["Integrations"]
UNTRIED = cast("type[AnyProvider]", Provider).check
"""What a provider without a check of its own has."""

Name = Annotated[str, Field(min_length=1, max_length=200)]


class FieldCondition(Wire):
    """One comparison of a condition."""

    field: str
    value: str
    operator: Literal[OPERATORS]  # pyright: ignore[reportInvalidTypeForm]
    on: Literal["subscriber", "payload"]


class Condition(Wire):
    """When an integration is to be used: comparisons joined by AND or OR."""

    is_negated: bool = False
    type: Literal["BOOLEAN", "TEXT", "DATE", "NUMBER", "STATEMENT", "LIST", "MULTI_LIST", "GROUP"] = "GROUP"
    value: Literal["AND", "OR"]
    children: list[FieldCondition] = Field(max_length=50)


class Configurations(Wire):
    """Novu's settings for inbound webhooks. Here they need not be enabled, and the signing key is a credential."""

    inbound_webhook_enabled: bool | None = None
    inbound_webhook_signing_key: str | None = None


class IntegrationChanges(Wire):
    """What may be changed of an integration. ``credentials`` replace the old ones as a whole."""

    name: Name | None = None
    identifier: Identifier | None = None
    environment_id_: str | None = None
    kind: Literal["delivery"] | None = None
    credentials: dict[str, Any] | None = None
    active: bool | None = None
    concurrency: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="How many of its messages one worker may be sending at a time; 0: three quarters of its places.",
    )
    when: When | None = Field(
        default=None, description="What must be so for it to be used, beside `conditions`. `{}`: nothing."
    )
    weight: int | None = Field(
        default=None, ge=0, le=1000, description="Its share among those with a weight; 0: it only stands in."
    )
    rate: float | None = Field(
        default=None, ge=0, le=100_000,
        description="Messages a second, of all workers together; 0: the provider's own limit.",
    )  # fmt: skip
    on_unknown: Literal["stay", "next"] | None = Field(
        default=None, description="`next`: a message whose outcome nobody knows may go to another integration."
    )
    check: bool | None = Field(default=None, description="Try the credentials first.")
    conditions: list[Condition] | None = Field(default=None, max_length=50)
    configurations: Configurations | None = None


class NewIntegration(IntegrationChanges):
    """What an integration is made of. ``providerId`` is a plugin's id, or Novu's id for it."""

    provider_id: Annotated[str, Field(min_length=1, max_length=100)]
    channel: Channel | None = Field(default=None, description="The provider's own if left out.")


class Resting(Wire):
    """Workers that send nothing through it for a while, because call after call has failed."""

    workers: int
    detail: str


class IntegrationOut(Wire):
    """An integration; its credentials stay inside."""

    id_: str
    environment_id_: str
    organization_id_: str
    name: str
    identifier: str
    provider_id: str
    channel: Channel
    kind: Literal["delivery"] = "delivery"
    credentials: dict[str, Any] = Field(default={}, description="Always empty.")
    configurations: dict[str, Any] = Field(default={}, description="Always empty.")
    active: bool
    deleted: bool = False
    primary: bool
    concurrency: int | None = None
    conditions: list[dict[str, Any]]
    when: dict[str, Any] | None = Field(default=None, description="Left out, as what follows, where nothing is said.")
    weight: int | None = None
    rate: float | None = None
    on_unknown: Literal["next"] | None = None
    resting: Resting | None = Field(default=None, description="Told by the lists of integrations.")


class Checked(Wire):
    """What came of trying the credentials: ``unchecked`` when the provider has no way to try them."""

    status: Literal["ok", "failed", "unchecked"]
    message: str


@get("/v1/integrations", summary="List integrations", tags=TAGS)
async def list_all(here: Here, caller: TheCaller, runtime: TheRuntime) -> Data[list[IntegrationOut]]:
    """The integrations of the environment, oldest first."""
    return envelope(await _all_out(here, caller, await integrations.list_all(here, runtime.secrets)))


@get("/v1/integrations/active", summary="List active integrations", tags=TAGS)
async def list_active(here: Here, caller: TheCaller, runtime: TheRuntime) -> Data[list[IntegrationOut]]:
    """Those that are in use."""
    return envelope(await _all_out(here, caller, await integrations.active(here, runtime.secrets)))


@post("/v1/integrations", summary="Create an integration", tags=TAGS, opt={KEEPING: "apart"})
async def create(
    data: JSONBody[NewIntegration], here: Here, caller: TheCaller, runtime: TheRuntime
) -> Data[IntegrationOut]:
    """Add a provider with its credentials. The first active one of a channel becomes its primary.

    One that is not active may be without credentials until it is.
    """
    kind = _provider_type(data, runtime)
    _refuse_foreign(data, caller)
    if data.active is not False or data.credentials or data.check:
        await _try(runtime, kind.id, data.credentials or {}, data.check)
    made = await integrations.create(
        here,
        runtime.secrets,
        provider_id=kind.id,
        channel=kind.channel,
        credentials=data.credentials or {},
        identifier=data.identifier,
        name=data.name or kind.name,
        active=data.active is not False,
        concurrency=data.concurrency,
        conditions=_conditions(data) or (),
        routing=_routing(Routing(), data),
    )
    return envelope(_out(made, caller))


@put("/v1/integrations/{integration_id:str}", summary="Change an integration", tags=TAGS, opt={KEEPING: "apart"})
async def update(
    integration_id: FromPath[str],
    data: JSONBody[IntegrationChanges],
    here: Here,
    caller: TheCaller,
    runtime: TheRuntime,
) -> Data[IntegrationOut]:
    """Change what is given. A primary that is made inactive passes its place on."""
    _refuse_foreign(data, caller)
    old = await integrations.get(here, runtime.secrets, identify(integration_id, "integration"))
    awakens = data.active is True and not old.active
    if data.credentials is not None or data.check or awakens:
        await _try(
            runtime, old.provider_id, old.credentials if data.credentials is None else data.credentials, data.check
        )
    changed = await integrations.update(
        here,
        runtime.secrets,
        old.id,
        identifier=data.identifier,
        name=data.name,
        active=data.active,
        concurrency=data.concurrency,
        credentials=data.credentials,
        conditions=_conditions(data),
        routing=_routing(old.routing, data),
    )
    return envelope(_out(changed, caller))


@delete("/v1/integrations/{integration_id:str}", status_code=200, summary="Delete an integration", tags=TAGS)
async def remove(
    integration_id: FromPath[str], here: Here, caller: TheCaller, runtime: TheRuntime
) -> Data[list[IntegrationOut]]:
    """Remove an integration with its credentials; the answer is what remains."""
    await integrations.delete(here, identify(integration_id, "integration"))
    return envelope([_out(one, caller) for one in await integrations.list_all(here, runtime.secrets)])


@post(
    "/v1/integrations/{integration_id:str}/set-primary",
    status_code=200,
    summary="Make an integration primary",
    tags=TAGS,
)
async def set_primary(
    integration_id: FromPath[str], here: Here, caller: TheCaller, runtime: TheRuntime
) -> Data[IntegrationOut]:
    """Make it the one that its channel uses."""
    chosen = await integrations.set_primary(here, runtime.secrets, identify(integration_id, "integration"))
    return envelope(_out(chosen, caller))


@post(
    "/v1/integrations/{integration_id:str}/check",
    status_code=200,
    summary="Try an integration's credentials",
    tags=TAGS,
    opt={KEEPING: "apart"},
)
async def check(integration_id: FromPath[str], here: Here, runtime: TheRuntime) -> Data[Checked]:
    """Try the credentials with the provider. Nothing is sent to anyone."""
    one = await integrations.get(here, runtime.secrets, identify(integration_id, "integration"))
    try:
        provider = runtime.host.build(one.provider_id, one.credentials)
    except (ProviderNotFound, CredentialsInvalid, PluginInvalid) as err:
        return envelope(Checked(status="failed", message=str(err)))
    if type(provider).check is UNTRIED:
        return envelope(
            Checked(status="unchecked", message="The credentials are complete; this provider has no way to try them.")
        )
    outcome = await dispatch.check(provider)
    if outcome.accepted:
        return envelope(Checked(status="ok", message=" ".join(["The credentials work.", outcome.detail]).strip()))
    return envelope(Checked(status="failed", message=outcome.detail))


def _provider_type(data: NewIntegration, runtime: TheRuntime) -> type[AnyProvider]:
    """The provider class of a plugin's own id, or of Novu's id when that means one provider only."""
    providers = runtime.host.providers
    known = [kind for kind in providers.values() if kind.novu_id == data.provider_id]
    try:
        kind = known[0] if data.provider_id not in providers and len(known) == 1 else runtime.host.get(data.provider_id)
    except ProviderNotFound as err:
        raise _refusal("/providerId", "unknown_provider", err.message, err.hint) from None
    if data.channel is not None and data.channel != kind.channel:
        said = f"The provider {kind.id!r} is for the channel {kind.channel}, not {data.channel}."
        raise _refusal("/channel", "wrong_channel", said, "Leave the channel out.")
    return kind


async def _try(runtime: TheRuntime, provider_id: str, credentials: dict[str, Any], check: bool | None) -> None:
    """Refuse credentials that do not fit, and if asked to, those that do not work."""
    try:
        provider = runtime.host.build(provider_id, credentials)
    except CredentialsInvalid as err:
        found = [Issue(f"/credentials{i.path}", i.code, i.message, i.hint) for i in err.issues]
        raise CredentialsInvalid(err.message, hint=err.hint, issues=found) from None
    if check and not (outcome := await dispatch.check(provider)).accepted:
        said = f"The provider does not take these credentials: {outcome.detail}"
        raise CredentialsInvalid(said, issues=[Issue("/credentials", "refused_by_provider", outcome.detail)])


def _refuse_foreign(data: IntegrationChanges, caller: TheCaller) -> None:
    if data.environment_id_ not in (None, str(caller.environment.id)):
        raise _refusal(
            "/_environmentId", "other_environment", "The secret key opens another environment than this.",
            "Leave _environmentId out, or use a key of that environment.",
        )  # fmt: skip
    if data.configurations and data.configurations.inbound_webhook_signing_key:
        raise _refusal(
            "/configurations/inboundWebhookSigningKey", "not_supported",
            "The key that a vendor signs its webhooks with is one of the credentials.",
            "Give it there; the page of the plugin names it.",
        )  # fmt: skip


def _refusal(path: str, code: str, message: str, hint: str | None) -> NovukitError:
    return InvalidInput(message, hint=hint, issues=[Issue(path, code, message, hint)])


def _conditions(data: IntegrationChanges) -> list[dict[str, Any]] | None:
    return None if data.conditions is None else [c.model_dump(mode="json", by_alias=True) for c in data.conditions]


def _routing(old: Routing, data: IntegrationChanges) -> Routing:
    """The routing with what is given of it. A rate of 0 unsets it."""
    given = {
        "when": data.when, "weight": data.weight, "rate": data.rate, "on_unknown": data.on_unknown,
    }  # fmt: skip
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if data.rate == 0:
        changes["rate"] = None
    return old.model_copy(update=changes)


async def _all_out(here: Scope, caller: TheCaller, found: Sequence[Integration]) -> list[IntegrationOut]:
    resting = await circuits.resting(here)
    shown: list[IntegrationOut] = []
    for one in found:
        out = _out(one, caller)
        if one.id in resting:
            workers, detail = resting[one.id]
            out = out.model_copy(update={"resting": Resting(workers=workers, detail=detail)})
        shown.append(out)
    return shown


def _out(one: Integration, caller: TheCaller) -> IntegrationOut:
    return IntegrationOut(
        id_=str(one.id),
        environment_id_=str(one.environment_id),
        organization_id_=str(caller.organization_id),
        name=one.name,
        identifier=one.identifier,
        provider_id=one.provider_id,
        channel=one.channel,
        active=one.active,
        primary=one.primary,
        concurrency=one.concurrency,
        conditions=one.conditions,
        when=one.routing.when.model_dump(mode="json", exclude_defaults=True) or None,
        weight=one.routing.weight or None,
        rate=one.routing.rate,
        on_unknown="next" if one.routing.on_unknown == "next" else None,
    )


HANDLERS = [list_all, list_active, create, update, remove, set_primary, check]
