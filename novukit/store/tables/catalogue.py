"""What an environment can do: workflows and integrations, and how the latter fare."""

from piccolo.columns import JSONB, UUID, Boolean, DoublePrecision, Integer, Text, Timestamptz
from piccolo.table import Table


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
    remote = Boolean(default=False)


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
