"""What it does: events, executions, checkpoints, digests, throttles, and the activity that tells of them."""

from piccolo.columns import JSONB, UUID, Integer, Text, Timestamptz
from piccolo.table import Table


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
    context = JSONB(null=True, default=None)
    context_keys = Text(default="")


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
