-- Each commit of a worker asks which of its executions are to stop. Mostly none is, and an empty index says so at once.
create index novukit_execution_stopping on novukit_execution (cancel_requested_at)
    where status = 'running' and cancel_requested_at is not null;
