"""How tickets are kept in Redis, each step of theirs in one script.

Under a key of its kind, `<kind>`, are: `<kind>:used`, when each ticket was used last; `:sites`, `:sizes`, whose it is
and how large its file; `:bytes`, of all files; `:of:<site>`, the tickets of an address, as `:used`; `:wish:<id>` and
`:file:<id>`, which expire by themselves; `:streams:<id>`, until when each open stream is leased; `:gone:<id>` for a
while, if streams of it must end. `<kind>` is the channel on which those ids are told.

The first arguments are the time, see `NOW`, and the life of a ticket, in microseconds. Each script forgets first what
nobody has used for that long.
"""

from typing import Final

from grok_app.access.shared_time import NOW

_BEGIN: Final = f"""{NOW}
local kind, life = KEYS[1], tonumber(ARGV[2])
local used, sites, sizes, bytes = kind .. ':used', kind .. ':sites', kind .. ':sizes', kind .. ':bytes'

local function is_there(id) return redis.call('HEXISTS', sites, id) == 1 end

local function is_open(id)
  local streams = kind .. ':streams:' .. id
  redis.call('ZREMRANGEBYSCORE', streams, '-inf', now)
  return redis.call('EXISTS', streams) == 1
end

local function touch(id)
  redis.call('ZADD', used, now, id)
  redis.call('ZADD', kind .. ':of:' .. redis.call('HGET', sites, id), now, id)
  redis.call('PEXPIRE', kind .. ':wish:' .. id, math.ceil(life / 1000))
  redis.call('PEXPIRE', kind .. ':file:' .. id, math.ceil(life / 1000))
end

local function lease(id, stream, time)
  redis.call('ZADD', kind .. ':streams:' .. id, now + time, stream)
  redis.call('PEXPIRE', kind .. ':streams:' .. id, math.ceil(time / 1000))
  touch(id)
end

local function drop(id)
  redis.call('ZREM', used, id)
  redis.call('ZREM', kind .. ':of:' .. redis.call('HGET', sites, id), id)
  redis.call('DECRBY', bytes, redis.call('HGET', sizes, id))
  redis.call('HDEL', sites, id)
  redis.call('HDEL', sizes, id)
  redis.call('DEL', kind .. ':wish:' .. id, kind .. ':file:' .. id, kind .. ':streams:' .. id)
end

local function withdraw(id, time)
  drop(id)
  redis.call('SET', kind .. ':gone:' .. id, '', 'PX', math.ceil(time / 1000))
  redis.call('PUBLISH', kind, id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', used, '-inf', now - life)) do
  if not is_open(id) then drop(id) end
end
"""

ISSUE: Final = f"""{_BEGIN}
local id, site, size, wish = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local most_of_site, most, most_bytes = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local waiting = {{}}
for _, other in ipairs(redis.call('ZRANGE', kind .. ':of:' .. site, 0, -1)) do
  if not is_open(other) then table.insert(waiting, other) end
end
local leaving, left = math.max(0, #waiting + 1 - most_of_site), tonumber(redis.call('GET', bytes) or 0)
for i = 1, leaving do left = left - redis.call('HGET', sizes, waiting[i]) end
if redis.call('ZCARD', used) - leaving >= most or left + size > most_bytes then return 0 end
for i = 1, leaving do drop(waiting[i]) end
redis.call('HSET', sites, id, site)
redis.call('HSET', sizes, id, size)
redis.call('INCRBY', bytes, size)
redis.call('SET', kind .. ':wish:' .. id, wish)
touch(id)
return 1
"""
"""Makes a ticket; 0 where there is no room. What is too much of one address goes."""

APPEND: Final = f"""{_BEGIN}
local id, piece = ARGV[3], ARGV[4]
if not is_there(id) then return 0 end
redis.call('APPEND', kind .. ':file:' .. id, piece)
touch(id)
return 1
"""
"""Adds to its file; 0 where it has ended."""

FIND: Final = f"""{_BEGIN}
return is_there(ARGV[3]) and redis.call('GET', kind .. ':wish:' .. ARGV[3])
"""
"""The wish, or nothing."""

USE: Final = f"""{_BEGIN}
local id, stream, time, once = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1'
if not is_there(id) or (once and is_open(id)) then return false end
lease(id, stream, time)
return tonumber(redis.call('HGET', sizes, id))
"""
"""Opens a stream; how large the file is, or nothing where it may not be used."""

LEAVE: Final = f"""{_BEGIN}
local id, stream, time, once = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1'
redis.call('ZREM', kind .. ':streams:' .. id, stream)
if is_there(id) then
  touch(id)
  if once then withdraw(id, time) end
end
"""
"""Closes a stream, and the ticket if it was for one."""

RENEW: Final = f"""{_BEGIN}
local time, ended = tonumber(ARGV[3]), {{}}
for i = 4, #ARGV, 2 do
  local id, stream = ARGV[i], ARGV[i + 1]
  if is_there(id) then
    lease(id, stream, time)
  elseif redis.call('EXISTS', kind .. ':gone:' .. id) == 1 then
    table.insert(ended, id)
  end
end
return ended
"""
"""Keeps streams open; the ids of those that must end."""

WITHDRAW: Final = f"""{_BEGIN}
local time, count = tonumber(ARGV[3]), 0
for i = 4, #ARGV do
  if is_there(ARGV[i]) then
    withdraw(ARGV[i], time)
    count = count + 1
  end
end
return count
"""
"""Ends tickets and their streams; how many there were."""
