"""``Idempotency-Key``: a request that comes again within a day is given its first answer, and starts nothing.

What the request does and the record of its answer are one transaction, so a crash leaves both or neither, and a key is
free again at once. Triggers keep theirs in the commit that they share. Only what calls a provider cannot hold a
transaction meanwhile: it takes the key first, and if the process dies then, the key is free after five minutes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from litestar import Response
from litestar.types import ASGIApp, Message, Receive, Send

from ..engine import Keyed, Repeated, Runtime, judge
from ..errors import IdempotencyKeyInUse, InvalidInput, Issue, MalformedBody
from ..model import Triggered
from ..store import Scope, idempotency
from ..store.idempotency import Kept
from .auth import Doorman
from .body import StrictRequest
from .wire import Wire

LONGEST_KEY = 255
"""Characters that a key may have."""

KEEPING = "keeping"
"""The option of a handler that says how its answer is kept, where it is not in a transaction around all of it."""
Keeping = Literal["itself", "apart", "never"]
"""``itself``: the handler does it, by :func:`answered`. ``apart``: in commits of their own before and after it, for it
calls others and takes long. ``never``: it changes nothing, whatever it answers."""

_HEADER = b"idempotency-key"
_UNDER = "novukit_under_key"
_JSON = "application/json"
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Under:
    """The key of a request, and what makes another request the same."""

    key: str
    fingerprint: str


class _UndoneError(Exception):
    """The answer is an error: nothing of the request is kept."""


def middleware(runtime: Runtime, doorman: Doorman) -> Callable[[ASGIApp], ASGIApp]:
    """A middleware of Litestar for routes that an API key opens."""
    running = set[tuple[UUID, str]]()  # of this process; another one is met at the database

    def wrap(app: ASGIApp) -> ASGIApp:
        async def once(scope: Any, receive: Receive, send: Send) -> None:
            key = _key_of(scope)
            if key is None:
                await app(scope, receive, send)
                return
            request = StrictRequest(scope, receive, send)
            scope["auth"] = caller = await doorman.admit(request)
            _check(key)
            here, under = runtime.database.scope(caller.environment.id), Under(key, await _fingerprint(request))
            place = (here.environment_id, key)
            if place in running:
                raise IdempotencyKeyInUse(hint="Ask again in a moment.")
            running.add(place)
            try:
                await _do(app, scope, _again(await request.body(), receive), _marking(send, key), here, under)
            finally:
                running.discard(place)

        return once

    return wrap


async def answered(
    request: StrictRequest, ask: Callable[[Keyed | None], Awaitable[Triggered]], told: Callable[[Triggered], Wire]
) -> Response[Any]:
    """What a handler answers that keeps its answer itself: ``ask`` has it kept, ``told`` says how it looks."""
    scope: Any = request.scope
    under: Under | None = scope.get(_UNDER)

    def kept(done: Triggered) -> Kept:
        return Kept(under.fingerprint if under else "", 201, told(done).model_dump_json(by_alias=True))

    try:
        found = kept(await ask(Keyed(under.key, kept) if under else None))
    except Repeated as again:
        return Response(again.kept.body, status_code=again.kept.status, media_type=_JSON, headers=_REPLAY)
    return Response(found.body, status_code=found.status, media_type=_JSON)


_REPLAY = {"Idempotency-Replay": "true"}


def _key_of(scope: Any) -> str | None:
    """The key of a request that changes something."""
    if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return None
    if scope["route_handler"].opt.get(KEEPING) == "never":
        return None
    return next((value.decode("latin-1").strip() for name, value in scope["headers"] if name == _HEADER), None)


def _check(key: str) -> None:
    if 0 < len(key) <= LONGEST_KEY:
        return
    message = f"The Idempotency-Key must have 1 to {LONGEST_KEY} characters, not {len(key)}."
    raise InvalidInput(message, issues=[Issue("/Idempotency-Key", "too_long" if key else "empty", message)])


async def _fingerprint(request: StrictRequest) -> str:
    """What makes two requests the same: method, URL, and the body however it is spelled."""
    body = await request.body()
    kind, options = request.content_type
    if kind == "multipart/form-data":  # whoever sends it again draws another boundary
        body = body.replace(options.get("boundary", "").encode() or b"\0", b"")
    elif body:
        with suppress(MalformedBody, InvalidInput):  # no JSON: if it should be, the handler says so
            body = _canonical(await request.json()).encode()
    where = f"{request.method} {request.scope['path']}?".encode() + request.scope["query_string"]
    return hashlib.blake2b(where + b"\n" + body, digest_size=16).hexdigest()


async def _do(app: ASGIApp, scope: Any, receive: Receive, send: Send, here: Scope, under: Under) -> None:
    keeping = scope["route_handler"].opt.get(KEEPING)
    if keeping == "itself":
        scope[_UNDER] = under
        await app(scope, receive, send)
        return
    held = _Held()
    do = _apart if keeping == "apart" else _together
    if (earlier := await do(here, under, held, lambda: app(scope, receive, held.send))) is None:
        await held.let_go(send)
        return
    refusal = judge(earlier, under.fingerprint)
    if not isinstance(refusal, Repeated):
        raise refusal
    body = earlier.body.encode()
    head = [(name.lower().encode(), value.encode()) for name, value in _REPLAY.items()]
    if body:
        head += [(b"content-type", _JSON.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": earlier.status or 500, "headers": head})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _together(here: Scope, under: Under, held: _Held, run: Callable[[], Awaitable[None]]) -> Kept | None:
    """Run the request and keep its answer in one transaction; or say what is on record of an earlier one."""
    try:
        async with here.database.transaction():
            if earlier := await idempotency.claim(here, under.key, Kept(under.fingerprint, None, "")):
                return earlier
            await run()
            if held.failed:
                raise _UndoneError
            await idempotency.settle(here, under.key, held.kept(under))
    except _UndoneError:
        pass
    return None


async def _apart(here: Scope, under: Under, held: _Held, run: Callable[[], Awaitable[None]]) -> Kept | None:
    """The same in three commits: the key, the request, its answer."""
    if earlier := await idempotency.claim(here, under.key, Kept(under.fingerprint, None, "")):
        return earlier
    await run()
    if held.failed:
        await idempotency.give_back(here, under.key)
    else:
        await idempotency.settle(here, under.key, held.kept(under))
    return None


class _Held:
    """A response that is held back until it is on record."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self._messages.append(message)

    @property
    def status(self) -> int:
        start = self._messages[0]
        return start["status"] if start["type"] == "http.response.start" else 500

    @property
    def failed(self) -> bool:
        return self.status >= 300

    def kept(self, under: Under) -> Kept:
        body = b"".join(each["body"] for each in self._messages if each["type"] == "http.response.body")
        return Kept(under.fingerprint, self.status, body.decode())

    async def let_go(self, send: Send) -> None:
        for message in self._messages:
            await send(message)


def _again(body: bytes, receive: Receive) -> Receive:
    """``receive`` for whoever reads a body that was read: the handler of a form does."""
    given = False

    async def receiving() -> Any:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def _marking(send: Send, key: str) -> Send:
    """``send`` with the key in the head of the response."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (_HEADER, key.encode("latin-1"))]
        await send(message)

    return marked
