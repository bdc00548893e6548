-- Run records. `runs` holds a JSON head a run: a part that lasts, then, from "status" on, the part that changes; `inputs`
-- holds the inputs as they came, so no function reads one to move a run on. `finish_all` is the only way by which a run
-- ends, `bury` the only way into the dead letters.

-- The lasting part. A quote inside a JSON string is escaped, so `,"status":` cannot stand inside the key.
local function base_of(head)
  return string.match(head, '^{(.-),"status":')
end

local function head_of(base, changing)
  return '{' .. base .. ',' .. changing .. '}'
end

local function base_for(workflow, source, queued_at, key)
  local base = '"workflow":"' .. workflow .. '","source":"' .. source .. '","queuedAt":' .. queued_at
  if key and key ~= '' then base = base .. ',"key":' .. cjson.encode(key) end
  return base
end

local function status_of(head)
  return string.match(head, ',"status":"([^"]+)"')
end

local function number_of(head, name)
  return tonumber(string.match(head, '"' .. name .. '":(%-?[%d.]+)'))
end

local function member_of(id, attempt, epoch)
  return id .. '/' .. attempt .. '/' .. epoch
end

-- Keeps at most FINISHED_MAX finished runs, none older than a day. `ended` knows only finished runs, so nothing that
-- still waits can stand in the way; bounded by 100 a call.
local function retain(k, now)
  local excess = redis.call('ZCARD', k.ended) - FINISHED_MAX
  local gone = {}
  if excess > 0 then
    local popped = redis.call('ZPOPMIN', k.ended, math.min(excess, 100))
    for i = 1, #popped, 2 do gone[#gone + 1] = popped[i] end
  else
    local oldest = redis.call('ZRANGE', k.ended, 0, 0, 'WITHSCORES')
    if not oldest[1] or tonumber(oldest[2]) > now - KEPT_MS then return end
    gone = redis.call('ZRANGEBYSCORE', k.ended, '-inf', digits(now - KEPT_MS), 'LIMIT', 0, 100)
    redis.call('ZREM', k.ended, unpack(gone))
  end
  for _, head in ipairs(redis.call('HMGET', k.runs, unpack(gone))) do
    local key = head and string.match(base_of(head) or '', ',"key":(".*")$')
    if key then redis.call('HDEL', k.idem, cjson.decode('[' .. key .. ']')[1]) end
  end
  redis.call('HDEL', k.runs, unpack(gone))
  redis.call('HDEL', k.inputs, unpack(gone))
  redis.call('ZREM', k.index, unpack(gone))
end

local METERED = { done = 'done', failed = 'failed', ['timed-out'] = 'timedOut', cancelled = 'cancelled', dead = 'dead' }

-- ends: { id, head, status, field, member or nil } each; field is '"output":…' or '"error":…', already JSON. Adds to the
-- count m, and returns the sums of slot time and of what was estimated for it, milliseconds, and the new estimate.
local function finish_all(k, tenant, ends, now, now_us, channel, m, estimate)
  local heads, ids, ended, members = {}, {}, {}, {}
  local slot_ms, estimated = 0, 0
  for _, e in ipairs(ends) do
    local base, took = base_of(e.head), 0
    local clock = number_of(e.head, 'clock')
    local state = '"status":"' .. e.status .. '","attempt":' .. (number_of(e.head, 'attempt') or 1)
    if clock then
      took = math.max(0, now_us - clock) / 1000
      slot_ms = slot_ms + took
      estimated = estimated + (number_of(e.head, 'estimate') or took)
      estimate = estimate + (took - estimate) / 8
      state = state .. ',"startedAt":' .. digits(math.floor(clock / 1000))
    end
    state = state .. ',"endedAt":' .. digits(now) .. ',' .. e.field
    local head = head_of(base, state)
    ids[#ids + 1] = e.id
    members[#members + 1] = e.member
    heads[#heads + 1] = e.id
    heads[#heads + 1] = head
    ended[#ended + 1] = digits(now)
    ended[#ended + 1] = e.id
    redis.call('XADD', k.history, 'MAXLEN', '~', HISTORY_MAX, '*', 'run',
      '{"id":"run_' .. tenant .. '_' .. e.id .. '",' .. string.sub(head, 2))
    count(m, METERED[e.status], 1)
    count(m, 'bytesOut', #e.field)
    if e.status ~= 'cancelled' and e.status ~= 'dead' then count_response(m, now - (number_of(e.head, 'queuedAt') or now)) end
  end
  if #ids == 0 then return 0, 0, estimate end
  count(m, 'slotMs', slot_ms)
  if #members > 0 then call_many('ZREM', k.active, members) end
  call_many('HSET', k.runs, heads)
  call_many('ZADD', k.ended, ended)
  for from = 1, #ids, CHUNK do
    local to = math.min(from + CHUNK - 1, #ids)
    redis.call('XACK', k.events, GROUP, unpack(ids, from, to))
    redis.call('XDEL', k.events, unpack(ids, from, to))
  end
  retain(k, now)
  redis.call('SPUBLISH', channel, '1')
  return slot_ms, estimated, estimate
end

local function bury(k, id, workflow, input, reason, now, bytes_max)
  input = input or ''
  local cut = #input > bytes_max
  redis.call('XADD', k.dead, 'MAXLEN', '~', DEAD_MAX, '*', 'entry', id, 'reason', reason, 'at', digits(now),
    'workflow', string.sub(workflow or '', 1, 128), 'input', cut and string.sub(input, 1, bytes_max) or input,
    'cut', cut and '1' or '0')
end
