-- When a notification came back from a snooze by itself, the last time that it did.
alter table novukit_message add column returned_at timestamptz;
-- Only what is snoozed is in it: the sweep looks at its beginning, and finds nothing where nobody snoozes.
create index novukit_message_snoozed on novukit_message (snoozed_until) where snoozed_until is not null;
