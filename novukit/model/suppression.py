"""A suppression: an address that is not written to any more, why, and every change of that."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from .base import Model

SuppressibleChannel = Literal["email", "sms"]
"""Channels with addresses that bounce and complain. Device tokens that are gone are forgotten instead."""

_SPACING = re.compile(r"[\s().-]")


class SuppressionReason(StrEnum):
    """Why an address is suppressed. A later reason takes the place of an earlier, weaker one."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    MANUAL = "manual"


class Suppression(Model):
    """An address that is not written to through a channel; ``released_at`` once that was taken back."""

    id: UUID
    environment_id: UUID
    channel: SuppressibleChannel
    address: str
    reason: SuppressionReason
    detail: str
    created_at: datetime
    released_at: datetime | None


class SuppressionLine(Model):
    """One change of a suppression, and who made it."""

    id: UUID
    kind: Literal["added", "released"]
    reason: SuppressionReason
    said_by: str
    detail: str
    at: datetime


def address_of(channel: str, text: str) -> str:
    """``text`` in the one form in which addresses of ``channel`` are compared.

    E-mail addresses without their display name, in lower case (the local part too: no mailbox that people use minds
    it); phone numbers without spaces, dots, hyphens and brackets.
    """
    if channel == "sms":
        return _SPACING.sub("", text)
    return text.rpartition("<")[2].partition(">")[0].strip().lower()
