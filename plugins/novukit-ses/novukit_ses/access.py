"""Access to AWS: keys from the integration or from botocore's chain, and requests signed with them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from html import unescape
from importlib import import_module
from typing import Any

import httpx
from pydantic import Field, SecretStr, model_validator

from novukit.providers import (
    Credentials,
    Reason,
    Rejected,
    Throttled,
    Token,
    TokenCache,
    Unavailable,
    outcome_for,
    retry_after,
)

from .signing import Keys, sign

KEPT = timedelta(minutes=5)
"""How long keys of the chain are used before it is asked again. botocore renews them ten minutes before their end."""

THROTTLED = frozenset(
    {"Throttled", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
     "KMSThrottling", "RequestLimitExceeded", "SlowDown"}
)  # fmt: skip
"""What AWS calls «too fast», also with status 400."""
FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
"""The keys are right and may not do this."""


class AwsCredentials(Credentials):
    """An access key and a region; without a key, botocore's chain: environment, profile, container or instance role."""

    api_key: SecretStr | None = Field(default=None, description="Access key ID; left out, AWS's own chain is asked.")
    secret_key: SecretStr | None = Field(default=None, description="Secret access key.")
    session_token: SecretStr | None = Field(default=None, description="Session token of a temporary access key.")
    region: str = Field(pattern=r"^[a-z]{2,8}(-[a-z]+)+-\d{1,2}$", description="Region, such as eu-central-1.")

    @model_validator(mode="after")
    def _whole(self) -> AwsCredentials:
        if (self.api_key is None) != (self.secret_key is None):
            raise ValueError("Give both apiKey and secretKey, or neither")
        if self.session_token is not None and self.api_key is None:
            raise ValueError("A sessionToken needs apiKey and secretKey")
        return self


class Aws:
    """Signs requests to one service of AWS. ``now`` tells the time."""

    def __init__(self, service: str, credentials: AwsCredentials, now: Callable[[], datetime]) -> None:
        self.service, self.region, self.now = service, credentials.region, now
        self.own = keys_of(credentials)
        self.chain = TokenCache(self.ask, now)
        self.found: Any = None

    async def signed(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """The headers of a request. Raises Rejected where there are no keys, Unavailable where they cannot be had."""
        keys = self.own or Keys(*json.loads(await self.chain.get()))
        return sign(
            keys, method, url, headers or {}, body, service=self.service, region=self.region, at=self.now()
        )  # fmt: skip

    async def ask(self) -> Token:
        """Keys of the chain. It reads files and asks the network, so it works in a thread."""
        try:
            keys = await asyncio.to_thread(self.load)
        except Exception as err:  # botocore lets fly what its sources do
            raise Unavailable(f"AWS's credential chain failed: {type(err).__name__}: {err}") from None
        if keys is None:
            raise Rejected(
                "There is no apiKey, and AWS's credential chain has found none.", reason=Reason.CREDENTIALS_INVALID
            )
        return Token(json.dumps([keys.access, keys.secret, keys.token]), self.now() + KEPT)

    def load(self) -> Keys | None:
        """Ask botocore, which renews what runs out. It is large, and is loaded only here."""
        if self.found is None:
            self.found = import_module("botocore.session").Session().get_credentials()
        if self.found is None:
            return None
        frozen = self.found.get_frozen_credentials()
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)


def keys_of(credentials: AwsCredentials) -> Keys | None:
    """The keys that an integration has of its own."""
    if credentials.api_key is None or credentials.secret_key is None:
        return None
    token = credentials.session_token.get_secret_value() if credentials.session_token else None
    return Keys(credentials.api_key.get_secret_value(), credentials.secret_key.get_secret_value(), token)


def domain(region: str) -> str:
    """Where AWS is, for a region."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def raise_for_error(response: httpx.Response, name: str, said: str) -> None:
    """Raise what an answer of AWS stands for, unless it is 2xx. ``name`` is the error's, ``said`` its words.

    Of the words only the first line: the others repeat what was to be signed, and with it a session token.
    """
    error = outcome_for(response, detail=": ".join(word for word in (name, *said.strip().splitlines()[:1]) if word))
    if error is not None and name in THROTTLED:
        error = Throttled(error.detail, retry_after=retry_after(response))
    if error is not None:
        raise error


def tag_in(xml: str, name: str) -> str:
    """The text of the first ``<name>`` in an answer of AWS's older services; empty where there is none."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", xml)
    return unescape(found.group(1)) if found else ""
