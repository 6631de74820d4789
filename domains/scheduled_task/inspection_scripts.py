"""The Lua scripts behind the operator's view: each looks and acts in one step, so that what was
true on the page is true when it happens, or nothing happens.

`incomplete` is SAQ's sorted set of all unfinished jobs: the score is the due time, 0 once the
job is queued or active.
"""

COUNTS = """
-- KEYS incomplete, queued, active, completed, failed; ARGV oldest completed, oldest failed.
-- Returns waiting, delayed, active, completed, failed.
return {
    redis.call('LLEN', KEYS[2]),
    redis.call('ZCOUNT', KEYS[1], '(0', '+inf'),
    redis.call('LLEN', KEYS[3]),
    redis.call('ZCOUNT', KEYS[4], ARGV[1], '+inf'),
    redis.call('ZCOUNT', KEYS[5], ARGV[2], '+inf'),
}
"""

WORKERS = """
-- KEYS stats. Returns name, what the worker said, and for how many ms its heartbeat still lasts.
local heartbeats = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local said = redis.call('GET', name)
    if said then heartbeats[#heartbeats + 1] = {name, said, redis.call('PTTL', name)} end
end
return heartbeats
"""

PAGE = """
-- KEYS list or sorted set; ARGV order, offset, limit. Returns pairs of id and record.
local first, last = tonumber(ARGV[2]), tonumber(ARGV[2]) + tonumber(ARGV[3]) - 1
local ids
if ARGV[1] == 'as queued' then
    ids = redis.call('LRANGE', KEYS[1], first, last)
elseif ARGV[1] == 'by due time' then
    ids = redis.call('ZRANGEBYSCORE', KEYS[1], '(0', '+inf', 'LIMIT', ARGV[2], ARGV[3])
else
    ids = redis.call('ZREVRANGE', KEYS[1], first, last)
end
local page = {}
for _, id in ipairs(ids) do page[#page + 1] = {id, redis.call('GET', id)} end
return page
"""

LOOK = """
-- KEYS incomplete, job, active, completed, failed. Returns state ('' is none), due, record.
local record = redis.call('GET', KEYS[2])
local due = redis.call('ZSCORE', KEYS[1], KEYS[2])
local state = ''
if due then
    if tonumber(due) > 0 then state = 'delayed'
    elseif redis.call('LPOS', KEYS[3], KEYS[2]) then state = 'active'
    else state = 'waiting' end
elseif redis.call('ZSCORE', KEYS[4], KEYS[2]) then state = 'completed'
elseif redis.call('ZSCORE', KEYS[5], KEYS[2]) then state = 'failed' end
return {state, due or '0', record}
"""

DUE_COUNTS = """
-- KEYS incomplete; ARGV times, rising. Returns how many jobs are due from each to the next.
local counts = {}
for i = 1, #ARGV - 1 do
    counts[i] = redis.call('ZCOUNT', KEYS[1], ARGV[i], '(' .. ARGV[i + 1])
end
return counts
"""

RUN_NOW = """
-- KEYS incomplete, job, queued. Returns 1 if it was delayed and is queued now. A job that is
-- queued or running has no due time any more, so it is never started a second time.
local due = redis.call('ZSCORE', KEYS[1], KEYS[2])
if not due or tonumber(due) <= 0 then return 0 end
redis.call('ZADD', KEYS[1], 0, KEYS[2])
redis.call('RPUSH', KEYS[3], KEYS[2])
return 1
"""

REQUEUE = """
-- KEYS incomplete, job, queued, subjects, failed; ARGV record as read, fresh record,
-- subject (-1 is none). Returns 1 if it was failed and is queued now, with that record.
if redis.call('ZSCORE', KEYS[1], KEYS[2]) then return 0 end
if not redis.call('ZSCORE', KEYS[5], KEYS[2]) then return 0 end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[5], KEYS[2])
redis.call('SET', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[1], 0, KEYS[2])
redis.call('RPUSH', KEYS[3], KEYS[2])
if tonumber(ARGV[3]) >= 0 then redis.call('ZADD', KEYS[4], ARGV[3], KEYS[2]) end
return 1
"""

DELETE_FINISHED = """
-- KEYS incomplete, job, completed, failed. Returns 1 if it was finished and its record is gone.
if redis.call('ZSCORE', KEYS[1], KEYS[2]) then return 0 end
if redis.call('ZREM', KEYS[3], KEYS[2]) + redis.call('ZREM', KEYS[4], KEYS[2]) == 0 then
    return 0
end
redis.call('DEL', KEYS[2])
return 1
"""
