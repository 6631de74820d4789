-- How long things are kept, and the end of a member's or a server's data.

-- When the bot was last seen to have left; null while it is there.
alter table guild_settings add column left_at timestamptz;
create index guild_settings_left on guild_settings (left_at) where left_at is not null;

-- The highest number that a deleted ticket had: numbers are not given twice.
alter table guild_settings add column last_number bigint not null default 0;

create index tickets_by_end on tickets (closed_at, id) where status = 'closed';
create index tickets_by_member on tickets (opener_id, id);
create index ticket_events_by_actor on ticket_events (actor_id) where actor_id is not null;

-- One row: when what is too old is looked for next. Null: there is nothing to look for.
create table cleanup (
    id       bigint primary key default 1 check (id = 1),
    due_at   timestamptz
);

-- Members who asked to be forgotten, until it is done. Guild 0 is every guild.
create table erasures (
    user_id       bigint not null,
    guild_id      bigint not null default 0,
    requested_at  timestamptz not null default now(),
    primary key (user_id, guild_id)
);
