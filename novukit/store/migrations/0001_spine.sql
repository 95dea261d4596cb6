-- The first schema: everything from the organization down to the activity line.
-- Written in Postgres' words; for SQLite the migrator turns `jsonb` into `text` and leaves
-- `with (…)` out, the rest is the same on both.
-- Rows that are written twice, an intent and then its answer, leave room on their page for the second (fillfactor).
-- Whatever carries an environment has environment_id in its unique keys.

create table novukit_organization (
    id uuid primary key,
    name text not null,
    created_at timestamptz not null
);

create table novukit_environment (
    id uuid primary key,
    organization_id uuid not null references novukit_organization (id),
    name text not null,
    slug text not null,
    identifier text not null unique,
    type text not null,
    inbox_secret text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, slug)
);

create table novukit_api_key (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    name text not null,
    hash text not null unique,
    secret text not null,
    hint text not null,
    created_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz
);
create index novukit_api_key_environment on novukit_api_key (environment_id);

create table novukit_workflow (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    workflow_id text not null,
    version text not null,
    spec jsonb not null,
    active boolean not null default true,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    last_triggered_at timestamptz,
    unique (environment_id, workflow_id)
);

create table novukit_workflow_version (
    environment_id uuid not null references novukit_environment (id),
    workflow_id text not null,
    version text not null,
    spec jsonb not null,
    created_at timestamptz not null,
    primary key (environment_id, workflow_id, version)
);

create table novukit_integration (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    identifier text not null,
    name text not null,
    provider_id text not null,
    channel text not null,
    active boolean not null,
    is_primary boolean not null,
    concurrency integer,
    credentials text not null,
    conditions jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, identifier)
);
create unique index novukit_integration_primary on novukit_integration (environment_id, channel) where is_primary;

create table novukit_subscriber (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    subscriber_id text not null,
    first_name text,
    last_name text,
    email text,
    phone text,
    avatar text,
    locale text,
    timezone text,
    data jsonb not null,
    is_online boolean,
    last_online_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, subscriber_id)
);
create index novukit_subscriber_page on novukit_subscriber (environment_id, id);

create table novukit_subscriber_channel (
    id uuid primary key,
    environment_id uuid not null,
    subscriber_uuid uuid not null references novukit_subscriber (id) on delete cascade,
    provider_id text not null,
    integration_identifier text not null default '',
    device_tokens jsonb not null,
    webhook_url text,
    channel text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, subscriber_uuid, provider_id, integration_identifier)
);

create table novukit_topic (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    key text not null,
    name text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, key)
);
create index novukit_topic_page on novukit_topic (environment_id, id);

create table novukit_topic_subscription (
    id uuid primary key,
    environment_id uuid not null,
    topic_id uuid not null references novukit_topic (id) on delete cascade,
    subscriber_uuid uuid not null references novukit_subscriber (id) on delete cascade,
    identifier text not null,
    name text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, topic_id, subscriber_uuid),
    unique (environment_id, topic_id, identifier)
);
create index novukit_topic_subscription_page on novukit_topic_subscription (environment_id, topic_id, id);
create index novukit_topic_subscription_subscriber on novukit_topic_subscription (subscriber_uuid);

create table novukit_preference (
    id uuid primary key,
    environment_id uuid not null,
    subscriber_uuid uuid not null references novukit_subscriber (id) on delete cascade,
    workflow_id text not null default '',
    channels jsonb not null,
    schedule jsonb,
    updated_at timestamptz not null,
    unique (environment_id, subscriber_uuid, workflow_id)
);

create table novukit_event (
    id uuid primary key,
    environment_id uuid not null,
    transaction_id text not null,
    workflow_id text not null,
    workflow_version text not null,
    payload jsonb not null,
    overrides jsonb not null,
    actor jsonb,
    tenant jsonb,
    recipients jsonb,
    fingerprint text not null,
    status text not null,
    cursor uuid,
    executions integer not null default 0,
    created_at timestamptz not null,
    unique (environment_id, transaction_id)
);
create index novukit_event_expanding on novukit_event (id) where status = 'expanding';

create table novukit_worker (
    id uuid primary key,
    host text not null,
    pid integer not null,
    lease_until timestamptz not null,
    started_at timestamptz not null
);

create table novukit_execution (
    environment_id uuid not null,
    id uuid not null,
    event_id uuid not null,
    workflow_id text not null,
    workflow_version text,
    subscriber_uuid uuid not null,
    subscriber_id text not null,
    status text not null,
    wake_at timestamptz,
    worker_id uuid,
    cancel_requested_at timestamptz,
    runs integer not null default 0,
    takeovers integer not null default 0,
    step text,
    reason text,
    detail text not null default '',
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    primary key (environment_id, id),
    unique (environment_id, event_id, subscriber_uuid)
);
create index novukit_execution_due on novukit_execution (environment_id, wake_at, id) where status in ('pending', 'waiting');
create index novukit_execution_owned on novukit_execution (worker_id) where worker_id is not null;

create table novukit_checkpoint (
    environment_id uuid not null,
    execution_id uuid not null,
    step_id text not null,
    step_key text not null default '',
    kind text not null,
    status text not null,
    result jsonb,
    reason text,
    detail text not null default '',
    attempts integer not null default 0,
    args_hash text not null default '',
    position integer not null default 0,
    message_id uuid,
    wake_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    primary key (environment_id, execution_id, step_id, step_key)
) with (fillfactor = 75);

create table novukit_message (
    environment_id uuid not null,
    id uuid not null,
    execution_id uuid not null,
    event_id uuid not null,
    transaction_id text not null,
    workflow_id text not null,
    subscriber_uuid uuid not null,
    subscriber_id text not null,
    step_id text not null,
    step_key text not null default '',
    channel text not null,
    status text not null,
    content jsonb not null,
    provider_id text,
    integration_id uuid,
    provider_message_id text,
    idempotency_key text not null,
    attempts integer not null default 0,
    possible_duplicate boolean not null default false,
    error text,
    severity text not null default 'none',
    critical boolean not null default false,
    tags jsonb not null,
    seen_at timestamptz,
    read_at timestamptz,
    archived_at timestamptz,
    snoozed_until timestamptz,
    primary_done_at timestamptz,
    secondary_done_at timestamptz,
    sent_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (environment_id, id),
    unique (environment_id, execution_id, step_id, step_key)
) with (fillfactor = 75);
create index novukit_message_subscriber on novukit_message (environment_id, subscriber_uuid, id);
create index novukit_message_unread on novukit_message (environment_id, subscriber_uuid)
    where channel = 'in_app' and read_at is null and archived_at is null;

create table novukit_digest_window (
    id uuid primary key,
    environment_id uuid not null,
    workflow_id text not null,
    step_id text not null,
    subscriber_uuid uuid not null,
    digest_key text not null,
    status text not null,
    owner_execution_id uuid not null,
    opened_at timestamptz not null,
    closes_at timestamptz not null,
    closed_at timestamptz,
    last_event_at timestamptz not null
);
create unique index novukit_digest_window_open
    on novukit_digest_window (environment_id, workflow_id, step_id, subscriber_uuid, digest_key)
    where status = 'open';
create index novukit_digest_window_recent
    on novukit_digest_window (environment_id, workflow_id, step_id, subscriber_uuid, digest_key, last_event_at);
create index novukit_digest_window_owner on novukit_digest_window (owner_execution_id) where status = 'open';

create table novukit_digest_member (
    environment_id uuid not null,
    window_id uuid not null references novukit_digest_window (id) on delete cascade,
    execution_id uuid not null,
    event_id uuid not null,
    joined_at timestamptz not null,
    primary key (environment_id, window_id, execution_id)
);

create table novukit_throttle_pass (
    environment_id uuid not null,
    execution_id uuid not null,
    step_id text not null,
    step_key text not null default '',
    workflow_id text not null,
    subscriber_uuid uuid not null,
    throttle_key text not null,
    at timestamptz not null,
    primary key (environment_id, execution_id, step_id, step_key)
);
create index novukit_throttle_pass_window
    on novukit_throttle_pass (environment_id, workflow_id, step_id, subscriber_uuid, throttle_key, at);

-- A line is about one execution or about the event itself; each has an index that holds only its own.
create table novukit_activity (
    id uuid not null,
    environment_id uuid not null,
    event_id uuid not null,
    execution_id uuid,
    kind text not null,
    step text not null default '',
    reason text,
    detail text not null default '',
    message_id uuid,
    at timestamptz not null
);
create unique index novukit_activity_execution on novukit_activity (environment_id, execution_id, id)
    where execution_id is not null;
create unique index novukit_activity_event on novukit_activity (environment_id, event_id, id)
    where execution_id is null;

create table novukit_idempotency (
    environment_id uuid not null,
    key text not null,
    fingerprint text not null,
    status integer,
    response text,
    created_at timestamptz not null,
    primary key (environment_id, key)
);

create table novukit_suppression (
    id uuid primary key,
    environment_id uuid not null,
    channel text not null,
    address text not null,
    reason text not null,
    created_at timestamptz not null,
    released_at timestamptz,
    unique (environment_id, channel, address)
);

create table novukit_outbox (
    id uuid primary key,
    environment_id uuid not null,
    kind text not null,
    body jsonb not null,
    attempts integer not null default 0,
    deliver_at timestamptz not null,
    delivered_at timestamptz,
    created_at timestamptz not null
);
create index novukit_outbox_due on novukit_outbox (deliver_at) where delivered_at is null;
