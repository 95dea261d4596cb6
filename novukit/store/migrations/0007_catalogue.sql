-- What messages are made of besides code: layouts, translations, variables; each of one environment.

-- Another number after each change of them. Workers read it with what they read anyway, and only then look further.
alter table novukit_environment add column catalogue integer not null default 0;

create table novukit_layout (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    layout_id text not null,
    name text not null,
    body text not null,
    is_default boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, layout_id)
);
create unique index novukit_layout_default on novukit_layout (environment_id) where is_default;

create table novukit_translation (
    environment_id uuid not null references novukit_environment (id),
    resource_type text not null,
    resource_id text not null,
    locale text not null,
    content jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (environment_id, resource_type, resource_id, locale)
);

-- `value` is sealed, whether it is a secret or not; null until there is one.
create table novukit_variable (
    id uuid primary key,
    environment_id uuid not null references novukit_environment (id),
    key text not null,
    is_secret boolean not null,
    value text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (environment_id, key)
);
