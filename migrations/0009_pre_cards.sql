-- The messages that are kept current, by their ids. Null: there is none, or an older version
-- posted it.

-- The first message of a ticket, with its state.
alter table tickets add column card_message_id bigint;

alter table close_requests
    -- Who moved the deadline last; 0 is an operator.
    add column extended_by_id bigint,
    -- The reply that tells of more time.
    add column extension_message_id bigint,
    -- The reminder in the ticket.
    add column reminder_message_id bigint;
