"""The Lua scripts of the queue: what must happen in Redis at once, or not at all.

`incomplete` is SAQ's sorted set of all unfinished jobs: the score is the due time, 0 once the
job is queued or active. `subjects` is ours: job ids scored by what they are about.
"""

PROMOTE_DUE = """
-- KEYS incomplete, queued; ARGV now, limit. Moves due jobs to the queue.
-- Returns how many, and the due time of the next one ('' if there is none).
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '(0', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(due) do
    redis.call('ZADD', KEYS[1], 0, id)
    redis.call('RPUSH', KEYS[2], id)
end
local next_due = redis.call('ZRANGEBYSCORE', KEYS[1], '(0', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return {#due, next_due[2] or ''}
"""

ENQUEUE = """
-- KEYS incomplete, queued, subjects, failed, completed
-- ARGV for each job: id, record, due (0 is at once), subject (-1 is none)
-- Puts those into the queue that are not in it, and returns how many were.
local added = 0
for i = 1, #ARGV, 4 do
    local id, due, subject = ARGV[i], ARGV[i + 2], ARGV[i + 3]
    if not redis.call('ZSCORE', KEYS[1], id) then
        redis.call('SET', id, ARGV[i + 1])
        redis.call('ZADD', KEYS[1], due, id)
        if tonumber(due) == 0 then redis.call('RPUSH', KEYS[2], id) end
        if tonumber(subject) >= 0 then redis.call('ZADD', KEYS[3], subject, id) end
        redis.call('ZREM', KEYS[4], id)
        redis.call('ZREM', KEYS[5], id)
        added = added + 1
    end
end
return added
"""

CANCEL = """
-- KEYS incomplete, job, queued, subjects. Returns 1 removed, -1 running, 0 unknown.
local due = redis.call('ZSCORE', KEYS[1], KEYS[2])
if not due then
    redis.call('ZREM', KEYS[4], KEYS[2])
    return 0
end
if tonumber(due) > 0 or redis.call('LREM', KEYS[3], 1, KEYS[2]) > 0 then
    redis.call('ZREM', KEYS[1], KEYS[2])
    redis.call('ZREM', KEYS[4], KEYS[2])
    redis.call('DEL', KEYS[2])
    return 1
end
return -1
"""

RECOVER = """
-- KEYS incomplete, job, active, queued; ARGV record as read, new record, due, ttl (0: retry)
-- Gives a dead worker's job back, only if nothing has happened to it since it was read.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if redis.call('LREM', KEYS[3], 1, KEYS[2]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[1], 0, KEYS[2])
redis.call('RPUSH', KEYS[4], KEYS[2])
return 1
"""

REQUEUE_MISSING = """
-- KEYS incomplete, job, queued, active, subjects.
-- A job that is said to be under way, but is in no list.
local due = redis.call('ZSCORE', KEYS[1], KEYS[2])
if not due or tonumber(due) ~= 0 then return 0 end
if redis.call('LPOS', KEYS[3], KEYS[2]) or redis.call('LPOS', KEYS[4], KEYS[2]) then return 0 end
if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('ZREM', KEYS[1], KEYS[2])
    redis.call('ZREM', KEYS[5], KEYS[2])
    return 0
end
redis.call('RPUSH', KEYS[3], KEYS[2])
return 1
"""

FINISH = """
-- KEYS incomplete, job, active, subjects, finished; ARGV record, ttl (0: keep nothing), now,
-- oldest to keep, most to keep. Ends a job, and trims the finished ones by age and by number.
redis.call('LREM', KEYS[3], 1, KEYS[2])
redis.call('ZREM', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[4], KEYS[2])
if tonumber(ARGV[2]) > 0 then
    redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
    redis.call('ZADD', KEYS[5], ARGV[3], KEYS[2])
else
    redis.call('DEL', KEYS[2])
end
local gone = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', '(' .. ARGV[4], 'LIMIT', 0, 500)
local surplus = redis.call('ZCARD', KEYS[5]) - #gone - tonumber(ARGV[5])
if surplus > 0 then
    for _, id in ipairs(redis.call('ZRANGE', KEYS[5], #gone, #gone + math.min(surplus, 500) - 1)) do
        gone[#gone + 1] = id
    end
end
for _, id in ipairs(gone) do
    redis.call('ZREM', KEYS[5], id)
    if not redis.call('ZSCORE', KEYS[1], id) then redis.call('DEL', id) end
end
return #gone
"""

QUARANTINE = """
-- KEYS incomplete, job, active, subjects; ARGV ttl. A record that cannot be read: out of the way,
-- but kept for whoever wants to know.
redis.call('LREM', KEYS[3], 0, KEYS[2])
redis.call('ZREM', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[4], KEYS[2])
if redis.call('EXISTS', KEYS[2]) == 1 then
    redis.call('RENAME', KEYS[2], KEYS[2] .. ':unreadable')
    redis.call('EXPIRE', KEYS[2] .. ':unreadable', ARGV[1])
end
return 1
"""
