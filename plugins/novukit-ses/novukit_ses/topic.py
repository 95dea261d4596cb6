"""What Amazon SNS posts to us: believed only if it is signed by SNS, fresh, and of the integration's own topic."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from novukit.providers import (
    CallbackRefused,
    CallbackRequest,
    HttpClient,
    as_object,
    outcome_for,
    raise_for_outcome,
    verify_timestamp,
)

from .access import domain

WINDOW = timedelta(minutes=65)
"""SNS goes on trying for an hour, with the time of its first try."""

NOTICE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {"Notification": NOTICE, "SubscriptionConfirmation": CONFIRMATION, "UnsubscribeConfirmation": CONFIRMATION}
"""What the signature covers, in this order."""

HASHES = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - version 1 is what a topic has unless it is told otherwise
CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{1,64}\.pem")
MOST_KEYS = 16


class Topic:
    """One topic of SNS, by its ARN. Its certificates are fetched over ``http``, and kept.

    The topic must be named: SNS signs for every topic of every account, and whoever has one could subscribe us to it.
    """

    def __init__(self, arn: str, http: HttpClient) -> None:
        self.arn, self.http = arn, http
        region = arn.split(":")[3]
        self.host = f"sns.{region}.{domain(region)}"
        self.keys: dict[str, RSAPublicKey] = {}

    async def open(self, request: CallbackRequest, sns_url: str) -> dict[str, Any]:
        """The notice in ``request``. ``sns_url`` is where SNS is. Raises CallbackRefused unless it is genuine.

        Source: docs.aws.amazon.com «Verifying the signatures of Amazon SNS messages».
        """
        told = as_object(request.json())
        fields = SIGNED.get(str(told.get("Type")))
        algorithm = HASHES.get(str(told.get("SignatureVersion")))
        if fields is None or algorithm is None:
            raise CallbackRefused("This is no message of SNS.", hint="Leave raw message delivery off.")
        if told.get("TopicArn") != self.arn:
            raise CallbackRefused("The message is of another topic than the integration's topic_arn.")
        verify_timestamp(str(told.get("Timestamp", "")), request.now, window=WINDOW)
        key = await self.key(self.path(told.get("SigningCertURL"), CERTIFICATE), sns_url)
        try:
            given = base64.b64decode(str(told.get("Signature")), validate=True)
        except ValueError:
            given = b""
        said = "".join(f"{name}\n{told[name]}\n" for name in fields if told.get(name) is not None)
        try:
            key.verify(given, said.encode("utf-8", "replace"), PKCS1v15(), algorithm)
        except InvalidSignature:
            raise CallbackRefused("The signature is wrong.") from None
        return told

    async def confirm(self, notice: dict[str, Any], sns_url: str) -> None:
        """Confirm the subscription that ``notice`` asks about, by a visit to its URL. Raises if that fails."""
        path = self.path(notice.get("SubscribeURL"), re.compile(r"/"))
        raise_for_outcome(await self.http.get(f"{sns_url}{path}?{urlsplit(str(notice['SubscribeURL'])).query}"))

    async def key(self, path: str, sns_url: str) -> RSAPublicKey:
        """The public key in the certificate at ``path``."""
        if (known := self.keys.get(path)) is not None:
            return known
        response = await self.http.get(f"{sns_url}{path}")
        if 400 <= response.status_code < 500:
            raise CallbackRefused("SNS does not know the certificate.")
        if error := outcome_for(response):
            raise error
        try:
            key = load_pem_x509_certificate(response.content).public_key()
        except ValueError:
            key = None
        if not isinstance(key, RSAPublicKey):
            raise CallbackRefused("The certificate is none.")
        if len(self.keys) >= MOST_KEYS:
            self.keys.clear()
        self.keys[path] = key
        return key

    def path(self, url: object, wanted: re.Pattern[str]) -> str:
        """The path of ``url``, if it leads to SNS in the topic's region; CallbackRefused if it leads elsewhere."""
        try:
            parts = urlsplit(str(url))
        except ValueError:
            parts = urlsplit("")
        if (parts.scheme, parts.netloc) != ("https", self.host) or not wanted.fullmatch(parts.path):
            raise CallbackRefused("The message names a URL that is not SNS's.")
        return parts.path
