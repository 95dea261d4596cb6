"""``Step``: the object a workflow speaks to; each method builds a ``StepCall`` and awaits its runner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypedDict, TypeVar, Unpack, cast, overload

from pydantic import BaseModel

from ..errors import StepMisuse
from ..model import (
    Action,
    Attachment,
    ChannelInput,
    ChatInput,
    CustomInput,
    DelayInput,
    Digest,
    DigestEvent,
    DigestInput,
    EmailInput,
    InAppInput,
    OnUnknown,
    Priority,
    PushInput,
    Redirect,
    Retry,
    Sent,
    Severity,
    SmsInput,
    StepCall,
    StepInput,
    StepKind,
    Throttled,
    ThrottleInput,
)  # fmt: skip
from . import custom, inputs, spans

P = TypeVar("P")
R = TypeVar("R")

Runner = Callable[[StepCall], Awaitable[Any]]
"""What performs a step: the engine's replay, a test, a preview."""

_AS_EVER = CustomInput()
_SECOND, _NO_TIME = timedelta(seconds=1), timedelta()


class ChannelOptions(TypedDict, total=False):
    """What every channel step may be told beside its content.

    ``template`` and ``variables``: render the body from a template file. ``unless_seen``, ``unless_read``: skip if the
    message of that in-app step was seen or read by now. ``integration``: the identifier of the one to use.
    ``overrides``: passed to the provider. ``providers``: the same for one provider each, by its id, where another may
    send the message. ``retry``: how often to try. ``on_unknown``: ``"retry"`` (with the same
    idempotency key), ``"park"``, or ``"next"`` (another integration may send it) when the
    provider's answer is lost. ``key``: tells the rounds of a loop apart.
    """

    template: str | None
    variables: Mapping[str, Any] | None
    unless_seen: str | None
    unless_read: str | None
    integration: str | None
    overrides: Mapping[str, Any] | None
    providers: Mapping[str, Mapping[str, Any]] | None
    retry: Retry | None
    on_unknown: OnUnknown
    key: str


class Step(Generic[P]):
    """The steps of one execution. ``P`` is the type of the workflow's payload.

    Every method takes the step's id first, a literal string that is its own within the workflow. A step is done once:
    when the workflow runs again after a wait or a crash, the recorded result is given back. All of them raise
    :class:`StepMisuse` for arguments that make no sense, and :class:`StepFailed` when the step failed for good.
    """

    __slots__ = ("_parse", "_run")

    def __init__(self, run: Runner, parse: Callable[[dict[str, Any]], P] | None = None) -> None:
        self._run, self._parse = run, parse

    async def email(
        self,
        id: str,
        *,
        subject: str,
        body: str = "",
        layout: str | None = None,
        preheader: str = "",
        to: str | None = None,
        sender: str | None = None,
        sender_name: str | None = None,
        reply_to: str | None = None,
        cc: Sequence[str] = (),
        bcc: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        attachments: Sequence[Attachment] = (),
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] | None = None,
        **options: Unpack[ChannelOptions],
    ) -> Sent:
        """Send an e-mail. ``body`` is plain text; HTML comes from ``template=``, within ``layout``.

        ``to`` and ``sender`` stand in for the subscriber's and the integration's address. ``tags`` are labels for the
        vendor's reports, ``metadata`` what it keeps with the message and gives back in its callbacks.
        """
        values: dict[str, Any] = {
            "subject": subject, "body": body, "layout": layout, "preheader": preheader, "to": to, "sender": sender,
            "sender_name": sender_name, "reply_to": reply_to, "cc": cc, "bcc": bcc, "headers": headers or {},
            "attachments": attachments, "tags": tags, "metadata": metadata or {},
        }  # fmt: skip
        return await self._send(StepKind.EMAIL, id, EmailInput, values, options)

    async def in_app(
        self,
        id: str,
        *,
        body: str = "",
        subject: str | None = None,
        avatar: str | None = None,
        redirect: str | Redirect | None = None,
        primary_action: Action | None = None,
        secondary_action: Action | None = None,
        severity: Severity | None = None,
        data: Mapping[str, Any] | None = None,
        **options: Unpack[ChannelOptions],
    ) -> Sent:
        """Put a message into the subscriber's inbox.

        ``redirect`` is where a click leads: a path opens in place, an http(s) URL in a new tab; a :class:`Redirect`
        says it exactly. ``data`` travels with the message to your own interface.
        """
        if isinstance(redirect, str):
            target: Literal["_self", "_blank"] = "_self" if redirect.startswith("/") else "_blank"
            leads: Any = {"url": redirect, "target": target}
        else:
            leads = redirect
        values: dict[str, Any] = {
            "body": body, "subject": subject, "avatar": avatar, "redirect": leads, "primary_action": primary_action,
            "secondary_action": secondary_action, "severity": severity, "data": inputs.data(id, "data", data),
        }  # fmt: skip
        return await self._send(StepKind.IN_APP, id, InAppInput, values, options)

    async def sms(
        self,
        id: str,
        *,
        body: str = "",
        to: str | None = None,
        sender: str | None = None,
        **options: Unpack[ChannelOptions],
    ) -> Sent:
        """Send an SMS. ``to`` and ``sender`` stand in for the subscriber's and the integration's number."""
        return await self._send(StepKind.SMS, id, SmsInput, {"body": body, "to": to, "sender": sender}, options)

    async def push(
        self,
        id: str,
        *,
        subject: str,
        body: str = "",
        data: Mapping[str, Any] | None = None,
        image: str | None = None,
        badge: int | None = None,
        sound: str | None = None,
        url: str | None = None,
        collapse_key: str | None = None,
        ttl: timedelta | None = None,
        priority: Priority | None = None,
        **options: Unpack[ChannelOptions],
    ) -> Sent:
        """Send a push message to the subscriber's devices. ``data`` travels with it to your app.

        ``image``: URL of a picture. ``badge``: number on the app's icon, 0 takes it away. ``sound``: its name in the
        app. ``url``: where a tap leads. ``collapse_key``: a later message with the same key takes the place of this
        one. ``ttl``: how long to keep trying a device that is off. ``priority``: ``"high"`` wakes the device.
        """
        values: dict[str, Any] = {
            "subject": subject, "body": body, "data": inputs.data(id, "data", data), "image": image, "badge": badge,
            "sound": sound, "url": url, "collapse_key": collapse_key, "ttl": ttl, "priority": priority,
        }  # fmt: skip
        return await self._send(StepKind.PUSH, id, PushInput, values, options)

    async def chat(
        self, id: str, *, body: str = "", thread: str | None = None, **options: Unpack[ChannelOptions]
    ) -> Sent:
        """Send a chat message to where the subscriber is reached; ``thread`` is the vendor's id of one to join."""
        return await self._send(StepKind.CHAT, id, ChatInput, {"body": body, "thread": thread}, options)

    @overload
    async def digest(
        self, id: str, *, window: timedelta, key: str = "", look_back: timedelta | None = None,
        extend_to_schedule: bool = False,
    ) -> Digest[P]: ...  # fmt: skip
    @overload
    async def digest(
        self, id: str, *, cron: str, key: str = "", look_back: timedelta | None = None,
        extend_to_schedule: bool = False,
    ) -> Digest[P]: ...  # fmt: skip
    async def digest(
        self,
        id: str,
        *,
        window: timedelta | None = None,
        cron: str | None = None,
        key: str = "",
        look_back: timedelta | None = None,
        extend_to_schedule: bool = False,
    ) -> Digest[P]:
        """Gather triggers of this workflow for this subscriber, then go on once with all of them.

        It closes after ``window`` (1 second to 365 days), or at the next slot of ``cron`` (five fields, in the
        subscriber's time zone). ``key`` divides what is gathered: each key has a digest of its own. With ``look_back``
        a trigger is only gathered if there was another one within that time before it; else it goes on at once.
        With ``extend_to_schedule`` it stays open until the subscriber's schedule opens.
        """
        if (window is None) == (cron is None):
            raise StepMisuse(
                f"Step {id!r}: a digest closes after window= or at cron=; "
                f"{'neither' if window is None else 'both'} {'is' if window is None else 'are'} given.",
                hint="Give one of them, as in window=timedelta(hours=1).",
            )
        asked = DigestInput(
            window=None if window is None else spans.span(id, "window", window, least=_SECOND),
            cron=None if cron is None else spans.cron(id, cron),
            by=inputs.key(id, "key", key),
            look_back=None if look_back is None else spans.span(id, "look_back", look_back, least=_SECOND),
            extend_to_schedule=extend_to_schedule,
        )
        gathered: Digest[Any] = await self._run(StepCall(id, StepKind.DIGEST, asked))
        return self._typed(gathered)

    @overload
    async def delay(self, id: str, duration: timedelta, *, extend_to_schedule: bool = False, key: str = "") -> None: ...
    @overload
    async def delay(
        self, id: str, *, until: datetime, if_past: Literal["now", "skip", "fail"] = "now",
        extend_to_schedule: bool = False, key: str = "",
    ) -> None: ...  # fmt: skip
    async def delay(
        self,
        id: str,
        duration: timedelta | None = None,
        *,
        until: datetime | None = None,
        if_past: Literal["now", "skip", "fail"] = "now",
        extend_to_schedule: bool = False,
        key: str = "",
    ) -> None:
        """Wait for ``duration`` (0 to 365 days), or ``until`` a moment (a datetime with its zone).

        ``if_past`` says what happens when that moment is gone: go on ``"now"``, ``"skip"`` the rest of the workflow,
        or ``"fail"`` the step. With ``extend_to_schedule`` it waits on until the subscriber's schedule opens. Nothing
        is kept in memory meanwhile.
        """
        if (duration is None) == (until is None):
            raise StepMisuse(
                f"Step {id!r}: a delay waits for a duration or until= a moment; "
                f"{'neither is' if until is None else 'both are'} given.",
                hint="Write step.delay(id, timedelta(days=1)) or step.delay(id, until=…).",
            )
        values = {
            "duration": None if duration is None else spans.span(id, "duration", duration, least=_NO_TIME),
            "until": None if until is None else spans.moment(id, "until", until),
            "if_past": if_past,
            "extend_to_schedule": extend_to_schedule,
        }
        await self._call(StepKind.DELAY, id, inputs.build(id, DelayInput, values), key)

    async def throttle(
        self,
        id: str,
        *,
        limit: int,
        window: timedelta,
        key: str = "",
        on_limit: Literal["stop", "continue"] = "stop",
    ) -> Throttled:
        """Let at most ``limit`` executions per subscriber (and ``key``) pass within any ``window``.

        One too many ends here; with ``on_limit="continue"`` it goes on and can look at the result.
        """
        span = spans.span(id, "window", window, least=_SECOND)
        most = spans.count(id, "limit", limit)
        values = {"limit": most, "window": span, "by": inputs.key(id, "key", key), "on_limit": on_limit}
        throttled: Throttled = await self._run(StepCall(id, StepKind.THROTTLE, inputs.build(id, ThrottleInput, values)))
        return throttled

    async def custom(
        self,
        id: str,
        function: Callable[..., Awaitable[R]],
        *args: Any,
        key: str = "",
        retry: Retry | None = None,
        **kwargs: Any,
    ) -> R:
        """Run ``await function(*args, **kwargs)`` once and keep its result, in the type that it says it returns.

        The result must be what pydantic can write as JSON. The function runs again only if it raises (see ``retry``)
        or if the process dies before the result is on record: make it idempotent where that matters.
        """
        asked = _AS_EVER if retry is None else inputs.build(id, CustomInput, {"retry": retry})
        run, returns = custom.bind(id, function, args, kwargs)
        result: R = await self._run(
            StepCall(id, StepKind.CUSTOM, asked, inputs.key(id, "key", key), function=run, returns=returns)
        )
        return result

    async def _send(
        self, kind: StepKind, id: str, model: type[ChannelInput], values: dict[str, Any], options: ChannelOptions
    ) -> Sent:
        given = cast("dict[str, Any]", options)
        key: object = given.pop("key", "")
        for name in ("variables", "overrides", "providers"):
            if name in given:
                given[name] = inputs.data(id, name, given[name])
        asked = cast("StepInput", inputs.build(id, model, values | given))
        sent: Sent = await self._call(kind, id, asked, key)
        return sent

    async def _call(self, kind: StepKind, id: str, asked: StepInput, key: object) -> Any:
        return await self._run(StepCall(id, kind, asked, inputs.key(id, "key", key)))

    def _typed(self, gathered: Digest[Any]) -> Digest[P]:
        """The payloads as the author's own type: the record holds JSON."""
        parse = self._parse
        if parse is None:
            return gathered
        return Digest(
            tuple(
                event
                if event.payload is None or isinstance(event.payload, BaseModel)
                else DigestEvent[Any].model_construct(id=event.id, time=event.time, payload=parse(event.payload))
                for event in gathered.events
            )
        )
