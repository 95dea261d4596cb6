"""Organization, environment and keys: whose rows they are, and who may touch them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from .base import Model


class Organization(Model):
    """The top of everything: owns environments."""

    id: UUID
    name: str
    created_at: datetime


class Environment(Model):
    """A walled part of an organization. ``identifier`` is public (the Inbox's applicationIdentifier)."""

    id: UUID
    organization_id: UUID
    name: str
    slug: str
    identifier: str
    type: Literal["dev", "prod"]
    created_at: datetime
    updated_at: datetime


class ApiKey(Model):
    """A secret key of one environment, without the secret itself. ``hint`` is its last four characters."""

    id: UUID
    environment_id: UUID
    name: str
    hint: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class Caller(Model):
    """Who is calling: the environment that a secret key opened."""

    organization_id: UUID
    environment: Environment
    key_id: UUID
