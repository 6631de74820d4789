-- How often the opener has asked for more time on a close request.

alter table close_requests add column extensions integer not null default 0;
