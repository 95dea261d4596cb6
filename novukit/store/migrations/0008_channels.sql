-- Workspaces that have let an integration's app in. `auth` is sealed.
create table novukit_channel_connection (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    identifier text not null,
    integration_id uuid not null references novukit_integration (id) on delete cascade,
    subscriber_uuid uuid references novukit_subscriber (id) on delete cascade,
    context_keys text not null default '',
    workspace jsonb not null,
    auth text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, identifier)
);
create index novukit_channel_connection_page on novukit_channel_connection (environment_id, id);
create index novukit_channel_connection_integration on novukit_channel_connection (integration_id);
create index novukit_channel_connection_subscriber on novukit_channel_connection (subscriber_uuid)
    where subscriber_uuid is not null;

-- Where integrations reach subscribers, one row for each place.
create table novukit_channel_endpoint (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    identifier text not null,
    integration_id uuid not null references novukit_integration (id) on delete cascade,
    connection_id uuid references novukit_channel_connection (id) on delete cascade,
    subscriber_uuid uuid not null references novukit_subscriber (id) on delete cascade,
    context_keys text not null default '',
    type text not null,
    endpoint jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, identifier)
);
create index novukit_channel_endpoint_page on novukit_channel_endpoint (environment_id, id);
create index novukit_channel_endpoint_subscriber on novukit_channel_endpoint (environment_id, subscriber_uuid, id);
create index novukit_channel_endpoint_integration on novukit_channel_endpoint (integration_id);
create index novukit_channel_endpoint_connection on novukit_channel_endpoint (connection_id)
    where connection_id is not null;
create index novukit_channel_endpoint_person on novukit_channel_endpoint (subscriber_uuid);

-- Which topics a trigger named; kept beside the event, for its own list of them shrinks as they are expanded.
create table novukit_event_topic (
    environment_id uuid not null,
    event_id uuid not null references novukit_event (id) on delete cascade,
    topic_id uuid not null,
    topic_key text not null,
    primary key (environment_id, event_id, topic_id)
);
create index novukit_event_topic_key on novukit_event_topic (environment_id, topic_key, event_id);
create index novukit_event_topic_event on novukit_event_topic (event_id);
