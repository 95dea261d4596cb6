"""A topic: a named group of subscribers in one environment, and the subscriptions that make it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from .base import Model
from .condition import Condition
from .context import ContextKeys

TopicKey = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.:@+-]+$")]


class Topic(Model):
    """A named group of subscribers."""

    id: UUID
    key: str
    name: str | None = None
    created_at: datetime
    updated_at: datetime


class SubscriptionChoice(Model):
    """Whether a subscription wants a workflow: not if it is switched off, and only when its condition holds.

    The condition is JsonLogic over ``payload``, ``subscriber`` and ``context``.
    """

    enabled: bool = True
    condition: Condition | None = None


class TopicSubscription(Model):
    """One subscriber's place in one topic. A subscriber may have several, under different identifiers.

    ``preferences`` are by workflow id; a workflow that is not named there is wanted.
    """

    id: UUID
    identifier: str
    name: str | None = None
    topic: Topic
    subscriber_uuid: UUID
    subscriber_id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    avatar: str | None = None
    created_at: datetime
    updated_at: datetime
    context_keys: ContextKeys = ""
    preferences: dict[str, SubscriptionChoice] = {}
