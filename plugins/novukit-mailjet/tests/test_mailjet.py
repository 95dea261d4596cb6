"""Mailjet keeps what every e-mail provider must; its shapes are those of the pages named here, read on 2026-11-27."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from novukit_mailjet import Mailjet

from novukit.providers import DeliveryEvent, EventKind, Outcome, Reason, look_up
from novukit.testing.conformance import Answer, Callbacks, Documented, EmailConformance, Request, Sample, Signed, Vendor

SEND = "mailjet/api-documentation: Send API v3.1"
EVENTS = "mailjet/api-documentation: Event API"
SECRET = "kit-password-of-the-webhook-02"
ID = 19421777835146490


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """With the user and the password of the webhook's URL (RFC 7617), and nothing more."""
    password = "another-password" if forged else SECRET
    given = base64.b64encode(f"novukit:{password}".encode()).decode()
    return Signed(body, {"Authorization": f"Basic {given}"})


def told(name: str, **more: Any) -> dict[str, Any]:
    """One event as the page shows it."""
    return {
        "event": name,
        "time": 1433333949,
        "MessageID": ID,
        "email": "api@mailjet.com",
        "mj_campaign_id": 7257,
        "customcampaign": "",
        "CustomID": "key-7",
        "Payload": "",
        **more,
    }


def meant(kind: EventKind, permanent: bool = False) -> DeliveryEvent:
    """What it stands for."""
    at = datetime(2015, 6, 3, 12, 19, 9, tzinfo=UTC)
    return DeliveryEvent(
        kind, provider_message_id=str(ID), at=at, recipient="api@mailjet.com", permanent=permanent, key="key-7"
    )


def event(name: str, kind: EventKind | None, permanent: bool = False, **more: Any) -> Sample:
    """A callback with one event, not in a list: events are not grouped unless asked for."""
    events = [meant(kind, permanent)] if kind else []
    return Sample(name=f"{name} {more.get('error', '')}", body=told(name, **more), events=events, source=EVENTS)


def error(status: int, code: str, said: str, reason: Reason | None = None) -> Documented:
    """An error of one message."""
    one = {"ErrorIdentifier": "f987008f", "ErrorCode": code, "StatusCode": status, "ErrorMessage": said}
    body = {"Messages": [{"Status": "error", "Errors": [one]}]}
    return Documented(name=f"{status} {code}", status=status, body=body, reason=reason, source=SEND)


def refused(
    status: int, code: str, said: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None
) -> Documented:
    """An error of the whole request."""
    body = {"ErrorIdentifier": "06df1144", "ErrorCode": code, "ErrorMessage": said, "StatusCode": status}
    return Documented(
        name=f"{status} {code}", status=status, body=body, outcome=outcome, reason=reason, source=SEND,
        confirmed=status != 429,
    )  # fmt: skip


class TestMailjet(EmailConformance):
    """The kit, on Mailjet."""

    provider = Mailjet
    vendor = Vendor(
        credentials={
            "api_key": "mailjet-kit-public-01",
            "secret_key": "mailjet-kit-private-01",
            "webhook_secret": SECRET,
        },
        accepted=Answer(
            200,
            {
                "Messages": [
                    {
                        "Status": "success",
                        "To": [
                            {
                                "Email": "passenger1@mailjet.com",
                                "MessageUUID": "123",
                                "MessageID": 456,
                                "MessageHref": "https://api.mailjet.com/v3/message/456",
                            }
                        ],
                    }
                ]
            },
        ),
        message_id="456",
        fields={
            "to": "json:Messages[0].To[0].Email",
            "sender": "json:Messages[0].From.Email",
            "sender_name": "json:Messages[0].From.Name",
            "subject": "json:Messages[0].Subject",
            "text": "json:Messages[0].TextPart",
            "html": "json:Messages[0].HTMLPart",
            "reply_to": "json:Messages[0].ReplyTo.Email",
            "cc": lambda request: [one["Email"] for one in request.json["Messages"][0].get("Cc", [])],
            "bcc": lambda request: [one["Email"] for one in request.json["Messages"][0].get("Bcc", [])],
            "headers": "json:Messages[0].Headers",
            "metadata": "json:Messages[0].EventPayload",
            "attachments.name": lambda request: [one["Filename"] for one in files(request)],
            "attachments.content": lambda request: " ".join(one["Base64Content"] for one in files(request)),
            "attachments.mime": lambda request: [one["ContentType"] for one in files(request)],
            "attachments.content_id": lambda request: [one.get("ContentID") for one in files(request)],
        },
        overrides={"TrackOpens": ("disabled", "json:Messages[0].TrackOpens")},
        check=Answer(200, {"Count": 1, "Data": [{"Email": "pilot@mailjet.com"}], "Total": 1}),
        found=Answer(200, {"Count": 1, "Data": [{"ID": 456, "Status": "sent"}], "Total": 1}),
        missing=Answer(200, {"Count": 0, "Data": [], "Total": 0}),
        errors=[
            error(400, "mj-0004", 'Type mismatch. Expected type "array of emails".'),
            error(400, "mj-0005", "The To is mandatory but missing from the input"),
            error(400, "send-0011", "The header is not allowed."),
            error(403, "send-0008", "The sender is not authorized.", reason=Reason.PROVIDER_REJECTED),
            refused(400, "mj-0002", "Malformed JSON, please review the syntax and properties types."),
            refused(401, "mj-0001", "The API key is suspended.", reason=Reason.CREDENTIALS_INVALID),
            refused(401, "mj-0015", "No valid authorization.", reason=Reason.CREDENTIALS_INVALID),
            refused(429, "mj-0429", "Too many requests.", Outcome.THROTTLED),
            refused(500, "mj-0500", "Internal error.", Outcome.UNKNOWN),
            Documented(
                name="an error in a 200", status=200, source=SEND,
                body={"Messages": [{"Status": "error", "Errors": [{"ErrorCode": "mj-0013", "ErrorMessage": "Email"}]}]},
            ),
        ],
        callbacks=Callbacks(
            sign=sign,
            timestamped=False,
            covers_body=False,
            samples=[
                event("sent", EventKind.DELIVERED, smtp_reply="sent (250 2.0.0 OK 1433333948 - gsmtp)"),
                event("open", EventKind.OPENED, ip="127.0.0.1"),
                event("click", EventKind.CLICKED, url="https://mailjet.com"),
                event(
                    "bounce", EventKind.BOUNCED, permanent=True, blocked=True, hard_bounce=True,
                    error_related_to="recipient", error="user unknown",
                ),
                event(
                    "bounce", EventKind.BOUNCED, blocked=False, hard_bounce=False,
                    error_related_to="recipient", error="quota exceeded",
                ),
                event("bounce", None, hard_bounce=False, error_related_to="domain", error="greylisted"),
                event("blocked", EventKind.FAILED, error_related_to="mailjet", error="preblocked"),
                event("spam", EventKind.COMPLAINED, source="JMRPP"),
                event("unsub", EventKind.UNSUBSCRIBED, mj_list_id=1),
                Sample(
                    name="grouped",
                    body=[told("sent"), told("open"), told("sent", MessageID=None, mj_message_id="18858825588804172")],
                    events=[
                        meant(EventKind.DELIVERED),
                        meant(EventKind.OPENED),
                        DeliveryEvent(EventKind.DELIVERED, provider_message_id="18858825588804172"),
                    ],
                    source=EVENTS,
                ),
            ],
            unknown=told("account_suspended"),
        ),
    )  # fmt: skip

    @pytest.mark.parametrize("name", ["X-MJ-CustomID", "x-mailjet-prio", "List-Id", "User-Agent"])
    async def test_forbidden_headers_are_refused(self, name: str) -> None:
        """By their names, in any case, and nothing is sent."""
        async with self.stage() as stage:
            delivery = await stage.deliver(headers={name: "1"})
            assert (delivery.reason, stage.server.connections) == (Reason.CONTENT_INVALID, 0)
            assert name in delivery.detail

    async def test_the_key_can_be_searched_for(self) -> None:
        """It is the CustomID of the message, and what the search asks for."""
        async with self.stage() as stage:
            assert (await stage.sent("key-7")).at("json:Messages[0].CustomID") == "key-7"
            stage.server.answer = Answer(200, {"Data": []})
            assert await look_up(stage.provider, "key-7") is None
            assert stage.server.sent[-1].at("query:CustomID") == "key-7"

    @pytest.mark.parametrize("body", [{}, {"Data": None}, {"Data": [{"ID": 1, "CustomID": "another"}]}])
    async def test_a_search_that_was_not_understood_proves_nothing(self, body: dict[str, Any]) -> None:
        """Another message is not ours, and no list is not an empty one."""
        async with self.stage(Answer(200, body)) as stage:
            delivery = await look_up(stage.provider, "key-7")
        assert delivery is not None
        assert delivery.outcome is Outcome.UNKNOWN


def files(request: Request) -> list[dict[str, str]]:
    """The attachments, and those that are shown within the HTML."""
    message = request.json["Messages"][0]
    return [*message.get("Attachments", []), *message.get("InlinedAttachments", [])]
