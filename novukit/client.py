"""``Client``: a novukit server from Python, over HTTP; its refusals come back as the errors that they were there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Self, cast
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

import httpx

from .errors import (
    Conflict,
    InvalidInput,
    Issue,
    NotFound,
    NovukitError,
    SettingsInvalid,
    StepFailed,
    TooLarge,
    Unauthorized,
    Unreachable,
)
from .model.event import Everyone, Recipient, TopicRecipient, Trigger, Triggered, TriggerStatus
from .model.subscriber import Subscriber

RETRY_STATUSES = frozenset({429, 502, 503, 504})
FIRST_WAIT = 0.25
"""Seconds before the second attempt; each further one waits four times as long, unless the server says how long."""
LONGEST_WAIT = 60.0
"""Seconds that one wait takes at most, whatever the server says."""

IN_PROCESS = "http://in-process"
"""What stands for a URL where there is none."""

_BY_STATUS: dict[int, type[NovukitError]] = {
    400: InvalidInput,
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: InvalidInput,
}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Client:
    """A novukit server, seen with one environment's secret key.

    ``url`` is the server's root (``http://127.0.0.1:8000``). ``timeout`` is in seconds. A call that can be repeated
    without harm is tried ``retries`` more times when the server does not answer, or answers with one of
    ``retry_statuses``; in between it waits as long as Retry-After says.
    """

    def __init__(
        self,
        url: str,
        secret_key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 30.0,
        retries: int = 2,
        retry_statuses: frozenset[int] = RETRY_STATUSES,
    ) -> None:
        if not url.lower().startswith(("http://", "https://")) or not urlsplit(url).hostname:
            raise SettingsInvalid(f"{url[:64]!r} is not the URL of a server.", hint="Write http://127.0.0.1:8000.")
        if not secret_key.isascii() or not secret_key.isprintable():
            raise Unauthorized("The secret key has characters that a key never has.", hint="Was it pasted whole?")
        self.url, self.retries, self.retry_statuses = url.rstrip("/"), retries, retry_statuses
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"ApiKey {secret_key}", "Accept": "application/json"},
            transport=transport,
            timeout=timeout,
            trust_env=urlsplit(url).hostname not in _LOOPBACK,
        )

    @classmethod
    def of_app(cls, asgi: Any, secret_key: str) -> Self:
        """A client of an ASGI app in this process; nothing goes over a network."""
        return cls(IN_PROCESS, secret_key, transport=httpx.ASGITransport(asgi), retries=0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def trigger(self, trigger: Trigger) -> Triggered:
        """Ask for a workflow to run.

        A trigger without a transaction id gets one here, so that a repeated attempt cannot begin twice.
        Raises the :class:`NovukitError` that the server answered with, or :class:`Unreachable`.
        """
        trigger = trigger.model_copy(update={"transaction_id": trigger.transaction_id or str(uuid4())})
        path, body = to_wire(trigger)
        return _triggered(await self.request("POST", path, json=body, repeatable=True))

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        repeatable: bool | None = None,
    ) -> Any:
        """The data that the server answers with: what stands in ``data`` where that is all, else the whole body.

        ``params`` that are None are left out, lists repeat their name. ``repeatable`` says whether a second attempt
        does no harm; unless said it is so for every method but POST. ``path`` parts must be quoted (:func:`segment`).
        """
        again = self.retries if (method != "POST" if repeatable is None else repeatable) else 0
        for attempt in range(again + 1):
            wait = FIRST_WAIT * 4**attempt
            try:
                response = await self._once(method, path, json, params)
            except Unreachable:
                if attempt == again:
                    raise
            else:
                if response.status_code not in self.retry_statuses or attempt == again:
                    return self._read(response)
                wait = _told_to_wait(response, wait)
            await asyncio.sleep(min(wait, LONGEST_WAIT))
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, method: str, path: str, json: Any, params: Mapping[str, Any] | None) -> httpx.Response:
        query = {name: _text(value) for name, value in (params or {}).items() if value is not None}
        try:
            return await self._http.request(method, path, json=json, params=query or None)
        except httpx.TimeoutException:
            raise Unreachable(f"{self.url} did not answer in time.", hint="Is the server overloaded?") from None
        except httpx.TransportError as err:
            raise self._unreachable(err) from None

    def _unreachable(self, err: httpx.TransportError) -> Unreachable:
        for cause in _causes(err):
            if isinstance(cause, ssl.SSLError):
                reason = str(getattr(cause, "verify_message", "") or cause.reason or "the handshake failed").lower()
                return Unreachable(
                    f"{self.url} cannot be reached safely (TLS): {reason.replace('_', ' ')}.",
                    hint="Check the certificate, or whether the server speaks http:// and not https://.",
                )
        if isinstance(err, httpx.ConnectError):
            return Unreachable(
                f"No novukit server answers at {self.url}.", hint="Start one with `novukit dev`, or give another --url."
            )
        return Unreachable(
            f"The connection to {self.url} broke ({type(err).__name__}).", hint="Is this a novukit server?"
        )

    def _read(self, response: httpx.Response) -> Any:
        if response.status_code == 204:
            return None
        if response.is_redirect:
            raise Unreachable(
                f"{self.url} sends us on to {response.headers.get('location', '')[:200]}.", hint="Give that as --url."
            )
        try:
            body: Any = response.json() if "json" in response.headers.get("content-type", "") else None
        except ValueError:
            body = None
        if response.is_success:
            if body is None:
                raise self._stranger(response)
            return unwrap(body)
        if not isinstance(body, dict) or "message" not in body:
            if response.status_code in (401, 403):
                raise Unauthorized(f"{self.url} refuses the secret key (HTTP {response.status_code}).")
            if response.status_code == 409 and isinstance(body, dict):
                # Novu answers this with what exists, not with an error.
                raise Conflict("It exists already.")
            raise self._stranger(response)
        raise from_wire(response.status_code, cast("dict[str, Any]", body))

    def _stranger(self, response: httpx.Response) -> Unreachable:
        kind = response.headers.get("content-type", "nothing").partition(";")[0]
        return Unreachable(
            f"{self.url} answered with HTTP {response.status_code} and {kind}, not as a novukit server does.",
            hint="Is this the URL of a novukit server, without a path?",
        )


def _told_to_wait(response: httpx.Response, seconds: float) -> float:
    """How long the server wants to be left alone, in seconds; ``seconds`` where it says nothing (RFC 9110 §10.2.3)."""
    said = response.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else seconds


def segment(text: str) -> str:
    """``text`` as one part of a path."""
    return quote(text, safe="@:")


def unwrap(body: Any) -> Any:
    """What the envelope ``{"data": …}`` holds; a page of a list stays whole."""
    if isinstance(body, dict):
        fields = cast("dict[str, Any]", body)
        if fields.keys() == {"data"} or ("data" in fields and "acknowledged" in fields):
            return fields["data"]
    return cast("Any", body)


def to_wire(trigger: Trigger) -> tuple[str, dict[str, Any]]:
    """Path and body of the call that a trigger is."""
    body: dict[str, Any] = {"name": trigger.workflow, "payload": trigger.payload}
    if trigger.overrides:
        body["overrides"] = trigger.overrides
    if trigger.actor:
        body["actor"] = _subscriber(trigger.actor)
    if trigger.tenant:
        body["tenant"] = trigger.tenant
    if trigger.context:
        body["context"] = {
            kind: one.model_dump(exclude_none=True) if one.data else one.id for kind, one in trigger.context.items()
        }
    if trigger.transaction_id:
        body["transactionId"] = trigger.transaction_id
    if any(isinstance(to, Everyone) for to in trigger.to):
        if len(trigger.to) > 1:
            raise InvalidInput("`everyone` stands alone: it already is every subscriber.", hint="Drop the others.")
        return "/v1/events/trigger/broadcast", body
    return "/v1/events/trigger", {**body, "to": [_recipient(to) for to in trigger.to]}


def from_wire(status: int, body: Mapping[str, Any]) -> NovukitError:
    """The error that the server's answer tells of, as the class that its ``code`` names."""
    code = str(body.get("code") or "")
    message = body["message"]
    if isinstance(message, list):
        message = " ".join(map(str, cast("list[Any]", message)))
    hint = body.get("hint")
    if status >= 500 and (request_id := body.get("requestId")):
        hint = hint or f"The server's log tells more under request id {request_id}."
    kind = _by_code().get(code) or _BY_STATUS.get(status) or (Unreachable if status in RETRY_STATUSES else NovukitError)
    return kind(str(message), hint=str(hint) if hint else None, issues=list(_issues(body)))


def _by_code() -> dict[str, type[NovukitError]]:
    found: dict[str, type[NovukitError]] = {}
    waiting: list[type[NovukitError]] = [NovukitError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__ == NovukitError.__module__ and kind is not StepFailed:
            found.setdefault(kind.code, kind)
    return found


def _issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    details = body.get("details")
    for detail in cast("list[Any]", details) if isinstance(details, list) else []:
        if isinstance(detail, dict):
            one = cast("dict[str, Any]", detail)
            hint = one.get("hint")
            yield Issue(
                str(one.get("path") or ""),
                str(one.get("code") or ""),
                str(one.get("message") or ""),
                hint and str(hint),
            )


def _triggered(data: Mapping[str, Any]) -> Triggered:
    try:
        status = TriggerStatus(str(data.get("status")))
    except ValueError:
        status = TriggerStatus.ERROR
    event_id = data.get("eventId")
    return Triggered(
        status=status,
        transaction_id=data.get("transactionId"),
        event_id=UUID(event_id) if event_id else None,
        executions=int(data.get("executions") or 0),
        duplicate=bool(data.get("duplicate")),
    )


def _recipient(to: Recipient) -> dict[str, Any]:
    match to:
        case TopicRecipient():
            wire: dict[str, Any] = {"type": "Topic", "topicKey": to.topic_key}
            return {**wire, "exclude": list(to.exclude)} if to.exclude else wire
        case Subscriber():
            return _subscriber(to)
        case Everyone():
            raise AssertionError("everyone is a broadcast")


def _subscriber(subscriber: Subscriber) -> dict[str, Any]:
    fields = subscriber.model_dump(mode="json", exclude_none=True)
    return {_camel(name): value for name, value in fields.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _causes(err: BaseException | None) -> Iterator[BaseException]:
    while err is not None:
        yield err
        err = err.__cause__ or err.__context__
