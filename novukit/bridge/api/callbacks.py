"""Callbacks: what vendors tell of messages. No key opens this door: the vendor's signature is the proof.

The answers are few and constant: 200 for whatever is signed, 401 for what is not, and the same 404 for every name that
is not that of an integration with callbacks.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast
from urllib.parse import quote

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from pydantic import Field

from ...engine import Receiver, Runtime
from ...errors import Issue, MalformedBody
from ...model import Environment, Integration
from ...providers import CallbackAnswer, CallbackRequest, DeliveryEvent, EventKind, Headers
from ..auth import TheRuntime
from ..body import MEDIA_TYPE, StrictRequest
from ..wire import Wire, envelope, identify, iso

TAGS = ["Callbacks"]
PATH = "/v1/callbacks/{environment:str}/{integration:str}"
TRACK = "/v2/inbound-webhooks/delivery-providers/{environment_id:str}/{integration_id:str}"
LARGEST = 1_000_000
"""Bytes that a callback may have."""

_STATUS: dict[EventKind, str] = {
    EventKind.ACCEPTED: "accepted",
    EventKind.DELIVERED: "delivered",
    EventKind.OPENED: "opened",
    EventKind.CLICKED: "clicked",
    EventKind.BOUNCED: "bounced",
    EventKind.COMPLAINED: "complaint",
    EventKind.UNSUBSCRIBED: "unsubscribed",
    EventKind.FAILED: "failed",
    EventKind.TOKEN_GONE: "dropped",
}
"""Each kind in Novu's words, whose list is closed."""

TheReceiver: TypeAlias = SkipValidation[NamedDependency[Receiver]]
"""``receiver: TheReceiver``: whom the vendors' requests are handed to."""


class EventBody(Wire):
    """One thing that a vendor told."""

    status: str
    date: str
    external_id: str | None = None
    response: str | None = None
    row: str | None = Field(default=None, description="The vendor's words.")


class WebhookResult(Wire):
    """What was understood of a vendor's request: the vendor's id of the message, and what happened to it."""

    id: str
    event: EventBody


@post(
    PATH, status_code=200, summary="Take a vendor's callback", tags=TAGS, security=[{}], request_max_body_size=LARGEST
)
async def take(
    request: StrictRequest, runtime: TheRuntime, receiver: TheReceiver, environment: FromPath[str],
    integration: FromPath[str],
) -> Response[bytes]:  # fmt: skip
    """What a vendor tells of messages, signed by it; kept before this answers."""
    return await _take(request, runtime, receiver, environment, integration)


@get(PATH, summary="Confirm a vendor's callback", tags=TAGS, security=[{}], request_max_body_size=LARGEST)
async def confirm(
    request: StrictRequest, runtime: TheRuntime, receiver: TheReceiver, environment: FromPath[str],
    integration: FromPath[str],
) -> Response[bytes]:  # fmt: skip
    """The same for vendors that ask whether the URL is ours, or tell of messages, by GET."""
    return await _take(request, runtime, receiver, environment, integration)


@post(
    TRACK,
    status_code=200,
    summary="Track a provider's events",
    tags=TAGS,
    security=[{}],
    request_max_body_size=LARGEST,
)
async def track(
    request: StrictRequest, runtime: TheRuntime, receiver: TheReceiver, environment_id: FromPath[str],
    integration_id: FromPath[str],
) -> Response[Any]:  # fmt: skip
    """The same under Novu's URL, by the ids of environment and integration; the answer lists what was understood."""
    asked = await _asked(request, runtime)
    environment, integration = identify(environment_id, "environment"), identify(integration_id, "integration")
    told = await receiver.receive_by_id(environment, integration, asked)
    if told.body or told.status != 200:  # the vendor wants to read something of its own
        return _answer(told)
    return Response(envelope([_result(event, asked) for event in told.events]))


async def _take(
    request: StrictRequest, runtime: Runtime, receiver: Receiver, environment: str, integration: str
) -> Response[bytes]:
    return _answer(await receiver.receive(environment, integration, await _asked(request, runtime)))


async def _asked(request: StrictRequest, runtime: Runtime) -> CallbackRequest:
    """The vendor's request, untouched."""
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        message = "A callback must not be compressed."
        raise MalformedBody(message, issues=[Issue("", MEDIA_TYPE, message)])
    return CallbackRequest(
        method=request.method,
        url=public_url(runtime, request),
        headers=Headers([(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.scope["headers"]]),
        body=await request.body(),
        now=runtime.clock.now(),
    )


def _result(event: DeliveryEvent, asked: CallbackRequest) -> WebhookResult:
    return WebhookResult(
        id=event.provider_message_id or event.id,
        event=EventBody(
            status=_STATUS[event.kind],
            date=iso(event.at or asked.now),
            external_id=event.provider_message_id,
            response=event.detail or None,
            row=asked.body.decode("utf-8", "replace"),
        ),
    )


def _answer(told: CallbackAnswer) -> Response[bytes]:
    """What the plugin wants the vendor to read; never a 5xx, which would make it stop."""
    status = told.status if 200 <= told.status < 500 else 200
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(told.body, status_code=status, media_type=told.content_type, headers=headers)


def public_url(runtime: Runtime, request: StrictRequest) -> str:
    """The URL that the vendor called, to the letter: some signatures cover it.

    Behind a proxy only ``public_url`` tells; X-Forwarded headers are anybody's word and are not read here.
    """
    scope = cast("dict[str, Any]", request.scope)
    path = (scope.get("raw_path") or b"").decode("latin-1").partition("?")[0] or quote(scope["path"])
    query = scope["query_string"].decode("latin-1")
    if runtime.settings.public_url:
        base = runtime.settings.public_url
        path = path.removeprefix(quote(scope.get("root_path", "")))
    else:
        base = f"{scope['scheme']}://{request.headers.get('host', '')}"
    return f"{base}{path}{f'?{query}' if query else ''}"


def path_of(environment: Environment, integration: Integration) -> str:
    """Where the vendor of ``integration`` tells what happens to messages."""
    return f"/v1/callbacks/{quote(environment.identifier, safe='')}/{quote(integration.identifier, safe='')}"


HANDLERS: list[Any] = [take, confirm, track]
