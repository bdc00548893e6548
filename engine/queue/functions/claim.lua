-- Caps bound occupancy: a claim takes at most what the tenant's cap leaves free. An entry without a run record was never
-- admitted: it is judged here as the API would have judged it, and charged to the same window. A turn is bounded: at most
-- `want` runs, at most `budget` entries looked at, so that a flood costs its own tenant turns and nobody else time.

local function fields_of(flat)
  local f = {}
  for i = 1, #flat, 2 do f[flat[i]] = flat[i + 1] end
  return f
end

local function bury(k, id, f, reason, now, bytes_max)
  redis.call('XADD', k.dead, 'MAXLEN', '~', DEAD_MAX, '*', 'entry', id, 'reason', reason, 'at', digits(now),
    'workflow', string.sub(f.workflow or '', 1, 128), 'input', string.sub(f.input or '', 1, bytes_max))
end

-- A lost group is created again at 0, never at $: what was waiting still waits, and what runs is known from `active`.
local function read_group(k, count)
  local read = redis.pcall('XREADGROUP', 'GROUP', GROUP, 'w', 'COUNT', count, 'STREAMS', k.events, '>')
  if type(read) == 'table' and read.err then
    if not string.find(read.err, 'NOGROUP', 1, true) then error(read) end
    redis.call('XGROUP', 'CREATE', k.events, GROUP, '0', 'MKSTREAM')
    read = redis.call('XREADGROUP', 'GROUP', GROUP, 'w', 'COUNT', count, 'STREAMS', k.events, '>')
  end
  return read and read[1][2] or {}
end

-- The newest are refused, as the API would have refused them; what was admitted is never shed. None of the newest
-- `excess` entries is running: more than that many have not been delivered yet, and delivery is in order.
local function shed_newest(k, excess, now, bytes_max)
  local ids = {}
  for _, entry in ipairs(redis.call('XREVRANGE', k.events, '+', '-', 'COUNT', excess)) do
    if redis.call('HEXISTS', k.runs, entry[1]) == 0 then
      bury(k, entry[1], fields_of(entry[2]), 'queue-full', now, bytes_max)
      ids[#ids + 1] = entry[1]
    end
  end
  if #ids > 0 then redis.call('XDEL', k.events, unpack(ids)) end
  return #ids
end

-- nil when the entry may start. The rate comes last: a malformed entry is not charged.
local function judge(k, c, f)
  if f.tenant and f.tenant ~= c.tenant then return 'tenant-mismatch' end
  if not f.workflow then return 'workflow-missing' end
  if not string.find(f.workflow, '^[%w_-]+$') then return 'workflow-unknown' end
  if redis.call('HEXISTS', k.workflows, f.workflow) == 0 then return 'workflow-unknown' end
  if f.input and #f.input > c.bytes_max then return 'payload-too-large' end
  if window_wait(k.win, c.limit, c.now, c.window) > 0 then return 'rate-limited' end
  if not pcall(cjson.decode, f.input or 'null') then return 'input-malformed' end
  window_charge(k.win, c.limit, c.now)
  return nil
end

local function start(k, c, id, f, tail)
  redis.call('ZADD', k.active, digits(c.now + c.run_ms), id .. '/1')
  set_record(k, id, '{"status":"running","startedAt":' .. digits(c.now) .. '}', tail)
  return { id, f.workflow, redis.call('HGET', k.workflows, f.workflow) or '', f.input or 'null' }
end

-- Returns the claimed run, or false and whether the entry goes.
local function take(k, c, id, f)
  if redis.call('ZSCORE', k.active, id .. '/1') then return false, false end
  local record = redis.call('HGET', k.runs, id)
  if record then return start(k, c, id, f, tail_of(record)), false end
  local reason = judge(k, c, f)
  if reason then
    bury(k, id, f, reason, c.now, c.bytes_max)
    return false, true
  end
  redis.call('ZADD', k.index, digits(c.now), id)
  -- The input goes in as text: this JSON parser takes more than JSON, and a record must be readable whatever was sent.
  local tail = '{"workflow":"' .. f.workflow .. '","source":"stream","queuedAt":' .. string.match(id, '^%d+')
    .. ',"inputText":' .. cjson.encode(f.input or 'null') .. '}'
  return start(k, c, id, f, tail), false
end

-- ARGV: tenant, want, budget, window in ms. {more, maxRunMs, shed, run, …}; more = 1: another turn would find something.
local function claim(keys, argv)
  local k = named(keys)
  local ctl = redis.call('HMGET', k.ctl, 'state', 'concurrentRuns', 'maxRunMs', 'maxQueued', 'startsPerMinute', 'maxPayloadBytes')
  if ctl[1] ~= 'active' then return { 0, 0, 0 } end
  local want, budget = tonumber(argv[2]), tonumber(argv[3])
  local cap, queued_max = tonumber(ctl[2]), tonumber(ctl[4])
  local c = {
    tenant = argv[1], window = tonumber(argv[4]), now = now_ms(), run_ms = tonumber(ctl[3]),
    limit = tonumber(ctl[5]), bytes_max = tonumber(ctl[6]),
  }
  local running = redis.call('ZCARD', k.active)
  local shed = 0
  local excess = redis.call('XLEN', k.events) - running - queued_max
  if excess > 0 then shed = shed_newest(k, math.min(excess, budget), c.now, c.bytes_max) end
  local free = math.min(want, cap - running)
  -- Shedding may not eat the whole turn: the tenant's own runs would then wait for its flood to end.
  local out, gone, looked = { 0, c.run_ms, 0 }, {}, math.min(shed, budget - want)
  while free > 0 and looked < budget do
    local entries = read_group(k, math.min(free, budget - looked))
    if #entries == 0 then break end
    for _, entry in ipairs(entries) do
      looked = looked + 1
      local run, goes = take(k, c, entry[1], fields_of(entry[2]))
      if run then
        out[#out + 1] = run
        free = free - 1
      end
      if goes then gone[#gone + 1] = entry[1] end
    end
  end
  if #gone > 0 then
    redis.call('XACK', k.events, GROUP, unpack(gone))
    redis.call('XDEL', k.events, unpack(gone))
  end
  running = redis.call('ZCARD', k.active)
  local left = redis.call('XLEN', k.events) - running
  if left > 0 and (running < cap or (left > queued_max and shed > 0)) then out[1] = 1 end
  out[3] = shed + #gone
  return out
end
