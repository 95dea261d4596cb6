-- What vendors tell of messages after they were sent, and whom one must not write to any more.

-- What happened to a message, each with the first time that it did. Times only ever get earlier, so the order in which
-- they are told makes no difference. `status` beside them stays what came of the call.
alter table novukit_message add column delivered_at timestamptz;
alter table novukit_message add column opened_at timestamptz;
alter table novukit_message add column clicked_at timestamptz;
alter table novukit_message add column bounced_at timestamptz;
alter table novukit_message add column complained_at timestamptz;
alter table novukit_message add column unsubscribed_at timestamptz;
alter table novukit_message add column undelivered_at timestamptz;
-- The idempotency key again, of a message whose outcome is or was unknown: there is no vendor's id to find it by.
alter table novukit_message add column doubtful_key text;
create index novukit_message_told on novukit_message (environment_id, integration_id, provider_message_id)
    where provider_message_id is not null;
create index novukit_message_doubtful on novukit_message (environment_id, doubtful_key) where doubtful_key is not null;

-- What was told, each once. `look_at`: its message is not on record yet; when to look for it again.
create table novukit_delivery_event (
    id uuid primary key,
    environment_id uuid not null,
    integration_id uuid not null,
    event_id text not null,
    kind text not null,
    provider_message_id text,
    key text,
    recipient text,
    permanent boolean not null,
    tokens jsonb not null,
    detail text not null default '',
    at timestamptz not null,
    received_at timestamptz not null,
    look_at timestamptz,
    message_id uuid,
    unique (environment_id, integration_id, event_id)
);
create index novukit_delivery_event_look on novukit_delivery_event (look_at) where look_at is not null;
create index novukit_delivery_event_message on novukit_delivery_event (environment_id, message_id)
    where message_id is not null;

-- Why an address is suppressed. Each change of it has a line that stays.
alter table novukit_suppression add column detail text not null default '';
create index novukit_suppression_page on novukit_suppression (environment_id, id);
create table novukit_suppression_line (
    id uuid primary key,
    environment_id uuid not null,
    suppression_id uuid not null references novukit_suppression (id) on delete cascade,
    kind text not null,
    reason text not null,
    said_by text not null,
    detail text not null default '',
    at timestamptz not null
);
create index novukit_suppression_line_of on novukit_suppression_line (environment_id, suppression_id, id);

-- When the device tokens were registered last; one that a vendor calls gone as of an earlier time may be back.
alter table novukit_subscriber_channel add column registered_at timestamptz;
