"""Compose: from what a step was told to the content that goes out: the address, the words, the trigger's overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..errors import NovukitError
from ..model import (
    AnyContent,
    ChatContent,
    ChatInput,
    ChatToEndpoints,
    EmailContent,
    EmailInput,
    InAppContent,
    InAppInput,
    PushContent,
    PushInput,
    Reason,
    Resource,
    SmsContent,
    SmsInput,
    StepCall,
    StoredSubscriber,
)  # fmt: skip
from ..rendering import Wrap, as_json
from . import reach
from .frame import Frame
from .route import Route


class Uncomposable(Exception):
    """The message cannot be made; ``skip`` when that is nobody's mistake."""

    def __init__(self, reason: Reason, detail: str = "", *, skip: bool = False) -> None:
        self.reason, self.detail, self.skip = reason, detail, skip


def in_app(frame: Frame, call: StepCall, asked: InAppInput) -> InAppContent:
    """The content of an in-app message."""
    workflow = frame.workflow
    return _build(
        InAppContent, subject=asked.subject, body=_text(frame, asked), avatar=asked.avatar, redirect=asked.redirect,
        primary_action=asked.primary_action, secondary_action=asked.secondary_action,
        severity=asked.severity or frame.execution.overrides.get("severity") or workflow.severity,
         tags=tuple(workflow.tags), data=asked.data,
    )  # fmt: skip


def for_provider(frame: Frame, call: StepCall, route: Route) -> AnyContent:
    """The content of a message that ``route`` will carry. Raises :class:`Uncomposable`."""
    subscriber = frame.execution.subscriber
    assert subscriber is not None
    over = overrides_for(frame.execution.overrides, call, route)
    match call.inputs:
        case EmailInput() as asked:
            return _email(frame, call, asked, route, over)
        case SmsInput() as asked:
            to = _address(over.get("to") or asked.to or reach.number(frame, route) or subscriber.phone, "phone number")
            body = over.get("content") or _text(frame, asked)
            return _build(SmsContent, to=to, body=body, sender=over.get("from") or asked.sender, overrides=_rest(over))
        case PushInput() as asked:
            tokens = over.get("deviceTokens") or _tokens(subscriber, route)
            return _build(
                PushContent, tokens=tuple(_address(tokens, "device token")), subject=_line(asked.subject, "subject"),
                body=_text(frame, asked), data=asked.data, image=asked.image, badge=asked.badge, sound=asked.sound,
                url=asked.url, collapse_key=asked.collapse_key, priority=asked.priority,
                ttl=int(asked.ttl.total_seconds()) if asked.ttl is not None else None, overrides=_rest(over),
            )  # fmt: skip
        case ChatInput() as asked:
            if targets := reach.targets(frame, route):
                return _build(
                    ChatToEndpoints, targets=targets, body=_text(frame, asked), thread=asked.thread,
                    overrides=_rest(over),
                )  # fmt: skip
            hook, channel = _webhook(subscriber, route)
            return _build(
                ChatContent, webhook_url=hook, channel=channel, body=_text(frame, asked), thread=asked.thread,
                overrides=_rest(over),
            )  # fmt: skip
        case _:
            raise AssertionError(call.kind)


def _email(frame: Frame, call: StepCall, asked: EmailInput, route: Route, over: Mapping[str, Any]) -> EmailContent:
    subscriber = frame.execution.subscriber
    assert subscriber is not None
    to = _address(asked.to or subscriber.email, "e-mail address")
    sender = over.get("from") or asked.sender or route.provider.sender
    if not sender:
        raise Uncomposable(
            Reason.NO_SENDER,
            f"Nobody is named as the sender: give the integration {route.integration.identifier!r} the credential "
            "`from`, or the step sender=…",
        )
    subject = _line(over.get("subject") or asked.subject, "subject")
    text, html = over.get("text") or asked.body, over.get("html") or ""
    if asked.template and not html:
        renderer = frame.rt.renderer
        try:
            html = renderer.html(
                asked.template, asked.variables, layout=_layout(frame, call, asked), subject=subject,
                preheader=asked.preheader, live=_live(frame, ("workflow", frame.workflow.id), asked.variables),
            )  # fmt: skip
            text = text or renderer.text_from_html(html)
        except NovukitError as err:
            raise Uncomposable(Reason.TEMPLATE_FAILED, str(err)) from None
    added = over.get("to", ())
    return _build(
        EmailContent, to=to, sender=sender, subject=subject, text=text, html=html,
        sender_name=over.get("senderName") or asked.sender_name or route.provider.sender_name,
        reply_to=over.get("replyTo") or asked.reply_to,
        cc=(*asked.cc, *([added] if isinstance(added, str) else added), *over.get("cc", ())),
        bcc=(*asked.bcc, *over.get("bcc", ())), headers=asked.headers | over.get("headers", {}),
        attachments=asked.attachments, tags=asked.tags, metadata=asked.metadata, overrides=_rest(over),
    )  # fmt: skip


def _layout(frame: Frame, call: StepCall, asked: EmailInput) -> str | Wrap | None:
    """The layout of an e-mail: the trigger's for the step, for the channel, for all, or else the step's own.

    A layout of the environment wins over a file of that name. Where none is named, the environment's default one goes
    around what is a fragment.
    """
    overrides, name, catalogue = frame.execution.overrides, asked.layout, frame.catalogue
    if overrides:
        name = (
            _within(overrides, "steps", call.id).get("layoutId")
            or _within(overrides, "channels", "email").get("layoutId")
            or overrides.get("layoutIdentifier")
            or asked.layout
        )
    layout = catalogue.layouts.get(name) if name else catalogue.default_layout
    if layout is None:
        return name
    if not name and not (asked.template and frame.rt.renderer.is_fragment(asked.template)):
        return None
    return Wrap(layout.layout_id, layout.body, _live(frame, ("layout", layout.layout_id), {}))


_KNOWN = {
    "from", "senderName", "subject", "text", "html", "replyTo", "cc", "bcc", "headers", "to", "content", "deviceTokens",
    "integrationIdentifier", "layoutId",
}  # fmt: skip


def overrides_for(overrides: Mapping[str, Any], call: StepCall, route: Route | None) -> dict[str, Any]:
    """A trigger's overrides for one step, weakest first: channel, provider, step's provider; then the step's own."""
    found = _within(overrides, call.kind.value) if overrides else {}
    meant: dict[str, dict[str, Any]] = getattr(call.inputs, "providers", {})
    if overrides and route is not None:
        for name in (route.integration.provider_id, route.provider.novu_id):
            found |= _within(overrides, "providers", name)
            found |= _within(overrides, "steps", call.id, "providers", name)
    own: dict[str, Any] = getattr(call.inputs, "overrides", {})
    if meant and route is not None:
        own = meant.get(route.provider.novu_id, {}) | meant.get(route.integration.provider_id, {}) | own
    return found | own


def _within(tree: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The mapping at ``path``; an empty one where the path ends early."""
    here: Any = tree
    for name in path:
        here = here.get(name) if isinstance(here, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return dict(here) if isinstance(here, Mapping) else {}  # pyright: ignore[reportUnknownArgumentType]


def _rest(over: Mapping[str, Any]) -> dict[str, Any]:
    """What is meant for the provider itself."""
    return {k: v for k, v in over.items() if k not in _KNOWN}


def _text(frame: Frame, asked: InAppInput | SmsInput | PushInput | ChatInput) -> str:
    if not asked.template:
        return asked.body
    try:
        live = _live(frame, ("workflow", frame.workflow.id), asked.variables)
        return frame.rt.renderer.text(asked.template, asked.variables, live=live)
    except NovukitError as err:
        raise Uncomposable(Reason.TEMPLATE_FAILED, str(err)) from None


_SHOWN = tuple(name for name in StoredSubscriber.model_fields if name not in ("id", "addresses", "endpoints"))
"""What templates are shown of a subscriber."""


def _known(frame: Frame) -> Mapping[str, Any]:
    """What every template of this run may name, as the JSON data that it sees: made for the first of them."""
    if frame.variables is None:
        execution = frame.execution
        assert execution.subscriber is not None
        frame.variables = as_json(
            variables_of(
                execution.payload, execution.subscriber, execution.actor, execution.tenant, execution.context
            )
        )  # fmt: skip
    return frame.variables


def variables_of(
    payload: Mapping[str, Any], subscriber: StoredSubscriber, actor: Mapping[str, Any] | None,
    tenant: Mapping[str, Any] | None, context: Mapping[str, Any] | None,
) -> dict[str, Any]:  # fmt: skip
    """What every template may name beside the step's own variables."""
    shown = {name: getattr(subscriber, name) for name in _SHOWN}
    return {"payload": payload, "subscriber": shown, "actor": actor, "tenant": tenant, "context": context}


def _live(frame: Frame, resource: Resource, own: Mapping[str, Any]) -> dict[str, Any]:
    """What a template may name beside its ``own`` variables: what all of this run may, ``t``, texts in the subscriber's
    language, and ``env``, the environment's variables.
    """
    subscriber, catalogue, known = frame.execution.subscriber, frame.catalogue, _known(frame)
    locale = subscriber.locale if subscriber is not None else None
    words = catalogue.words(resource, locale, {**known, **own} if own else known)
    return {"t": words, "env": catalogue.shown, **known}


def _address(address: Any, what: str) -> Any:
    if not address:
        raise Uncomposable(Reason.NO_ADDRESS, f"The subscriber has no {what}.", skip=True)
    return address


def _tokens(subscriber: StoredSubscriber, route: Route) -> tuple[str, ...]:
    return tuple(t for a in subscriber.addresses if _reaches(a.provider_id, route) for t in a.device_tokens)


def _webhook(subscriber: StoredSubscriber, route: Route) -> tuple[str | None, str | None]:
    for address in subscriber.addresses:
        if _reaches(address.provider_id, route) and (address.webhook_url or address.channel):
            return address.webhook_url, address.channel
    raise Uncomposable(Reason.NO_ADDRESS, "The subscriber has no chat webhook.", skip=True)


def _reaches(provider_id: str, route: Route) -> bool:
    """Whether an address belongs to this route's provider. One that only pretends to send takes any address."""
    provider = route.provider
    return provider.any_address or provider_id in (route.integration.provider_id, provider.novu_id)


def _line(text: str, what: str) -> str:
    if not text.strip():
        raise Uncomposable(Reason.CONTENT_INVALID, f"The {what} is empty.")
    if "\n" in text or "\r" in text:
        raise Uncomposable(Reason.CONTENT_INVALID, f"The {what} has a line break.")
    return text


def _build(kind: type[Any], **fields: Any) -> Any:
    try:
        return kind(**fields)
    except ValidationError as err:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in err.errors(include_input=False)[:3])
        raise Uncomposable(Reason.CONTENT_INVALID, said) from None
