"""A subscriber: whom a notification is for, in one environment, and the addresses that reach them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache, lru_cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from .base import Model
from .channel import ChannelEndpoint

_PLAIN = re.compile(r"[^\s/%\x00-\x1f\x7f](?:[^/%\x00-\x1f\x7f]*[^\s/%\x00-\x1f\x7f])?")


def plain_id(text: str) -> str:
    """Refuse what would not survive in a URL path."""
    if not _PLAIN.fullmatch(text):
        raise PydanticCustomError(
            "bad_format", "must not hold /, % or control characters, nor begin or end with a blank"
        )
    return text


def international_phone(number: str) -> str:
    """Refuse what is not a phone number in E.164 (ITU-T)."""
    if not re.fullmatch(r"\+[1-9]\d{6,14}", number, re.ASCII):
        raise PydanticCustomError(
            "bad_format", "must be a phone number with + and country code, such as +4915112345678"
        )
    return number


@cache
def _zones() -> frozenset[str]:
    """Every IANA zone; reading them from the disk takes milliseconds."""
    from zoneinfo import available_timezones

    return frozenset(available_timezones())


def known_zone(name: str) -> str:
    """Refuse a time zone that the IANA database does not have."""
    if name not in _zones():
        from ..errors import did_you_mean

        close = did_you_mean(name, _zones()) or ""
        hint = f"did you mean {close.split()[-1]}" if close.startswith("Did") else "use a name such as Europe/Berlin"
        raise PydanticCustomError(
            "unknown_time_zone", "{name} is not an IANA time zone ({hint})", {"name": repr(name[:64]), "hint": hint}
        )
    return name


_LOCALE = re.compile(r"([a-z]{2,3})(-[a-z]{4})?(-(?:[a-z]{2}|[0-9]{3}))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)")


def normal_locale(tag: str) -> str:
    """A language tag as BCP 47 writes it: ``en_us`` becomes ``en-US``, ``zh_hant_tw`` ``zh-Hant-TW``."""
    found = _LOCALE.fullmatch(tag.replace("_", "-").lower())
    if not found:
        raise PydanticCustomError("bad_format", "must be a locale such as en, en-US or zh-Hant-TW")
    language, script, region, variants = (part or "" for part in found.groups())
    return language + script.title() + region.upper() + variants


LARGEST_DATA_BYTES = 64 * 1024
DEEPEST_DATA = 16


def small_data(data: dict[str, Any]) -> dict[str, Any]:
    """Refuse custom data above 64 KB as JSON or nested more than 16 deep: it travels with every message."""

    def depth(value: Any) -> int:
        if isinstance(value, (dict, list)):
            items: Any = value.values() if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType]
            return 1 + max(map(depth, items), default=0)
        return 0

    try:
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        raise PydanticCustomError(
            "bad_format", "must be JSON: text, finite numbers, booleans, null, lists and objects"
        ) from None
    if size > LARGEST_DATA_BYTES:
        raise PydanticCustomError(
            "too_large", "must have at most 64 KB as JSON, not {size} bytes", {"size": f"{size:,}"}
        )
    if (levels := depth(data)) > DEEPEST_DATA:
        raise PydanticCustomError("too_deep", "must be nested at most 16 deep, not {levels}", {"levels": levels})
    return data


@lru_cache(maxsize=4096)  # one person's address comes again and again, and is read twice on its way in
def plain_email(address: str) -> str:
    """Refuse what is not one e-mail address (RFC 5321 addr-spec; internationalised domains are fine)."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as err:
        raise PydanticCustomError("bad_format", "{why}", {"why": str(err).rstrip(".")}) from None


SubscriberId = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(plain_id)]
"""1 to 255 characters; no ``/``, ``%`` or control character, no blank at either end (it travels in URL paths)."""

Phone = Annotated[str, StringConstraints(max_length=32), AfterValidator(international_phone)]
"""E.164 (ITU-T): ``+``, country code, up to 15 digits in all, as in ``+4915112345678``."""

Email = Annotated[str, StringConstraints(max_length=320), AfterValidator(plain_email)]
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(known_zone)]
Locale = Annotated[str, StringConstraints(max_length=35), AfterValidator(normal_locale)]
SubscriberData = Annotated[dict[str, Any], AfterValidator(small_data)]


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
    data: SubscriberData | None = None


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
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    addresses: tuple[ChannelAddress, ...] = ()
    endpoints: tuple[ChannelEndpoint, ...] = ()
    """Read for sending only."""
    is_online: bool | None = None
    last_online_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
