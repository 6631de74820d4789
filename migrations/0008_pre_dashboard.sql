-- What `ticket_events` add up to, by the hour: figures outlive the tickets they are of.
create table hourly_figures (
    hour     timestamptz not null,
    event    text not null,
    -- Rounded up to two digits; -1 where nothing was timed.
    late_ms  bigint not null,
    number   bigint not null,
    primary key (hour, event, late_ms)
);

-- One row, once something is counted: up to which event.
create table figures_progress (
    only_row  boolean primary key default true check (only_row),
    event_id  bigint not null default 0
);

-- Lists of tickets, newest first, a page at a time.
create index tickets_unclosed on tickets (id) where status <> 'closed';
create index tickets_closing on tickets (id) where status = 'closing';
create index tickets_by_guild on tickets (guild_id, id);

-- What Discord has refused so far.
create index effects_failing on effects (ticket_id) where failures > 0;
