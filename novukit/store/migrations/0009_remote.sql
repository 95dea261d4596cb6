-- Workflows that run elsewhere: in an application with Novu's framework, which is asked step by step.

-- Where each environment's application is, and with which of its keys the calls are signed: the one with which it was
-- synced, for that is the one that the application knows.
create table novukit_bridge (
    environment_id uuid primary key references novukit_environment (id) on delete cascade,
    url text not null,
    key_id uuid,
    updated_at timestamptz not null
);

-- Whether a workflow runs there. All others are the code's.
alter table novukit_workflow add column remote boolean not null default false;
create index novukit_workflow_remote on novukit_workflow (environment_id, workflow_id) where remote;
