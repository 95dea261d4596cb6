"""``ses``: e-mail by the Amazon SES API v2, with events that come through a topic of Amazon SNS."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from typing import Any

import httpx
from pydantic import Field

from novukit.providers import (
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EmailContent,
    EmailCredentials,
    EmailProvider,
    HttpClient,
    Limits,
    Reason,
    Receipt,
    Rejected,
    Unavailable,
    as_bytes,
    ascii_domain,
    mime_message,
    needs_utf8,
    read_json,
)

from .access import FORBIDDEN, Aws, AwsCredentials, domain, raise_for_error
from .records import KEY, KINDS, read
from .topic import Topic

TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")


class SesCredentials(EmailCredentials, AwsCredentials):
    """Access to AWS, and where SES publishes its events."""

    configuration_set: str | None = Field(
        default=None, description="Configuration set whose event destination is the topic."
    )
    topic_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:sns:[a-z]{2,8}(-[a-z]+)+-\d{1,2}:\d{12}:[A-Za-z0-9_-]{1,256}$",
        description="ARN of the SNS topic that SES publishes events to; messages of others are refused.",
    )


class Ses(EmailProvider[SesCredentials]):
    """Sends one e-mail a request. What is in ``overrides`` goes into the body of the request as it is."""

    id = "ses"
    name = "Amazon SES"
    supports = frozenset({"reply_to", "cc", "bcc", "headers", "attachments", "metadata"})
    limits = Limits(size=40_000_000, recipients=50)
    events = frozenset(KINDS.values())

    def __init__(self, credentials: SesCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = f"https://email.{credentials.region}.{domain(credentials.region)}"
        self.aws = Aws("ses", credentials, self.now)
        self.topic = Topic(credentials.topic_arn, http) if credentials.topic_arn else None
        self.sns_url = f"https://{self.topic.host}" if self.topic else ""

    async def send(self, content: EmailContent, key: str) -> Receipt:
        """Hand the e-mail over with ``key`` as a tag, which events repeat. SES itself does not look at it."""
        tags = {**content.metadata, KEY: key}
        if wrong := [text for pair in tags.items() for text in pair if not TAG.fullmatch(text)]:
            raise Rejected(
                f"metadata: {wrong[0][:64]!r} is no tag for SES (ASCII letters, digits, _ and -).",
                reason=Reason.CONTENT_INVALID,
            )
        fields: dict[str, Any] = {
            "Destination": {
                "ToAddresses": [plain("to", content.to)],
                "CcAddresses": [plain("cc", address) for address in content.cc],
                "BccAddresses": [plain("bcc", address) for address in content.bcc],
            },
            "EmailTags": [{"Name": name, "Value": value} for name, value in tags.items()],
        }
        # Raw content needs the permission ses:SendRawEmail, which many keys do not have.
        fields |= raw(content, key, self.now()) if content.headers or content.attachments else simple(content)
        chosen = {"ConfigurationSetName": self.credentials.configuration_set}
        body = json.dumps(
            {name: value for name, value in chosen.items() if value} | content.overrides | fields
        ).encode()
        url = f"{self.base_url}/v2/email/outbound-emails"
        headers = await self.aws.signed("POST", url, body, {"Content-Type": "application/json"})
        response = await self.http.post(url, content=body, headers=headers)
        judge(response)
        return Receipt(provider_message_id=read_json(response).get("MessageId"))

    async def check(self) -> str | None:
        """Read the account: may it send, and to whom?"""
        url = f"{self.base_url}/v2/email/account"
        response = await self.http.get(url, headers=await self.aws.signed("GET", url))
        if error_name(response) in FORBIDDEN:
            return "They may not read the account (ses:GetAccount), so nobody knows whether it is in the sandbox."
        judge(response)
        account = read_json(response)
        if account.get("SendingEnabled") is False:
            raise Rejected("The account's sending is paused.")
        if account.get("ProductionAccessEnabled") is False:
            return "The account is in the sandbox: only verified addresses are reached. Ask AWS for production access."
        return None

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One record a request, in a signed message of SNS. The first asks whether we want them, and is told yes."""
        if self.topic is None:
            raise CallbackRefused("The integration has no topic_arn.")
        notice = await self.topic.open(request, self.sns_url)
        if notice["Type"] == "SubscriptionConfirmation":
            await self.topic.confirm(notice, self.sns_url)
        if notice["Type"] != "Notification":
            return []
        return read(notice.get("Message"), str(notice.get("MessageId")))


def simple(content: EmailContent) -> dict[str, Any]:
    """The e-mail as SES puts it together itself."""
    body = {"Text": content.text, "Html": content.html} if content.html else {"Text": content.text}
    made: dict[str, Any] = {
        "FromEmailAddress": mailbox(content),
        "Content": {
            "Simple": {
                "Subject": text(content.subject),
                "Body": {name: text(value) for name, value in body.items() if value or not content.html},
            }
        },
    }
    return made | ({"ReplyToAddresses": [plain("reply_to", content.reply_to)]} if content.reply_to else {})


def raw(content: EmailContent, key: str, date: datetime) -> dict[str, Any]:
    """The e-mail as it travels (MIME), for what SES has no fields for."""
    message = mime_message(content, key, date=date)
    if needs_utf8(message):
        raise not_ascii("an address", content.to)
    return {"Content": {"Raw": {"Data": base64.b64encode(as_bytes(message)).decode()}}}


def text(value: str) -> dict[str, str]:
    """Words with their character set; without it SES takes them for ASCII."""
    return {"Data": value, "Charset": "UTF-8"}


def mailbox(content: EmailContent) -> str:
    """The sender with the name beside it, in encoded words (RFC 2047) where it is not ASCII."""
    address = plain("sender", content.sender)
    if not content.sender_name:
        return address
    if not content.sender_name.isascii():
        return f"{Header(content.sender_name, 'utf-8').encode(linesep='')} <{address}>"
    name = content.sender_name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{address}>'


def plain(field: str, address: str) -> str:
    """An address in ASCII: its domain as Punycode. SES has no SMTPUTF8, so the part before the @ must be ASCII."""
    made = ascii_domain(field, address)
    if not made.isascii():
        raise not_ascii(field, address)
    return made


def not_ascii(field: str, address: str) -> Rejected:
    """The refusal of an address that only SMTPUTF8 could write."""
    return Rejected(f"{field}: SES takes only ASCII before the @, not {address[:64]!r}.", reason=Reason.CONTENT_INVALID)


def judge(response: httpx.Response) -> None:
    """Raise what an answer stands for, unless it is 2xx."""
    answer, name = read_json(response), error_name(response)
    said = str(answer.get("message") or answer.get("Message") or "")
    match name:
        case "SendingPausedException":
            raise Unavailable(f"{name}: {said}")
        case "AccountSuspendedException":
            raise Rejected(f"{name}: {said}", reason=Reason.CREDENTIALS_INVALID)
        case _:
            raise_for_error(response, name, said)


def error_name(response: httpx.Response) -> str:
    """The name of an error, from the header, or the body where a proxy took it away; empty where there is none."""
    named = response.headers.get("x-amzn-errortype") or str(read_json(response).get("__type") or "")
    return named.partition(":")[0].rpartition("#")[2]
