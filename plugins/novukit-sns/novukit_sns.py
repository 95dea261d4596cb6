"""``sns``: SMS by Amazon SNS. It does not tell what becomes of a message: AWS writes that into CloudWatch only."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import httpx
from novukit_ses import Aws, AwsCredentials, domain
from novukit_ses.access import FORBIDDEN, raise_for_error, tag_in

from novukit.providers import (
    AnyProvider,
    HttpClient,
    Limits,
    Receipt,
    RecipientGone,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    hookimpl,
)

VERSION = "2010-03-31"
NUMBER = re.compile(r"\+?[0-9]{3,15}")
ORIGIN, SENDER = "AWS.MM.SMS.OriginationNumber", "AWS.SNS.SMS.SenderID"
NUMERIC = frozenset({"AWS.SNS.SMS.MaxPrice"})
"""The attributes that are numbers; AWS wants their type named."""


class SnsCredentials(SmsCredentials, AwsCredentials):
    """Access to AWS, and who messages come from: a number of the account, or a sender ID of 1 to 11 characters."""


class Sns(SmsProvider[SnsCredentials]):
    """Sends one SMS a request. What is in ``overrides`` becomes message attributes, by AWS's names."""

    id = "sns"
    name = "Amazon SNS"
    limits = Limits(lengths={"body": 1600})

    def __init__(self, credentials: SnsCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.base_url = f"https://sns.{credentials.region}.{domain(credentials.region)}"
        self.aws = Aws("sns", credentials, self.now)

    async def send(self, content: SmsContent, key: str) -> Receipt:
        """Publish to a number. SNS takes no idempotency key for it: a second call is a second message."""
        url = f"{self.base_url}/"
        body = urlencode(form(content, content.sender or self.sender)).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        response = await self.http.post(url, content=body, headers=await self.aws.signed("POST", url, body, kind))
        judge(response)
        return Receipt(provider_message_id=tag_in(response.text, "MessageId") or None)

    async def check(self) -> str | None:
        """Ask whether the account is in the SMS sandbox."""
        url = f"{self.base_url}/?{urlencode({'Action': 'GetSMSSandboxAccountStatus', 'Version': VERSION})}"
        response = await self.http.get(url, headers=await self.aws.signed("GET", url))
        if tag_in(response.text, "Code") in FORBIDDEN:
            return "They may not read the account (sns:GetSMSSandboxAccountStatus), so nobody knows of a sandbox."
        judge(response)
        if tag_in(response.text, "IsInSandbox") == "true":
            return "The account is in the SMS sandbox: only verified numbers are reached. Ask AWS to leave it."
        return None


def form(content: SmsContent, sender: str | None) -> dict[str, str]:
    """The SMS as AWS's query protocol has it. Without a sender, SNS takes the account's own."""
    attributes = {name: str(value) for name, value in content.overrides.items()}
    if sender:
        attributes[ORIGIN if NUMBER.fullmatch(sender) else SENDER] = sender
    made = {"Action": "Publish", "Version": VERSION, "PhoneNumber": content.to, "Message": content.body}
    for number, (name, value) in enumerate(attributes.items(), 1):
        entry = f"MessageAttributes.entry.{number}"
        made[f"{entry}.Name"] = name
        made[f"{entry}.Value.DataType"] = "Number" if name in NUMERIC else "String"
        made[f"{entry}.Value.StringValue"] = value
    return made


def judge(response: httpx.Response) -> None:
    """Raise what an answer stands for, unless it is 2xx."""
    name, said = tag_in(response.text, "Code"), tag_in(response.text, "Message")
    if name == "OptedOut" and response.status_code >= 400:
        raise RecipientGone(f"{name}: {said}")
    raise_for_error(response, name, said)


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Sns]
