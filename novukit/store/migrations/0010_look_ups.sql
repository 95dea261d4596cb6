-- While a table is young Postgres takes any index that begins with the environment for as good as the one that leads to
-- the row, and plans that read a whole environment are kept.

-- Triggers look subscribers up by name: an index that begins with the name leaves no choice.
create index novukit_subscriber_name on novukit_subscriber (subscriber_id, environment_id);

-- Of equals it takes the newest. (SQLite takes the one that fits best, and cannot make a key anew.)
alter table novukit_execution drop constraint novukit_execution_pkey, add primary key (environment_id, id);
alter table novukit_message drop constraint novukit_message_pkey, add primary key (environment_id, id);
