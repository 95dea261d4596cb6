-- Triggers look subscribers up by name. While the table is young Postgres takes any index that begins with the
-- environment for as good as the one with the name, and reads the whole environment; this one begins with the name.
create index novukit_subscriber_name on novukit_subscriber (subscriber_id, environment_id);
