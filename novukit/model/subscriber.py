"""A subscriber: whom a notification is for, in one environment, and the addresses that reach them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from .base import Model

SubscriberId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s/%\x00-\x1f\x7f](?:[^/%\x00-\x1f\x7f]*[^\s/%\x00-\x1f\x7f])?$"),
]
"""1 to 255 characters; no ``/``, ``%`` or control character, no blank at either end (it travels in URL paths)."""

Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")]
"""E.164 (ITU-T): ``+``, country code, up to 15 digits in all, as in ``+4915112345678``."""


def known_zone(name: str) -> str:
    """Refuse a time zone that the IANA database does not have."""
    from zoneinfo import available_timezones

    if name not in available_timezones():
        from ..errors import did_you_mean

        raise ValueError(f"{name[:64]!r} is not an IANA time zone. {did_you_mean(name, available_timezones()) or ''}".strip())
    return name


def plain_email(address: str) -> str:
    """Refuse what is not one e-mail address (RFC 5321 addr-spec; internationalised domains are fine)."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as err:
        raise ValueError(str(err)) from None


Email = Annotated[str, StringConstraints(max_length=320), AfterValidator(plain_email)]
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(known_zone)]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$", max_length=35)]


class Subscriber(Model):
    """Whom a notification is for.

    Only ``subscriber_id`` is required; a profile field left out of a trigger leaves what is stored as it is.
    """

    subscriber_id: SubscriberId
    first_name: str | None = Field(default=None, max_length=255)
    last_name: str | None = Field(default=None, max_length=255)
    email: Email | None = None
    phone: Phone | None = None
    avatar: str | None = Field(default=None, max_length=2048)
    locale: Locale | None = None
    timezone: TimeZone | None = None
    data: dict[str, Any] | None = None


class ChannelAddress(Model):
    """Where one provider reaches a subscriber: device tokens (push) or a webhook (chat)."""

    provider_id: str
    integration_identifier: str | None = None
    device_tokens: tuple[str, ...] = ()
    webhook_url: str | None = None
    channel: str | None = None


class StoredSubscriber(Model):
    """A subscriber as the store keeps it. ``id`` is novukit's own, ``subscriber_id`` the caller's."""

    id: UUID
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    avatar: str | None = None
    locale: str | None = None
    timezone: str | None = None
    data: dict[str, Any] = {}
    addresses: tuple[ChannelAddress, ...] = ()
    created_at: datetime
    updated_at: datetime
