"""Where providers reach people beside their profile, and which topics an event named."""

from piccolo.columns import JSONB, UUID, Text, Timestamptz
from piccolo.table import Table


class ChannelConnection(Table, tablename="novukit_channel_connection"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    identifier = Text(default=None)
    integration_id = UUID(default=None)
    subscriber_uuid = UUID(null=True, default=None)
    context_keys = Text(default="")
    workspace = JSONB(default=None)
    auth = Text(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class ChannelEndpoint(Table, tablename="novukit_channel_endpoint"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    identifier = Text(default=None)
    integration_id = UUID(default=None)
    connection_id = UUID(null=True, default=None)
    subscriber_uuid = UUID(default=None)
    context_keys = Text(default="")
    type = Text(default=None)
    endpoint = JSONB(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class EventTopic(Table, tablename="novukit_event_topic"):
    environment_id = UUID(primary_key=True)
    event_id = UUID(default=None)
    topic_id = UUID(default=None)
    topic_key = Text(default=None)
