-- What whoever keeps novukit running needs: finding what wants attention, and knowing what nobody needs any more.

-- The W3C traceparent of the request that triggered the event: its trace goes on in the workers.
alter table novukit_event add column trace text;

-- When nothing looks back at the row any more: the end of a throttle's window, of a digest's look-back.
alter table novukit_throttle_pass add column expires_at timestamptz;
create index novukit_throttle_pass_expired on novukit_throttle_pass (expires_at);
alter table novukit_digest_window add column expires_at timestamptz;

-- Few rows at any time: what a person must decide. (Not on messages: an index that names their status would make
-- every change of it touch all indexes.)
create index novukit_execution_attention on novukit_execution (environment_id, status, id)
    where status = 'parked' or reason = 'outcome_unknown';
