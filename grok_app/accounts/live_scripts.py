"""What Redis does with live accounts, each in one step: lend, settle, look around, renew.

An account that was asked lately is a hash: `state` as Python wrote it, `version` of that, and what lending must know:
`quota`, and `free_at`, Unix milliseconds from which on it may serve (0: now). Beside it `lent`, the costs of the
requests under way by lease. `leases` knows when each lease ends by itself, `changed` when which account last changed,
on a clock of its own: the counter `seq`, which begins with the time, so that a Redis that has lost everything goes on
with larger numbers. Numbers of that size must not go through Lua's `..`, which keeps 14 digits.
"""

from typing import Final

_COMMON: Final = """
local prefix, life_s = ARGV[1], 86400
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function key(...) return prefix .. table.concat({...}, ':') end
local function tick(name)
  redis.call('SET', key('seq'), now * 1000, 'NX')
  local seq = redis.call('INCR', key('seq'))
  redis.call('ZADD', key('changed'), seq, name)
  return seq
end
local function put(name, state, quota, free_at)
  local account, seq = key('account', name), tick(name)
  redis.call('HSET', account, 'state', state, 'version', seq, 'quota', quota, 'free_at', free_at)
  redis.call('EXPIRE', account, life_s)
  return seq
end
local function take_back(name, lease)
  redis.call('ZREM', key('leases'), name .. ' ' .. lease)
  return redis.call('HDEL', key('lent', name), lease) == 1
end
local function hold(name, lease, cost, lasts_ms)
  redis.call('ZADD', key('leases'), now + lasts_ms, name .. ' ' .. lease)
  redis.call('HSET', key('lent', name), lease, cost)
  redis.call('EXPIRE', key('lent', name), life_s)
end
local function view(name)
  local known = redis.call('HMGET', key('account', name), 'version', 'state')
  return {name, tonumber(known[1]) or 0, known[2] or '', redis.call('HVALS', key('lent', name))}
end
"""

LEND: Final = (
    _COMMON
    + """
local name, lease, cost, most, lasts_ms = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local version, state, quota, free_at, clock = ARGV[7], ARGV[8], ARGV[9], ARGV[10], tonumber(ARGV[11])
local account = key('account', name)
local known = redis.call('HMGET', account, 'version', 'quota', 'free_at')
if not known[1] then
  put(name, state, quota, free_at)
elseif tonumber(known[3]) > 0 and tonumber(known[3]) <= clock and known[1] == version then
  put(name, state, quota, free_at) -- its rest is over, as whoever asks knows
else
  quota, free_at = known[2], known[3]
end
local free, count = tonumber(quota), 0
local lent = redis.call('HGETALL', key('lent', name))
for i = 1, #lent, 2 do
  local ends = redis.call('ZSCORE', key('leases'), name .. ' ' .. lent[i])
  if ends and tonumber(ends) > now then
    free, count = free - lent[i + 1], count + 1
  else
    take_back(name, lent[i])
  end
end
local granted = 0
if tonumber(free_at) == 0 and free > 0 and count < most then
  granted = 1
  hold(name, lease, cost, lasts_ms)
  tick(name)
end
return {granted, view(name)}
"""
)
"""Lend an account, or say how it is. Arguments: prefix, name, lease, cost, most at once, milliseconds until it ends by
itself, version, state, quota, free_at as the caller knows them, the caller's clock. Returns: 1 if lent, the view."""

SETTLE: Final = (
    _COMMON
    + """
local told, process = {}, ARGV[2]
local i = 3
while i <= #ARGV do
  local name, serial, version, state, quota, free_at, count = unpack(ARGV, i, i + 6)
  local done = key('done', name, process)
  local known = redis.call('HGET', key('account', name), 'version')
  local is_new = version ~= ''
  local ok = (not is_new or not known or known == version) and 1 or 0
  if redis.call('GET', done) == serial then
    ok = 1 -- it was, only the answer did not arrive
  elseif ok == 1 then
    for j = i + 7, i + 6 + count do take_back(name, ARGV[j]) end
    if is_new then put(name, state, quota, free_at) else tick(name) end
    redis.call('SET', done, serial, 'EX', 3600)
  end
  table.insert(told, {ok, view(name)})
  i = i + 7 + count
end
return told
"""
)
"""Write states, and end leases with them: both or none, and once, however often it is asked. Arguments: prefix, the
process, then for each: name, a number of the process's for this, version that the new state was made of or '' for no
new state, state, quota, free_at, number of leases, the leases. Returns for each: 0 if another process was faster, the
view."""

LOOK: Final = (
    _COMMON
    + """
for _, member in ipairs(redis.call('ZRANGEBYSCORE', key('leases'), '-inf', now, 'LIMIT', 0, 200)) do
  local name, lease = string.match(member, '^(%S+) (%S+)$')
  take_back(name, lease)
  tick(name)
end
local latest, views = ARGV[2], {}
local found = redis.call('ZRANGEBYSCORE', key('changed'), '(' .. latest, '+inf', 'WITHSCORES', 'LIMIT', 0, 200)
for i = 1, #found, 2 do
  latest = found[i + 1]
  local seen = view(found[i])
  if seen[2] == 0 then redis.call('ZREM', key('changed'), found[i]) else table.insert(views, seen) end
end
return {latest, views}
"""
)
"""Take back leases that have ended by themselves, and tell what has changed. Arguments: prefix, the seq to go on from.
Returns: the next one; views, 200 at most."""

RENEW: Final = (
    _COMMON
    + """
local lasts_ms = tonumber(ARGV[2])
for i = 3, #ARGV, 3 do hold(ARGV[i], ARGV[i + 1], ARGV[i + 2], lasts_ms) end
"""
)
"""Let leases go on. Arguments: prefix, milliseconds, then for each: name, lease, cost."""
