-- Who reads what in which language.

-- As Discord named the opener's language when the ticket was opened: `de`, `en-GB`. Null: not known.
alter table tickets add column opener_locale text;

-- What /language has set; null: the server's language on Discord.
alter table guild_settings add column locale text;
