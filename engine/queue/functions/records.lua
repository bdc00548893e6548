-- Run records: the part that changes, a line feed, the part that lasts. The first never holds a line feed, so the cut is
-- the first one. `finish` is the only way by which a run ends.

local function tail_of(record)
  return string.sub(record, string.find(record, '\n', 1, true) + 1)
end

local function set_record(k, id, head, tail)
  redis.call('HSET', k.runs, id, head .. '\n' .. tail)
end

-- Keeps at most FINISHED_MAX finished runs. A run that is not finished is never dropped, however old it is.
local function retain(k)
  local finished = redis.call('HINCRBY', k.ctl, 'finished', 1)
  if finished <= FINISHED_MAX then return end
  local dropped = 0
  for _, id in ipairs(redis.call('ZRANGE', k.index, 0, 99)) do
    if finished - dropped <= FINISHED_MAX then break end
    local record = redis.call('HGET', k.runs, id)
    local unfinished = record and string.find(record, '^{"status":"[qr]u') ~= nil
    if not unfinished then
      redis.call('HDEL', k.runs, id)
      redis.call('ZREM', k.index, id)
      dropped = dropped + 1
    end
  end
  if dropped > 0 then redis.call('HINCRBY', k.ctl, 'finished', -dropped) end
end

-- field is '"output":…' or '"error":…', already JSON.
local function finish(k, tenant, id, member, status, field, now, channel)
  redis.call('ZREM', k.active, member)
  local record = redis.call('HGET', k.runs, id)
  local tail = tail_of(record)
  local started = string.match(record, '"startedAt":(%d+)') or digits(now)
  local state = '"status":"' .. status .. '","startedAt":' .. started .. ',"endedAt":' .. digits(now) .. ',' .. field
  set_record(k, id, '{' .. state .. '}', tail)
  redis.call('XACK', k.events, GROUP, id)
  redis.call('XDEL', k.events, id)
  local workflow = string.match(tail, '^{"workflow":"([^"]*)"') or ''
  local event = '{"id":"run_' .. tenant .. '_' .. id .. '","workflow":"' .. workflow .. '",' .. state .. '}'
  redis.call('XADD', k.history, 'MAXLEN', '~', HISTORY_MAX, '*', 'run', event)
  retain(k)
  redis.call('SPUBLISH', channel, '1')
end
