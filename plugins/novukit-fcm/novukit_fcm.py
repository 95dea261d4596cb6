"""``fcm``: push by Firebase Cloud Messaging, HTTP v1, with an access token made of a service account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import jwt
from pydantic import Field, SecretStr, field_validator

from novukit.providers import (
    AnyProvider,
    Credentials,
    HttpClient,
    Limits,
    PushContent,
    PushProvider,
    Reason,
    Receipt,
    RecipientGone,
    Rejected,
    Token,
    TokenCache,
    Unavailable,
    Unknown,
    as_list,
    as_object,
    hookimpl,
    outcome_for,
    raise_for_outcome,
    read_json,
    send_to_each,
)

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


class FcmCredentials(Credentials):
    """The service account that may send for a Firebase project."""

    service_account: SecretStr = Field(description="The service account's key file: the whole JSON, as text.")

    @field_validator("service_account")
    @classmethod
    def _is_one(cls, given: SecretStr) -> SecretStr:
        """Say what is wrong when the integration is made, and not when the first message is due."""
        try:
            account = as_object(json.loads(given.get_secret_value()))
        except ValueError:
            raise ValueError("is not JSON; give the whole key file") from None
        for name in ("project_id", "client_email", "private_key"):
            if not isinstance(account.get(name), str) or not account[name]:
                raise ValueError(f"has no {name}; give the whole key file of a service account")
        try:
            jwt.get_algorithm_by_name("RS256").prepare_key(account["private_key"])
        except (ValueError, TypeError, jwt.PyJWTError):
            raise ValueError("has a private_key that is not an RSA key in PEM") from None
        return given


class Fcm(PushProvider[FcmCredentials]):
    """Sends one request for each device. What is in ``overrides`` is merged into FCM's ``message``, at any depth."""

    id = "fcm"
    name = "Firebase Cloud Messaging"
    supports = frozenset({"data", "image", "badge", "sound", "url", "collapse_key", "ttl", "priority"})
    # 600 000 a minute and project; what iOS takes of a collapse key.
    limits = Limits(rate=10_000, size=4096, lengths={"collapse_key": 64})
    http2 = True
    base_url = "https://fcm.googleapis.com"

    def __init__(self, credentials: FcmCredentials, http: HttpClient) -> None:
        super().__init__(credentials, http)
        self.token_url = str(self.account().get("token_uri") or TOKEN_URI)
        self.token = TokenCache(self.fetch_token, self.now)

    def account(self) -> dict[str, Any]:
        """The service account's key file. It is read when it is needed, so that no secret lies about."""
        return as_object(json.loads(self.credentials.service_account.get_secret_value()))

    async def send(self, content: PushContent, key: str) -> Receipt:
        """FCM has no idempotency keys: ``key`` has no place in the request."""
        access = await self.token.get()
        url = f"{self.base_url}/v1/projects/{self.account()['project_id']}/messages:send"
        message = merged(content.overrides, self.message(content))

        async def one(token: str) -> str | None:
            response = await self.http.post(
                url, headers={"Authorization": f"Bearer {access}"}, json={"message": message | {"token": token}}
            )
            answer = read_json(response)
            error = as_object(answer.get("error"))
            said = words(error)
            match code_of(error):
                case "UNREGISTERED":
                    raise RecipientGone(said, tokens=[token])
                case "SENDER_ID_MISMATCH":
                    # Of another project: with the wrong service account that is every token, so none is given up.
                    raise Rejected(said)
                case "THIRD_PARTY_AUTH_ERROR":
                    raise Rejected(said, reason=Reason.CREDENTIALS_INVALID)
                case _ if response.status_code == 401:
                    # Refused before its time. Whether the account itself is, the next token's request will tell.
                    self.token.forget(access)
                    raise Unavailable(said or "the access token was refused")
                case _:
                    raise_for_outcome(response, detail=said or None)
            return answer.get("name")

        return await send_to_each(content.tokens, one)

    async def check(self) -> None:
        """Fetch an access token: Google gives it only to a key that is in force."""
        await self.fetch_token()

    async def fetch_token(self) -> Token:
        """An access token, which FCM takes for an hour."""
        account, now = self.account(), self.now()
        claims = {
            "iss": account["client_email"],
            "scope": SCOPE,
            "aud": account.get("token_uri") or TOKEN_URI,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(hours=1)).timestamp()),
        }
        key_id = {"kid": account["private_key_id"]} if account.get("private_key_id") else None
        assertion = jwt.encode(claims, account["private_key"], algorithm="RS256", headers=key_id)
        response = await self.http.post(self.token_url, data={"grant_type": GRANT, "assertion": assertion}, sends=False)
        answer = read_json(response)
        said = " ".join(str(answer[name]) for name in ("error", "error_description") if answer.get(name))
        if response.status_code == 400 and answer.get("error"):
            raise Rejected(said, reason=Reason.CREDENTIALS_INVALID)
        error = outcome_for(response, detail=said or None)
        access, seconds = answer.get("access_token"), answer.get("expires_in")
        if isinstance(error, Unknown) or not (error or isinstance(access, str)):
            # Whatever became of this request, the message was not sent.
            raise Unavailable(f"no access token: {said or response.status_code}")
        if error:
            raise error
        return Token(cast("str", access), now + timedelta(seconds=seconds if isinstance(seconds, int) else 3600))

    def message(self, content: PushContent) -> dict[str, Any]:
        """The message as FCM has it, with what it needs of its own for Android, iOS and browsers."""
        rank = content.priority
        count, ttl, collapse = content.badge, content.ttl, content.collapse_key
        expires = None if ttl is None else str(int(self.now().timestamp()) + ttl if ttl else 0)
        link = content.url if content.url and content.url.startswith("https://") else None
        return kept(
            {
                "notification": {"title": content.subject, "body": content.body, "image": content.image},
                "data": texts({"url": content.url} | content.data if content.url else content.data),
                "android": {
                    "collapse_key": collapse,
                    "ttl": None if ttl is None else f"{ttl}s",
                    "priority": rank and rank.upper(),
                    "notification": {"sound": content.sound, "notification_count": count, "tag": collapse},
                },
                "apns": {
                    "headers": {
                        "apns-collapse-id": collapse,
                        "apns-expiration": expires,
                        "apns-priority": rank and {"high": "10", "normal": "5"}[rank],
                    },
                    "payload": {"aps": {"badge": count, "sound": content.sound}},
                },
                "webpush": {
                    "headers": {"TTL": None if ttl is None else str(ttl), "Urgency": rank},
                    # It must be https; any other address an app finds in the data.
                    "fcm_options": {"link": link},
                },
            }
        )


def texts(data: Mapping[str, Any]) -> dict[str, str]:
    """``data`` with each value as text, for FCM takes no other: what is none, as JSON."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in data.items()}


def kept(value: dict[str, Any]) -> dict[str, Any]:
    """``value`` without what is not there: no None and no empty object, at any depth."""
    found = {
        name: kept(cast("dict[str, Any]", item)) if isinstance(item, dict) else item for name, item in value.items()
    }
    return {name: item for name, item in found.items() if item is not None and item != {}}


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both objects in one; where both say something, ``over`` does."""
    made = dict(under)
    for name, value in over.items():
        mine, inner = as_object(made.get(name)), as_object(value)
        made[name] = merged(mine, inner) if mine and inner else value
    return made


def code_of(error: Mapping[str, Any]) -> str:
    """FCM's own code, from the details; empty where there is none. The words beside it change."""
    details = [as_object(detail) for detail in as_list(error.get("details"))]
    return next((str(one.get("errorCode", "")) for one in details if one.get("@type") == FCM_ERROR), "")


def words(error: Mapping[str, Any]) -> str:
    """What FCM says is wrong."""
    return ": ".join(str(part) for part in (code_of(error) or error.get("status"), error.get("message")) if part)


@hookimpl
def novukit_providers() -> list[type[AnyProvider]]:
    """The provider of this plugin."""
    return [Fcm]
