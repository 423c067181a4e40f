// Each script is one atomic step on one key (two for `remove`, which share a hash tag), so that a cluster can run it.
// A record is a hash: v(ersion), e(nd), j(son). The end is compared with the caller's clock; Redis' own expiry comes a
// little later and only frees the memory. HSET comes first where something is written: a full Redis refuses a script at
// its first write if that needs memory, and at no later one.

const living = `
local function living(now)
  local e = redis.call('HGET', KEYS[1], 'e')
  return e and tonumber(e) > tonumber(now)
end
local function write(version, ends, json, keep)
  redis.call('HSET', KEYS[1], 'v', version, 'e', ends, 'j', json)
  redis.call('PEXPIRE', KEYS[1], keep)
end
`

/** now -> [json, version, end] or nothing. */
export const read = `${living}
if not living(ARGV[1]) then return nil end
return redis.call('HMGET', KEYS[1], 'j', 'v', 'e')`

/** now -> [json, version, end] or nothing; and the record is gone. */
export const take = `${living}
if not living(ARGV[1]) then return nil end
local record = redis.call('HMGET', KEYS[1], 'j', 'v', 'e')
redis.call('DEL', KEYS[1])
return record`

/** version, end, json, milliseconds to keep -> 1. */
export const put = `${living}
write(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return 1`

/** version, end, json, milliseconds to keep, now -> 1 if it was written. */
export const putIfAbsent = `${living}
if living(ARGV[5]) then return 0 end
write(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return 1`

/** new version, json, old version, now, and for a new end: end, milliseconds to keep -> 1 if it was written. */
export const update = `${living}
if not living(ARGV[4]) or redis.call('HGET', KEYS[1], 'v') ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'j', ARGV[2])
if ARGV[5] then
  redis.call('HSET', KEYS[1], 'e', ARGV[5])
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
end
return 1`

/** Removes a record and the counter of the same name. */
export const remove = `return redis.call('DEL', KEYS[1], KEYS[2])`

/** now, by, end of a new window, milliseconds to keep -> [count, end]. */
export const increment = `${living}
if living(ARGV[1]) then
  local count = redis.call('HGET', KEYS[1], 'n')
  if ARGV[2] ~= '0' then count = redis.call('HINCRBY', KEYS[1], 'n', ARGV[2]) end
  return { tostring(count), redis.call('HGET', KEYS[1], 'e') }
end
if ARGV[2] ~= '0' then
  redis.call('HSET', KEYS[1], 'n', ARGV[2], 'e', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return { ARGV[2], ARGV[3] }`

/** due at, member. */
export const schedule = `return redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])`

/** member. */
export const unschedule = `return redis.call('ZREM', KEYS[1], ARGV[1])`

/** now, end of the lease, limit, and to claim only one: that member -> members. */
export const claim = `
local due
if ARGV[4] then
  local score = redis.call('ZSCORE', KEYS[1], ARGV[4])
  if score and tonumber(score) <= tonumber(ARGV[1]) then due = { ARGV[4] } else due = {} end
else
  due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
end
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[2], member) end
return due`
