"""Who owns what: organizations, their environments, keys, and answers that are kept for a day."""

from piccolo.columns import JSONB, UUID, Integer, Text, Timestamptz
from piccolo.table import Table


class Organization(Table, tablename="novukit_organization"):
    id = UUID(primary_key=True)
    name = Text(default=None)
    created_at = Timestamptz(default=None)


class Environment(Table, tablename="novukit_environment"):
    id = UUID(primary_key=True)
    organization_id = UUID(default=None)
    name = Text(default=None)
    slug = Text(default=None)
    identifier = Text(default=None)
    type = Text(default=None)
    inbox_secret = Text(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    catalogue = Integer(default=0)


class ApiKey(Table, tablename="novukit_api_key"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    name = Text(default=None)
    hash = Text(default=None)
    secret = Text(default=None)
    hint = Text(default=None)
    created_at = Timestamptz(default=None)
    last_used_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class Idempotency(Table, tablename="novukit_idempotency"):
    environment_id = UUID(primary_key=True)
    key = Text(default=None)
    fingerprint = Text(default=None)
    status = Integer(null=True, default=None)
    response = Text(null=True, default=None)
    created_at = Timestamptz(default=None)


class Outbox(Table, tablename="novukit_outbox"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    kind = Text(default=None)
    body = JSONB(default=None)
    attempts = Integer(default=None)
    deliver_at = Timestamptz(default=None)
    delivered_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
