"""What became of an e-mail, as SES publishes it: one record, an event for each recipient that it is about.

Source: docs.aws.amazon.com «Contents of event data that Amazon SES publishes to Amazon SNS», and its examples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from novukit.providers import DeliveryEvent, EventKind, as_list, as_object, moment, objects

KEY = "novukit_key"
"""The tag that holds our key."""

KINDS = {
    "Send": EventKind.ACCEPTED,
    "Delivery": EventKind.DELIVERED,
    "Open": EventKind.OPENED,
    "Click": EventKind.CLICKED,
    "Bounce": EventKind.BOUNCED,
    "Complaint": EventKind.COMPLAINED,
    "Reject": EventKind.FAILED,
    "Rendering Failure": EventKind.FAILED,
    "Subscription": EventKind.UNSUBSCRIBED,
}
PARTS = {"Rendering Failure": "failure"}
"""Where a record has its part under another name than its own in small letters."""


def read(message: object, notice_id: str) -> Sequence[DeliveryEvent]:
    """The events in a message of SNS; none where it is something else. ``notice_id`` is the same in every try."""
    record = parsed(message)
    named = str(record.get("eventType") or record.get("notificationType"))
    kind, mail = KINDS.get(named), as_object(record.get("mail"))
    part = as_object(record.get(PARTS.get(named, named.lower())))
    if kind is None or not mail.get("messageId"):
        return []
    if kind is EventKind.UNSUBSCRIBED and not left(part):
        return []
    tag = as_list(as_object(mail.get("tags")).get(KEY))
    found = recipients(part) or [(one, "") for one in as_list(mail.get("destination"))]
    return [
        DeliveryEvent(
            kind=kind,
            provider_message_id=str(mail["messageId"]),
            at=moment(part.get("timestamp") or mail.get("timestamp")),
            id=notice_id if len(found) == 1 else f"{notice_id}-{number}",
            recipient=str(address),
            permanent=kind is EventKind.BOUNCED and part.get("bounceType") == "Permanent",
            key=str(tag[0]) if tag else None,
            detail=detail or str(part.get("reason") or part.get("errorMessage") or ""),
        )
        for number, (address, detail) in enumerate(found)
    ]


def parsed(message: object) -> dict[str, Any]:
    """The JSON object in the text that SNS carries."""
    try:
        return as_object(json.loads(str(message)))
    except (ValueError, RecursionError):
        return {}


def recipients(part: dict[str, Any]) -> list[tuple[object, str]]:
    """Whom a part names, with what their server said."""
    named = objects(part.get("bouncedRecipients")) + objects(part.get("complainedRecipients"))
    told: list[tuple[object, str]] = [(one.get("emailAddress"), str(one.get("diagnosticCode") or "")) for one in named]
    return told + [(one, "") for one in as_list(part.get("recipients"))]


def left(part: dict[str, Any]) -> bool:
    """Whether a change of subscriptions is that the recipient wants nothing more."""
    return as_object(part.get("newTopicPreferences")).get("unsubscribeAll") is True
