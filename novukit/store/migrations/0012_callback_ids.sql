-- A message is looked up by its vendor's id where the vendor tells of it later, and only there. In an index on every id
-- each message that went out was written into all indexes anew.
alter table novukit_message add column callback_id text;
update novukit_message set callback_id = provider_message_id where provider_message_id is not null;
drop index novukit_message_told;
create index novukit_message_told on novukit_message (environment_id, integration_id, callback_id)
    where callback_id is not null;
-- What became of a message is written into its own page: there must be room for two in three.
alter table novukit_message set (fillfactor = 60);
