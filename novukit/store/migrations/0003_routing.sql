-- Several integrations for one channel: when each is used, its share, its pace; and the way that a message has taken.

-- What is said of its routing: when, weight, rate, on_unknown. Always read and written as a whole.
alter table novukit_integration add column routing jsonb not null default '{}';

-- Integrations that a step has left, and the moment that is kept for it: {"left": [[id, attempts], …], "slot": time}.
alter table novukit_checkpoint add column way jsonb;

-- The next moment that no message of an integration has taken, in seconds since 1970: the bucket of all workers.
create table novukit_pace (
    environment_id uuid not null,
    integration_id uuid not null,
    free_at double precision not null,
    primary key (environment_id, integration_id)
);

-- Integrations that a worker gives a rest. Gone with the worker.
create table novukit_circuit (
    environment_id uuid not null,
    integration_id uuid not null,
    worker_id uuid not null references novukit_worker (id) on delete cascade,
    opened_at timestamptz not null,
    detail text not null,
    primary key (environment_id, integration_id, worker_id)
);
create index novukit_circuit_worker on novukit_circuit (worker_id);
