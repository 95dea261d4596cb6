"""The tables as Piccolo sees them. Nothing outside ``store`` imports this module.

``tests/store`` holds it to the schema that the migrations make.
"""

from piccolo.columns import JSONB, UUID, Boolean, DoublePrecision, Integer, Text, Timestamptz
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


class Workflow(Table, tablename="novukit_workflow"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    workflow_id = Text(default=None)
    version = Text(default=None)
    spec = JSONB(default=None)
    active = Boolean(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    last_triggered_at = Timestamptz(null=True, default=None)


class WorkflowVersion(Table, tablename="novukit_workflow_version"):
    environment_id = UUID(primary_key=True)
    workflow_id = Text(default=None)
    version = Text(default=None)
    spec = JSONB(default=None)
    created_at = Timestamptz(default=None)


class Integration(Table, tablename="novukit_integration"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    identifier = Text(default=None)
    name = Text(default=None)
    provider_id = Text(default=None)
    channel = Text(default=None)
    active = Boolean(default=None)
    is_primary = Boolean(default=None)
    concurrency = Integer(null=True, default=None)
    credentials = Text(default=None)
    conditions = JSONB(default=None)
    routing = JSONB(default={})
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class Pace(Table, tablename="novukit_pace"):
    environment_id = UUID(primary_key=True)
    integration_id = UUID(default=None)
    free_at = DoublePrecision(default=None)


class Circuit(Table, tablename="novukit_circuit"):
    environment_id = UUID(primary_key=True)
    integration_id = UUID(default=None)
    worker_id = UUID(default=None)
    opened_at = Timestamptz(default=None)
    detail = Text(default=None)


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


class Preference(Table, tablename="novukit_preference"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    subscriber_uuid = UUID(default=None)
    workflow_id = Text(default=None)
    channels = JSONB(default=None)
    schedule = JSONB(null=True, default=None)
    updated_at = Timestamptz(default=None)


class Event(Table, tablename="novukit_event"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    transaction_id = Text(default=None)
    workflow_id = Text(default=None)
    workflow_version = Text(default=None)
    payload = JSONB(default=None)
    overrides = JSONB(default=None)
    actor = JSONB(null=True, default=None)
    tenant = JSONB(null=True, default=None)
    recipients = JSONB(null=True, default=None)
    fingerprint = Text(default=None)
    status = Text(default=None)
    cursor = UUID(null=True, default=None)
    executions = Integer(default=None)
    created_at = Timestamptz(default=None)
    trace = Text(null=True, default=None)


class Worker(Table, tablename="novukit_worker"):
    id = UUID(primary_key=True)
    host = Text(default=None)
    pid = Integer(default=None)
    lease_until = Timestamptz(default=None)
    started_at = Timestamptz(default=None)


class Execution(Table, tablename="novukit_execution"):
    environment_id = UUID(primary_key=True)
    id = UUID(default=None)
    event_id = UUID(default=None)
    workflow_id = Text(default=None)
    workflow_version = Text(null=True, default=None)
    subscriber_uuid = UUID(default=None)
    subscriber_id = Text(default=None)
    status = Text(default=None)
    wake_at = Timestamptz(null=True, default=None)
    worker_id = UUID(null=True, default=None)
    cancel_requested_at = Timestamptz(null=True, default=None)
    runs = Integer(default=None)
    takeovers = Integer(default=0)
    step = Text(null=True, default=None)
    reason = Text(null=True, default=None)
    detail = Text(default=None)
    created_at = Timestamptz(default=None)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class Checkpoint(Table, tablename="novukit_checkpoint"):
    environment_id = UUID(primary_key=True)
    execution_id = UUID(default=None)
    step_id = Text(default=None)
    step_key = Text(default=None)
    kind = Text(default=None)
    status = Text(default=None)
    result = JSONB(null=True, default=None)
    reason = Text(null=True, default=None)
    detail = Text(default=None)
    attempts = Integer(default=None)
    args_hash = Text(default=None)
    position = Integer(default=None)
    message_id = UUID(null=True, default=None)
    wake_at = Timestamptz(null=True, default=None)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)
    way = JSONB(null=True, default=None)


class Message(Table, tablename="novukit_message"):
    environment_id = UUID(primary_key=True)
    id = UUID(default=None)
    execution_id = UUID(default=None)
    event_id = UUID(default=None)
    transaction_id = Text(default=None)
    workflow_id = Text(default=None)
    subscriber_uuid = UUID(default=None)
    subscriber_id = Text(default=None)
    step_id = Text(default=None)
    step_key = Text(default=None)
    channel = Text(default=None)
    status = Text(default=None)
    content = JSONB(default=None)
    provider_id = Text(null=True, default=None)
    integration_id = UUID(null=True, default=None)
    provider_message_id = Text(null=True, default=None)
    idempotency_key = Text(default=None)
    attempts = Integer(default=None)
    possible_duplicate = Boolean(default=None)
    error = Text(null=True, default=None)
    severity = Text(default=None)
    critical = Boolean(default=None)
    tags = JSONB(default=None)
    seen_at = Timestamptz(null=True, default=None)
    read_at = Timestamptz(null=True, default=None)
    archived_at = Timestamptz(null=True, default=None)
    snoozed_until = Timestamptz(null=True, default=None)
    primary_done_at = Timestamptz(null=True, default=None)
    secondary_done_at = Timestamptz(null=True, default=None)
    sent_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    delivered_at = Timestamptz(null=True, default=None)
    opened_at = Timestamptz(null=True, default=None)
    clicked_at = Timestamptz(null=True, default=None)
    bounced_at = Timestamptz(null=True, default=None)
    complained_at = Timestamptz(null=True, default=None)
    unsubscribed_at = Timestamptz(null=True, default=None)
    undelivered_at = Timestamptz(null=True, default=None)
    doubtful_key = Text(null=True, default=None)


class DigestWindow(Table, tablename="novukit_digest_window"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    workflow_id = Text(default=None)
    step_id = Text(default=None)
    subscriber_uuid = UUID(default=None)
    digest_key = Text(default=None)
    status = Text(default=None)
    owner_execution_id = UUID(default=None)
    opened_at = Timestamptz(default=None)
    closes_at = Timestamptz(default=None)
    closed_at = Timestamptz(null=True, default=None)
    last_event_at = Timestamptz(default=None)
    expires_at = Timestamptz(null=True, default=None)


class DigestMember(Table, tablename="novukit_digest_member"):
    environment_id = UUID(primary_key=True)
    window_id = UUID(default=None)
    execution_id = UUID(default=None)
    event_id = UUID(default=None)
    joined_at = Timestamptz(default=None)


class ThrottlePass(Table, tablename="novukit_throttle_pass"):
    environment_id = UUID(primary_key=True)
    execution_id = UUID(default=None)
    step_id = Text(default=None)
    step_key = Text(default=None)
    workflow_id = Text(default=None)
    subscriber_uuid = UUID(default=None)
    throttle_key = Text(default=None)
    at = Timestamptz(default=None)
    expires_at = Timestamptz(null=True, default=None)


class Activity(Table, tablename="novukit_activity"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    event_id = UUID(default=None)
    execution_id = UUID(null=True, default=None)
    kind = Text(default=None)
    step = Text(default=None)
    reason = Text(null=True, default=None)
    detail = Text(default=None)
    message_id = UUID(null=True, default=None)
    at = Timestamptz(default=None)


class Idempotency(Table, tablename="novukit_idempotency"):
    environment_id = UUID(primary_key=True)
    key = Text(default=None)
    fingerprint = Text(default=None)
    status = Integer(null=True, default=None)
    response = Text(null=True, default=None)
    created_at = Timestamptz(default=None)


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


class DeliveryEvent(Table, tablename="novukit_delivery_event"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    integration_id = UUID(default=None)
    event_id = Text(default=None)
    kind = Text(default=None)
    provider_message_id = Text(null=True, default=None)
    key = Text(null=True, default=None)
    recipient = Text(null=True, default=None)
    permanent = Boolean(default=None)
    tokens = JSONB(default=None)
    detail = Text(default=None)
    at = Timestamptz(default=None)
    received_at = Timestamptz(default=None)
    look_at = Timestamptz(null=True, default=None)
    message_id = UUID(null=True, default=None)


class Outbox(Table, tablename="novukit_outbox"):
    id = UUID(primary_key=True)
    environment_id = UUID(default=None)
    kind = Text(default=None)
    body = JSONB(default=None)
    attempts = Integer(default=None)
    deliver_at = Timestamptz(default=None)
    delivered_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


TABLES: tuple[type[Table], ...] = (
    Organization,
    Environment,
    ApiKey,
    Workflow,
    WorkflowVersion,
    Integration,
    Pace,
    Subscriber,
    SubscriberChannel,
    Topic,
    TopicSubscription,
    Preference,
    Event,
    Worker,
    Circuit,
    Execution,
    Checkpoint,
    Message,
    DigestWindow,
    DigestMember,
    ThrottlePass,
    Activity,
    Idempotency,
    Suppression, SuppressionLine, DeliveryEvent, Outbox,
)  # fmt: skip
