"""A topic: a named group of subscribers in one environment, and the subscriptions that make it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from .base import Model

TopicKey = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.:-]+$")]


class Topic(Model):
    """A named group of subscribers."""

    id: UUID
    key: str
    name: str | None = None
    created_at: datetime
    updated_at: datetime


class TopicSubscription(Model):
    """One subscriber's place in one topic."""

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
