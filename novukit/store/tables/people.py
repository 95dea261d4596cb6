"""Whom it reaches: subscribers, their addresses and choices, topics."""

from piccolo.columns import JSONB, UUID, Boolean, Text, Timestamptz
from piccolo.table import Table


class Subscriber(Table, tablename="novukit_subscriber"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    subscriber_id = Text(default=None)
    first_name = Text(null=True, default=None)
    last_name = Text(null=True, default=None)
    email = Text(null=True, default=None)
    phone = Text(null=True, default=None)
    avatar = Text(null=True, default=None)
    locale = Text(null=True, default=None)
    timezone = Text(null=True, default=None)
    data = JSONB(default=None)
    is_online = Boolean(null=True, default=None)
    last_online_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class SubscriberChannel(Table, tablename="novukit_subscriber_channel"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    subscriber_uuid = UUID(default=None)
    provider_id = Text(default=None)
    integration_identifier = Text(default=None)
    device_tokens = JSONB(default=None)
    webhook_url = Text(null=True, default=None)
    channel = Text(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    registered_at = Timestamptz(null=True, default=None)


class Topic(Table, tablename="novukit_topic"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    key = Text(default=None)
    name = Text(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class TopicSubscription(Table, tablename="novukit_topic_subscription"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    topic_id = UUID(default=None)
    subscriber_uuid = UUID(default=None)
    identifier = Text(default=None)
    name = Text(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    context_keys = Text(default="")
    preferences = JSONB(null=True, default=None)


class Preference(Table, tablename="novukit_preference"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    subscriber_uuid = UUID(default=None)
    workflow_id = Text(default=None)
    channels = JSONB(default=None)
    schedule = JSONB(null=True, default=None)
    updated_at = Timestamptz(default=None)


class Context(Table, tablename="novukit_context"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    type = Text(default=None)
    context_id = Text(default=None)
    data = JSONB(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class Suppression(Table, tablename="novukit_suppression"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    channel = Text(default=None)
    address = Text(default=None)
    reason = Text(default=None)
    created_at = Timestamptz(default=None)
    released_at = Timestamptz(null=True, default=None)
    detail = Text(default="")


class SuppressionLine(Table, tablename="novukit_suppression_line"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    suppression_id = UUID(default=None)
    kind = Text(default=None)
    reason = Text(default=None)
    said_by = Text(default=None)
    detail = Text(default=None)
    at = Timestamptz(default=None)
