"""``twilio``: SMS by Twilio's Messages API, and the statuses that it reports later."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from pydantic import Field, SecretStr

from novukit.providers import (
    AnyProvider,
    CallbackRefused,
    CallbackRequest,
    DeliveryEvent,
    EventKind,
    Limits,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    SmsContent,
    SmsCredentials,
    SmsProvider,
    Throttled,
    hookimpl,
    raise_for_outcome,
    read_json,
    retry_after,
    sign_hmac,
)

KINDS = {
    "accepted": EventKind.ACCEPTED,
    "queued": EventKind.ACCEPTED,
    "sending": EventKind.ACCEPTED,
    "sent": EventKind.ACCEPTED,
    "delivered": EventKind.DELIVERED,
    "read": EventKind.OPENED,
    "undelivered": EventKind.FAILED,
    "failed": EventKind.FAILED,
    "canceled": EventKind.FAILED,
}
OPTED_OUT = 21610
GONE = {
    21211: "no valid number",
    OPTED_OUT: "the recipient has opted out",
    21614: "no mobile number",
}
"""What Twilio refuses because of the number itself: it will refuse every message to it."""
REQUEST = range(21000, 22000)
"""Codes that are about the message; a 403 with one of them says nothing of the credentials."""
BUSY = {20429, 21611}
BOUNCES = {"30005", "30006"}
"""Why a handset will never be reached: the number is unknown, or is a landline."""
SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")


class TwilioCredentials(SmsCredentials):
    """The account, and who its messages come from."""

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="Account SID, AC….")
    token: SecretStr = Field(description="Auth token; it also signs the callbacks.")
    messaging_service_sid: str | None = Field(
        default=None,
        pattern=r"^MG[0-9a-fA-F]{32}$",
        description="Messaging Service, MG…, that chooses the sender where the step names none.",
    )
    callback_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Where Twilio reports what became of a message: the URL of this integration's callbacks.",
    )


class Twilio(SmsProvider[TwilioCredentials]):
    """Sends one SMS a request. What is in ``overrides`` goes into the form of the request as it is."""

    id = "twilio"
    limits = Limits(lengths={"body": 1600})
    events = frozenset({*KINDS.values(), EventKind.BOUNCED, EventKind.UNSUBSCRIBED})
    base_url = "https://api.twilio.com"

    async def send(self, content: SmsContent, key: str) -> Receipt:
        """Hand the SMS over. Twilio takes no idempotency key: a second call is a second message."""
        response = await self.http.post(
            f"{self.account_url}/Messages.json", auth=self.auth, data=content.overrides | self.form(content, key)
        )
        answer = read_json(response)
        match answer.get("code"):
            case int(code) if code in GONE:
                raise RecipientGone(words(answer) or GONE[code])
            case int(code) if code in BUSY:
                raise Throttled(words(answer), retry_after=retry_after(response))
            case int(code) if code in REQUEST and response.status_code == 403:
                raise Rejected(words(answer))
            case _:
                raise_for_outcome(response, detail=words(answer) or None)
        return Receipt(provider_message_id=answer.get("sid"))

    async def check(self) -> None:
        """Read the account."""
        response = await self.http.request("GET", f"{self.account_url}.json", auth=self.auth)
        answer = read_json(response)
        raise_for_outcome(response, detail=words(answer) or None)
        if answer.get("status") in ("suspended", "closed"):
            raise Rejected(f"The account is {answer['status']}.", reason=Reason.CREDENTIALS_INVALID)

    async def callback(self, request: CallbackRequest) -> Sequence[DeliveryEvent]:
        """One status a request. They come in any order; the ids of those that say the same are the same."""
        fields = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        self.verify(request, fields)
        told = dict(fields)
        kind, code = KINDS.get(told.get("MessageStatus", "")), told.get("ErrorCode", "")
        if kind is None or not told.get("MessageSid"):
            return []
        if kind is EventKind.FAILED and code in BOUNCES:
            kind = EventKind.BOUNCED
        elif kind is EventKind.FAILED and code == str(OPTED_OUT):
            kind = EventKind.UNSUBSCRIBED
        return [
            DeliveryEvent(
                kind=kind,
                provider_message_id=told["MessageSid"],
                recipient=told.get("To") or None,
                permanent=kind is EventKind.BOUNCED,
                key=request.query.get("key"),
                detail=" ".join(word for word in (code, told.get("ErrorMessage", "")) if word),
            )
        ]

    def verify(self, request: CallbackRequest, fields: Sequence[tuple[str, str]]) -> None:
        """Check ``X-Twilio-Signature``: over the URL that was called and the sorted fields of the form.

        Of a body that is no form, the URL has the hash. Raises CallbackRefused.
        Source: twilio.com/docs «Security», «Validating Signatures from Twilio»; twilio-python, request_validator.py.
        """
        hashes = parse_qs(urlsplit(request.url).query).get("bodySHA256")
        if hashes:
            fields = ()
            if not hmac.compare_digest(hashlib.sha256(request.body).hexdigest().encode(), hashes[0].lower().encode()):
                raise CallbackRefused("The body is not the one that was signed.")
        said = "".join(name + value for name, value in sorted(set(fields)))
        given = request.headers.get("X-Twilio-Signature", "").encode()
        wanted = [
            sign_hmac(self.credentials.token, (url + said).encode("utf-8", "replace"), digest="sha1", encoding="base64")
            for url in spellings(request.url)
        ]
        # All are compared, so that the time taken does not tell which one was right.
        if not sum(hmac.compare_digest(one.encode(), given) for one in wanted):
            raise CallbackRefused(
                "The signature is wrong.", hint="It covers the public URL: is it the one that Twilio was given?"
            )

    def form(self, content: SmsContent, key: str) -> dict[str, str]:
        """The SMS as Twilio's form has it. Raises Rejected where nothing says who it comes from.

        Twilio has no field for ``key``. It calls the very URL that it is given, so the key travels in its query: a
        status with it finds a message whose answer was lost.
        """
        sender = content.sender or self.credentials.messaging_service_sid or self.sender
        if not sender:
            raise Rejected(
                "No sender: give the integration a from or a messaging_service_sid.", reason=Reason.NO_SENDER
            )
        fields = {
            "To": content.to,
            "MessagingServiceSid" if SERVICE.fullmatch(sender) else "From": sender,
            "Body": content.body,
        }
        if url := self.credentials.callback_url:
            fields["StatusCallback"] = f"{url}{'&' if '?' in url else '?'}{urlencode({'key': key})}"
        return fields

    @property
    def account_url(self) -> str:
        """Where the account's resources are."""
        return f"{self.base_url}/2010-04-01/Accounts/{self.credentials.account_sid}"

    @property
    def auth(self) -> tuple[str, str]:
        """User and password."""
        return self.credentials.account_sid, self.credentials.token.get_secret_value()


def spellings(url: str) -> list[str]:
    """``url`` as it is, without its port, and with it. Which one Twilio signs depends on the product."""
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return [url, url.replace(parts.netloc, host, 1), url.replace(parts.netloc, f"{host}:{port}", 1)]


def words(answer: dict[str, Any]) -> str:
    """Twilio's own words for what is wrong, and its code."""
    return " ".join(str(answer[name]) for name in ("code", "message") if answer.get(name))


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Twilio]
