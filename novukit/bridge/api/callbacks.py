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

from ...engine import Receiver, Runtime
from ...errors import Issue, MalformedBody
from ...model import Environment, Integration
from ...providers import CallbackAnswer, CallbackRequest, Headers
from ..auth import TheRuntime
from ..body import MEDIA_TYPE, StrictRequest

TAGS = ["Callbacks"]
PATH = "/v1/callbacks/{environment:str}/{integration:str}"
LARGEST = 1_000_000
"""Bytes that a callback may have."""

TheReceiver: TypeAlias = SkipValidation[NamedDependency[Receiver]]
"""``receiver: TheReceiver``: whom the vendors' requests are handed to."""


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


async def _take(
    request: StrictRequest, runtime: Runtime, receiver: Receiver, environment: str, integration: str
) -> Response[bytes]:
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"identity", ""}:
        message = "A callback must not be compressed."
        raise MalformedBody(message, issues=[Issue("", MEDIA_TYPE, message)])
    asked = CallbackRequest(
        method=request.method,
        url=public_url(runtime, request),
        headers=Headers([(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.scope["headers"]]),
        body=await request.body(),
        now=runtime.clock.now(),
    )
    return _answer(await receiver.receive(environment, integration, asked))


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


HANDLERS: list[Any] = [take, confirm]
