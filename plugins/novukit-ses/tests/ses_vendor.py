"""Amazon SES and SNS as the pages named here describe them, read on 2026-11-27."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import json
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from novukit.providers import (
    DeliveryEvent,
    EventKind,
    Outcome,
    Reason,
)
from novukit.testing.conformance import (
    Answer,
    Callbacks,
    Documented,
    Request,
    Sample,
    Signed,
    Vendor,
)

SEND = "SES API v2 Reference: SendEmail, «Errors»; botocore 1.44.8, sesv2/2019-09-27"
COMMON = "SES API v2 Reference: Common Errors"
EXAMPLES = "SES Developer Guide: Examples of event data that Amazon SES publishes to Amazon SNS"
CONTENTS = "SES Developer Guide: Contents of event data that Amazon SES publishes to Amazon SNS"
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
ARN = "arn:aws:sns:eu-central-1:123456789012:ses-events"
SNS = "https://sns.eu-central-1.amazonaws.com"
PEM = "/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem"
MESSAGE = "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000"
URL = "https://notify.kit.example/v1/callbacks/env/mail"


def certificate(key: RSAPrivateKey) -> bytes:
    """One like that of SNS, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), NOW, NOW)
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


OURS, FORGERS = (generate_private_key(65537, 2048) for _ in range(2))
CERTIFICATE = certificate(OURS)


def envelope(message: str, at: datetime, **more: str) -> dict[str, str]:
    """A message of SNS as its page shows it, not yet signed."""
    return {
        "Type": "Notification",
        "MessageId": hashlib.sha256(message.encode()).hexdigest()[:36],
        "TopicArn": ARN,
        "Message": message,
        "Timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": "1",
        "SigningCertURL": SNS + PEM,
        "UnsubscribeURL": f"{SNS}/?Action=Unsubscribe&SubscriptionArn={ARN}:c9135db0",
    } | more


def signed(told: dict[str, str], key: RSAPrivateKey = OURS) -> bytes:
    """``told`` with its signature. Source: «Verifying the signatures of Amazon SNS messages»."""
    if told["Type"] == "Notification":
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    said = "".join(f"{name}\n{told[name]}\n" for name in names if name in told).encode()
    way = {"1": SHA1(), "2": SHA256()}[told["SignatureVersion"]]
    return json.dumps(told | {"Signature": base64.b64encode(key.sign(said, PKCS1v15(), way)).decode()}).encode()


def sign(body: bytes, *, url: str, at: datetime, forged: bool) -> Signed:
    """A record in the envelope of SNS."""
    return Signed(signed(envelope(body.decode(), at), FORGERS if forged else OURS), {})


def record(named: str, **part: Any) -> dict[str, Any]:
    """A record of SES as its page shows it."""
    mail = {
        "timestamp": "2017-08-05T00:40:02.012Z",
        "source": "Sender Name <sender@example.com>",
        "sendingAccountId": "123456789012",
        "messageId": MESSAGE,
        "destination": ["recipient@example.com"],
        "headersTruncated": False,
        "tags": {"ses:configuration-set": ["ConfigSet"], "novukit_key": ["0f5e"]},
    }
    return {"eventType": named, "mail": mail, {"Rendering Failure": "failure"}.get(named, named.lower()): part}


def sample(kind: EventKind, named: str, *, at: str = "2017-08-05T00:40:02.012Z", **part: Any) -> Sample:
    """One that is about one recipient."""
    event = DeliveryEvent(
        kind,
        provider_message_id=MESSAGE,
        at=datetime.fromisoformat(at),
        recipient="recipient@example.com",
        permanent=part.get("bounceType") == "Permanent",
        key="0f5e",
    )
    return Sample(name=f"{named} {part}".strip(" {}"), body=record(named, **part), events=[event], source=EXAMPLES)


LATER = "2017-08-05T00:41:02.669Z"
TO = {"emailAddress": "recipient@example.com"}
TWO = Sample(
    name="a bounce of two",
    body=record(
        "Bounce", bounceType="Transient", timestamp=LATER, bouncedRecipients=[TO, {"emailAddress": "b@example.com"}]
    ),
    events=[
        DeliveryEvent(EventKind.BOUNCED, provider_message_id=MESSAGE, recipient=address, key="0f5e")
        for address in ("recipient@example.com", "b@example.com")
    ],
    source=CONTENTS,
)


def mime(request: Request) -> EmailMessage:
    """The raw content of a request."""
    raw = base64.b64decode(request.json["Content"]["Raw"]["Data"])
    return email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)


def files(request: Request) -> list[EmailMessage]:
    """What is attached, or shown by the HTML."""
    return [part for part in mime(request).walk() if part.get_filename()]  # pyright: ignore[reportReturnType]


def contents(request: Request) -> str:
    """The files in base64."""
    return " ".join(str(part.get_payload()).replace("\n", "").replace("\r", "") for part in files(request))


def tags(request: Request) -> dict[str, str]:
    """The tags of a request."""
    return {tag["Name"]: tag["Value"] for tag in request.json["EmailTags"]}


def error(
    status: int, name: str, outcome: Outcome = Outcome.REJECTED, reason: Reason | None = None, source: str = SEND,
    *, confirmed: bool = True,
) -> Documented:  # fmt: skip
    """An error as AWS's REST services tell it."""
    headers = {"x-amzn-ErrorType": f"{name}:http://internal.amazon.com/coral/com.amazonaws.services.example/"}
    body = {"message": f"The words for {name}."}
    return Documented(
        name=f"{status} {name}", status=status, headers=headers, body=body, outcome=outcome, reason=reason,
        source=source, confirmed=confirmed,
    )  # fmt: skip


VENDOR = Vendor(
    credentials={
        "api_key": "AKIAKITKEY0001", "secret_key": "kit/secret+key/0001", "session_token": "kit//session+token==",
        "region": "eu-central-1", "topic_arn": ARN, "configuration_set": "kit-set",
    },
    accepted=Answer(200, {"MessageId": MESSAGE}),
    message_id=MESSAGE,
    urls={"base_url": "", "sns_url": "/sns"},
    routes={f"/sns{PEM}": Answer(200, CERTIFICATE)},
    fields={
        "to": "json:Destination.ToAddresses",
        "sender": "json:FromEmailAddress",
        "sender_name": "json:FromEmailAddress",
        "subject": "json:Content.Simple.Subject.Data",
        "text": "json:Content.Simple.Body.Text.Data",
        "html": "json:Content.Simple.Body.Html.Data",
        "reply_to": "json:ReplyToAddresses",
        "cc": "json:Destination.CcAddresses",
        "bcc": "json:Destination.BccAddresses",
        "headers": lambda request: dict(mime(request).items()),
        "metadata": tags,
        "attachments.name": lambda request: [part.get_filename() for part in files(request)],
        "attachments.content": contents,
        "attachments.mime": lambda request: [part.get_content_type() for part in files(request)],
        "attachments.content_id": lambda request: [part["Content-ID"] for part in files(request)],
    },
    overrides={
        "ConfigurationSetName": ("another-set", "json:ConfigurationSetName"),
        "TenantName": ("kit-tenant", "json:TenantName"),
    },
    check=Answer(200, {"SendingEnabled": True, "ProductionAccessEnabled": True}),
    errors=[
        error(400, "AccountSuspendedException", reason=Reason.CREDENTIALS_INVALID),
        error(400, "BadRequestException"),
        error(400, "LimitExceededException"),
        error(400, "MailFromDomainNotVerifiedException"),
        error(400, "MessageRejected", reason=Reason.PROVIDER_REJECTED),
        error(400, "SendingPausedException", Outcome.UNAVAILABLE),
        error(404, "NotFoundException"),
        error(429, "TooManyRequestsException", Outcome.THROTTLED),
        error(400, "ThrottlingException", Outcome.THROTTLED, source=COMMON),
        error(403, "AccessDeniedException", reason=Reason.CREDENTIALS_INVALID, source=COMMON),
        error(403, "ExpiredTokenException", reason=Reason.CREDENTIALS_INVALID, source=COMMON, confirmed=False),
        error(403, "InvalidSignatureException", reason=Reason.CREDENTIALS_INVALID, source=COMMON, confirmed=False),
        error(403, "UnrecognizedClientException", reason=Reason.CREDENTIALS_INVALID, source=COMMON, confirmed=False),
        error(503, "ServiceUnavailable", Outcome.UNAVAILABLE, source=COMMON),
    ],
    callbacks=Callbacks(
        sign=sign,
        # SNS repeats for an hour, with the first time: test_ses_topic.py holds it to that.
        timestamped=False,
        covers_bytes=False,
        samples=[
            sample(
                EventKind.BOUNCED, "Bounce", at=LATER, bounceType="Permanent", bounceSubType="General",
                bouncedRecipients=[TO | {"status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}],
                timestamp=LATER, feedbackId="01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
            ),
            sample(
                EventKind.BOUNCED, "Bounce", at=LATER, bounceType="Transient", bouncedRecipients=[TO], timestamp=LATER,
            ),
            TWO,
            sample(
                EventKind.COMPLAINED, "Complaint", at=LATER, complainedRecipients=[TO], timestamp=LATER,
                complaintFeedbackType="abuse",
            ),
            sample(
                EventKind.DELIVERED, "Delivery", at=LATER, timestamp=LATER, recipients=["recipient@example.com"],
                smtpResponse="250 2.6.0 Message received",
            ),
            sample(EventKind.ACCEPTED, "Send"),
            sample(EventKind.FAILED, "Reject", reason="Bad content"),
            sample(EventKind.FAILED, "Rendering Failure", errorMessage="Attribute 'x' is not present."),
            sample(EventKind.OPENED, "Open", at=LATER, ipAddress="192.0.2.1", timestamp=LATER, userAgent="Mozilla/5.0"),
            sample(EventKind.CLICKED, "Click", at=LATER, timestamp=LATER, link="http://docs.aws.amazon.com/ses/"),
            sample(
                EventKind.UNSUBSCRIBED, "Subscription", at=LATER, contactList="ContactListName", timestamp=LATER,
                source="UnsubscribeHeader", newTopicPreferences={"unsubscribeAll": True, "topicSubscriptionStatus": []},
            ),
            Sample(
                name="a bounce without event publishing", events=[DeliveryEvent(EventKind.BOUNCED, permanent=True)],
                body={
                    "notificationType": "Bounce", "mail": {"messageId": MESSAGE},
                    "bounce": {"bounceType": "Permanent", "bouncedRecipients": [TO]},
                },
                source="SES Developer Guide: Amazon SNS notification contents for Amazon SES",
            ),
        ],
        unknown=record("DeliveryDelay", delayType="TransientCommunicationFailure"),
    ),
)  # fmt: skip
