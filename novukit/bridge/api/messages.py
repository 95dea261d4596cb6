"""Messages of all channels: what was sent to whom, listed and deleted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import delete, get
from litestar.params import FromPath, FromQuery, QueryParameter
from pydantic import Field

from ...errors import InvalidInput
from ...model import Channel, DeliveryStatus, Message, MessageStatus
from ...model.context import listed
from ...store import messages
from ..auth import Here, TheCaller
from ..contexts import context_filter
from ..cursors import ContextKeys
from ..wire import Data, Limit, Timestamp, Wire, envelope, identify, missing

TAGS = ["Messages"]
LAST_PAGE = 10_000

_STATUS: dict[MessageStatus, Literal["sent", "error", "warning"]] = {
    MessageStatus.SENT: "sent",
    MessageStatus.FAILED: "error",
    # The wire knows three; what is neither sent nor failed must be taken for neither.
    MessageStatus.UNKNOWN: "warning",
    MessageStatus.CALLING: "warning",
    MessageStatus.RETRYING: "warning",
}


class DeliveryOut(Wire):
    """What the vendor told of a message: how far it came, and the first time that each thing happened."""

    status: DeliveryStatus = Field(description="The furthest that it came; it never goes back.")
    delivered_at: Timestamp | None = None
    opened_at: Timestamp | None = None
    clicked_at: Timestamp | None = None
    bounced_at: Timestamp | None = None
    complained_at: Timestamp | None = None
    unsubscribed_at: Timestamp | None = None
    failed_at: Timestamp | None = Field(default=None, description="The vendor had taken it, and gave up.")


class MessageOut(Wire):
    """One content to one subscriber through one channel."""

    id: str = Field(serialization_alias="_id")
    environment_id: str = Field(serialization_alias="_environmentId")
    organization_id: str = Field(serialization_alias="_organizationId")
    notification_id: str = Field(serialization_alias="_notificationId", description="The execution that made it.")
    own_subscriber_id: str = Field(serialization_alias="_subscriberId")
    subscriber_id: str
    transaction_id: str
    template_identifier: str
    step_id: str
    channel: str
    status: Literal["sent", "error", "warning"]
    state: MessageStatus = Field(description="The same as novukit keeps it.")
    delivery: DeliveryOut | None = None
    possible_duplicate: bool
    provider_id: str | None = None
    provider_message_id: str | None = None
    created_at: Timestamp
    delivered_at: list[Timestamp]
    seen: bool
    read: bool
    last_seen_date: Timestamp | None = None
    last_read_date: Timestamp | None = None
    snoozed_until: Timestamp | None = None
    subject: str | None = None
    title: str | None = None
    content: str | None = None
    email: str | None = None
    phone: str | None = None
    direct_webhook_url: str | None = None
    device_tokens: list[str] | None = None
    cta: dict[str, Any]
    overrides: dict[str, Any]
    tags: list[str]
    severity: str
    context_keys: list[str]
    error_text: str | None = None


class MessagePage(Wire):
    """Messages, newest first; ``page`` counts from 0."""

    data: list[MessageOut]
    has_more: bool
    page: int
    page_size: int


class DeletedOut(Wire):
    """It is gone."""

    acknowledged: bool = True
    status: Literal["deleted"] = "deleted"


@get("/v1/messages", summary="List messages", tags=TAGS)
async def list_all(
    *,
    here: Here,
    caller: TheCaller,
    channel: FromQuery[Channel | None] = None,
    subscriber_id: Annotated[str | None, QueryParameter(name="subscriberId")] = None,
    transaction_id: Annotated[list[str] | None, QueryParameter(name="transactionId")] = None,
    context_keys: ContextKeys = None,
    page: Annotated[int, QueryParameter(ge=0, le=LAST_PAGE)] = 0,
    limit: Limit = 10,
) -> MessagePage:
    """Messages of all channels, newest first."""
    found = await messages.page(
        here,
        context_keys=context_filter(context_keys),
        channel=channel,
        subscriber_id=subscriber_id,
        transaction_ids=transaction_id or (),
        page=page,
        limit=limit,
    )
    organization = str(caller.organization_id)
    return MessagePage(
        data=[message_out(one, organization) for one in found.data],
        has_more=found.has_more,
        page=page,
        page_size=limit,
    )


@delete("/v1/messages/{message_id:str}", status_code=200, summary="Delete a message", tags=TAGS)
async def remove(here: Here, message_id: FromPath[str]) -> Data[DeletedOut]:
    """Delete a message, unless it is still being sent."""
    found = identify(message_id, "message")
    if not await messages.delete(here, found):
        if await messages.get(here, found) is None:
            raise missing("message", message_id)
        raise InvalidInput(
            "The message is still being sent: what is on record of it keeps it from going out twice.",
            hint="Cancel its execution, or delete it when it has been sent.",
        )
    return envelope(DeletedOut())


@delete(
    "/v1/messages/transaction/{transaction_id:str}",
    status_code=204,
    summary="Delete messages by transaction",
    tags=TAGS,
)
async def remove_by_transaction(
    here: Here, transaction_id: FromPath[str], channel: FromQuery[Channel | None] = None
) -> None:
    """Delete the messages of a transaction but those still being sent; none of them is no error."""
    await messages.delete_by_transaction(here, transaction_id, channel)


def message_out(message: Message, organization_id: str) -> MessageOut:
    """A message as it goes out."""
    content = message.content
    text = content.get("html") or content.get("text") if message.channel == "email" else content.get("body")
    return MessageOut(
        id=str(message.id),
        environment_id=str(message.environment_id),
        organization_id=organization_id,
        notification_id=str(message.execution_id),
        own_subscriber_id=str(message.subscriber_uuid),
        subscriber_id=message.subscriber_id,
        transaction_id=message.transaction_id,
        template_identifier=message.workflow_id,
        step_id=message.step_id,
        channel=message.channel,
        status=_STATUS[message.status],
        state=message.status,
        delivery=delivery_out(message),
        possible_duplicate=message.possible_duplicate,
        provider_id=message.provider_id or ("novu" if message.channel == "in_app" else None),
        provider_message_id=message.provider_message_id,
        created_at=message.created_at,
        delivered_at=[message.sent_at] if message.sent_at else [],
        seen=message.seen_at is not None,
        read=message.read_at is not None,
        last_seen_date=message.seen_at,
        last_read_date=message.read_at,
        snoozed_until=message.snoozed_until,
        subject=content.get("subject"),
        title=content.get("subject") if message.channel == "push" else None,
        content=text,
        email=content.get("to") if message.channel == "email" else None,
        phone=content.get("to") if message.channel == "sms" else None,
        direct_webhook_url=content.get("webhook_url"),
        device_tokens=content.get("tokens"),
        cta=call_to_action(message),
        overrides=content.get("overrides") or {},
        tags=list(message.tags),
        severity=message.severity,
        context_keys=listed(message.context_keys),
        error_text=message.error,
    )


def delivery_out(message: Message) -> DeliveryOut | None:
    """What its vendor told of a message; None of one that was not sent, and of one that has no vendor."""
    if message.delivery is None or message.channel == "in_app":
        return None
    return DeliveryOut(
        status=message.delivery,
        delivered_at=message.delivered_at,
        opened_at=message.opened_at,
        clicked_at=message.clicked_at,
        bounced_at=message.bounced_at,
        complained_at=message.complained_at,
        unsubscribed_at=message.unsubscribed_at,
        failed_at=message.undelivered_at,
    )


def call_to_action(message: Message) -> dict[str, Any]:
    """Redirect and buttons in the older shape of the wire; ``{}`` where there are none."""
    content = message.content
    cta: dict[str, Any] = {}
    if redirect := content.get("redirect"):
        cta |= {"type": "redirect", "data": {"url": redirect["url"]}}
    buttons = [
        {"type": name, "content": content[f"{name}_action"]["label"]}
        for name in ("primary", "secondary")
        if content.get(f"{name}_action")
    ]
    if buttons:
        done = message.primary_done_at or message.secondary_done_at
        cta["action"] = {"status": "done" if done else "pending", "buttons": buttons}
    return cta


HANDLERS: list[Any] = [list_all, remove, remove_by_transaction]
