"""What novukit asks of a provider class, checked when its plugin is loaded and not when the first message is due."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from typing import Any, cast, get_args

from ..errors import PluginInvalid, did_you_mean
from ..model import ENDPOINT_TYPES, Channel, ChatContent, EmailContent, InAppContent, PushContent, SmsContent
from .base import API_VERSION, AnyProvider, Idempotency, Provider
from .callback import EventKind
from .credentials import Credentials, EmailCredentials
from .limits import Limits
from .novu_ids import NOVU_IDS

ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_TIMEOUT = 300
FEATURES = frozenset(
    field
    for kind in (EmailContent, SmsContent, PushContent, ChatContent, InAppContent)
    for field in set(kind.model_fields) - kind.plain - {"overrides"}
)


def check_provider(candidate: object) -> type[AnyProvider]:
    """``candidate``, if it keeps the contract of :class:`Provider`; else PluginInvalid, which says what it breaks."""
    if not (isinstance(candidate, type) and issubclass(candidate, Provider)):
        raise PluginInvalid(f"{candidate!r} is not a subclass of novukit.providers.Provider.")
    cls = cast("type[AnyProvider]", candidate)
    name = cls.__name__
    provider_id: object = getattr(cls, "id", None)
    if not isinstance(provider_id, str) or not ID.fullmatch(provider_id) or len(provider_id) > 64:
        problem = "has no id" if provider_id is None else f"has the id {provider_id!r}"
        raise PluginInvalid(
            f"{name} {problem}.", hint="Set `id` to lower-case words joined by `-`, at most 64 characters."
        )
    version: object = cls.api_version
    if version != API_VERSION:
        raise PluginInvalid(
            f"{provider_id} is written for version {version!r} of the plugin contract, this novukit has {API_VERSION}.",
            hint="Install a release of the plugin that fits.",
        )
    if getattr(cls, "channel", None) not in get_args(Channel):
        raise PluginInvalid(
            f"{provider_id} has no channel.", hint="Subclass EmailProvider, SmsProvider or another base."
        )
    check_credentials(cls)
    check_features(cls)
    check_methods(cls)
    check_limits(cls)
    check_events(cls)
    check_endpoints(cls)
    if cls.novu_id not in NOVU_IDS[cls.channel]:
        hint = did_you_mean(cls.novu_id, NOVU_IDS[cls.channel])
        raise PluginInvalid(
            f"{provider_id}: {cls.novu_id!r} is not a {cls.channel} provider that Novu knows.", hint=hint
        )
    seconds = cast("object", cls.timeout)
    if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_TIMEOUT:
        raise PluginInvalid(f"{provider_id} has the timeout {seconds!r}.", hint="Give seconds, above 0, at most 300.")
    return cls


def check_credentials(cls: type[AnyProvider]) -> None:
    """The type argument says what an integration must be given."""
    kind: object = getattr(cls, "credentials_type", None)
    wanted = EmailCredentials if cls.channel == "email" else Credentials
    if not (isinstance(kind, type) and issubclass(kind, wanted)):
        raise PluginInvalid(
            f"{cls.id} does not say which credentials it takes.",
            hint=f"Give a subclass of {wanted.__name__} as the base's type argument; NoCredentials if it takes none.",
        )
    # A name that its annotations use and that does not exist would be found out by the first integration.
    kind.model_rebuild()


def check_features(cls: type[AnyProvider]) -> None:
    """``supports`` names fields of content; those of another channel do no harm, those of none are a slip."""
    supports: Any = cls.supports
    if not isinstance(supports, set | frozenset):
        raise PluginInvalid(f"{cls.id}: `supports` is {type(supports).__name__}.", hint="Make it a frozenset of names.")
    for feature in sorted(str(item) for item in cast("set[object]", supports)):
        if feature not in FEATURES:
            hint = did_you_mean(feature, FEATURES)
            raise PluginInvalid(f"{cls.id} supports {feature!r}, which no content has.", hint=hint)


def check_methods(cls: type[AnyProvider]) -> None:
    """``send`` is written and async, and what the idempotency promises is there."""
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise PluginInvalid(f"{cls.id} does not implement {missing}.")
    for method in ("send", "lookup", "check", "callback", "close"):
        if not inspect.iscoroutinefunction(getattr(cls, method, None)):
            raise PluginInvalid(f"{cls.id}: `{method}` is not async.", hint=f"Write `async def {method}`.")
    if cls.idempotency not in get_args(Idempotency):
        raise PluginInvalid(f"{cls.id}: `idempotency` is {cls.idempotency!r}.", hint="Use native, lookup or none.")
    if cls.idempotency == "lookup" and cls.lookup is AnyProvider.lookup:
        raise PluginInvalid(f"{cls.id} promises a look-up and has no `lookup`.")
    window = cast("object", cls.idempotency_window)
    if window is None:
        return
    if not isinstance(window, timedelta) or window <= timedelta():
        raise PluginInvalid(
            f"{cls.id}: `idempotency_window` is {window!r}.",
            hint="Give a timedelta above 0, or None where keys are kept.",
        )
    if cls.idempotency == "none":
        raise PluginInvalid(
            f"{cls.id} has an `idempotency_window` and no idempotency that could end.",
            hint="Say idempotency = native or lookup, or leave the window out.",
        )


def check_limits(cls: type[AnyProvider]) -> None:
    """Limits are numbers above 0, and name fields that the content has."""
    limits = cast("object", cls.limits)
    if not isinstance(limits, Limits):
        raise PluginInvalid(f"{cls.id}: `limits` is {limits!r}.", hint="Write `limits = Limits(rate=10)`.")
    numbers: dict[str, object] = {"rate": limits.rate, "size": limits.size, "recipients": limits.recipients}
    numbers |= {f"lengths[{name!r}]": most for name, most in limits.lengths.items()}
    for name, number in numbers.items():
        if number is not None and (not isinstance(number, int | float) or number <= 0):
            raise PluginInvalid(f"{cls.id}: the limit {name} is {number!r}.", hint="Give a number above 0, or None.")
    for name in limits.lengths:
        if name not in cls.content_type.model_fields:
            hint = did_you_mean(name, cls.content_type.model_fields)
            raise PluginInvalid(f"{cls.id} limits the field {name!r}, which its content does not have.", hint=hint)


def check_events(cls: type[AnyProvider]) -> None:
    """Who names events reads callbacks, and the other way round."""
    events: Any = cls.events
    named: set[Any] = set(events) if isinstance(events, set | frozenset) else {None}  # pyright: ignore[reportUnknownArgumentType]
    if not all(isinstance(event, EventKind) for event in named):
        raise PluginInvalid(f"{cls.id}: `events` is {events!r}.", hint="Make it a frozenset of EventKind.")
    if bool(named) != (cls.callback is not AnyProvider.callback):
        said = "has no `callback` for its events" if named else "has a `callback` and names no events"
        raise PluginInvalid(f"{cls.id} {said}.", hint="Write both `events` and `callback`, or neither.")


def check_endpoints(cls: type[AnyProvider]) -> None:
    """Endpoints are of types that exist, and a connection's token takes the place of a credential that does."""
    for name in sorted(cls.endpoints - set(ENDPOINT_TYPES)):
        hint = did_you_mean(name, ENDPOINT_TYPES)
        raise PluginInvalid(f"{cls.id} reaches {name!r}, which is no type of endpoint.", hint=hint)
    fields = cls.credentials_type.model_fields
    if cls.connection_credential and cls.connection_credential not in fields:
        hint = did_you_mean(cls.connection_credential, fields)
        said = f"{cls.id} has no credential {cls.connection_credential!r} for a connection's token."
        raise PluginInvalid(said, hint=hint)
