-- Contexts: what an event happens in (a tenant, an app), by type and id; whom it may be shown to follows from it.

create table novukit_context (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    type text not null,
    context_id text not null,
    data jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, type, context_id)
);
create index novukit_context_page on novukit_context (environment_id, id);

-- `context` is {"tenant": {"id": "acme", "data": {}}} as it was when the event was accepted. `context_keys` is its keys
-- as one text, sorted and joined: 'app:shop,tenant:acme'; '' where there is none.
alter table novukit_event add column context jsonb;
alter table novukit_event add column context_keys text not null default '';
alter table novukit_message add column context_keys text not null default '';

-- A subscriber may have several subscriptions to one topic, by identifier, each within a context and with preferences
-- of its own. The old table held one for each; SQLite cannot drop a constraint, so the table is made anew.
create table novukit_topic_subscription_next (
    id uuid primary key,
    environment_id uuid not null,
    topic_id uuid not null references novukit_topic (id) on delete cascade,
    subscriber_uuid uuid not null references novukit_subscriber (id) on delete cascade,
    identifier text not null,
    name text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    context_keys text not null default '',
    preferences jsonb,
    unique (environment_id, topic_id, identifier)
);
insert into novukit_topic_subscription_next
    (id, environment_id, topic_id, subscriber_uuid, identifier, name, created_at, updated_at)
    select id, environment_id, topic_id, subscriber_uuid, identifier, name, created_at, updated_at
    from novukit_topic_subscription;
drop table novukit_topic_subscription;
alter table novukit_topic_subscription_next rename to novukit_topic_subscription;
create index novukit_topic_subscription_page on novukit_topic_subscription (environment_id, topic_id, id);
-- The members that an event goes to, in their order: those of its context; and those of them who have said more.
create index novukit_topic_subscription_member
    on novukit_topic_subscription (environment_id, topic_id, context_keys, subscriber_uuid);
create index novukit_topic_subscription_particular
    on novukit_topic_subscription (environment_id, topic_id, context_keys, subscriber_uuid)
    where preferences is not null;
create index novukit_topic_subscription_subscriber on novukit_topic_subscription (subscriber_uuid);
