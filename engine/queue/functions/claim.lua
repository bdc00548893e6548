-- Caps bound occupancy: a claim takes at most what the tenant's cap leaves free. An entry without a run record was never
-- admitted: it is judged here as the API would have judged it, and charged to the same window. A turn is bounded: at most
-- `want` runs, at most `budget` entries looked at, so that a flood costs its own tenant turns and nobody else time.

local function fields_of(flat)
  local f = {}
  for i = 1, #flat, 2 do f[flat[i]] = flat[i + 1] end
  return f
end

-- A lost group is created again at 0, never at $: what was waiting still waits, and what runs is known from `runs`.
local function read_group(k, n)
  local read = redis.pcall('XREADGROUP', 'GROUP', GROUP, 'w', 'COUNT', n, 'STREAMS', k.events, '>')
  if type(read) == 'table' and read.err then
    if not string.find(read.err, 'NOGROUP', 1, true) then error(read) end
    redis.call('XGROUP', 'CREATE', k.events, GROUP, '0', 'MKSTREAM')
    read = redis.call('XREADGROUP', 'GROUP', GROUP, 'w', 'COUNT', n, 'STREAMS', k.events, '>')
  end
  return read and read[1][2] or {}
end

-- The newest are refused, as the API would have refused them; what was admitted is never shed. None of the newest
-- `excess` entries is running: more than that many have not been delivered yet, and delivery is in order.
local function shed_newest(k, c, excess)
  local ids = {}
  for _, entry in ipairs(redis.call('XREVRANGE', k.events, '+', '-', 'COUNT', excess)) do
    if redis.call('HEXISTS', k.runs, entry[1]) == 0 then
      local f = fields_of(entry[2])
      bury(k, entry[1], f.workflow, f.input, 'queue-full', c.now, c.bytes_max)
      ids[#ids + 1] = entry[1]
    end
  end
  if #ids > 0 then redis.call('XDEL', k.events, unpack(ids)) end
  count(c.m, 'dead', #ids)
  return #ids
end

-- nil when the entry may start. The rate comes last: a malformed entry is not charged.
local function judge(k, c, f)
  if f.tenant and f.tenant ~= c.tenant then return 'tenant-mismatch' end
  if not f.workflow then return 'workflow-missing' end
  if not string.find(f.workflow, '^[%w_-]+$') then return 'workflow-unknown' end
  if redis.call('HEXISTS', k.workflows, f.workflow) == 0 then return 'workflow-unknown' end
  if f.input and #f.input > c.bytes_max then return 'payload-too-large' end
  if f.key and (#f.key > 256 or redis.call('HEXISTS', k.idem, f.key) == 1) then return 'key-used' end
  if not pcall(cjson.decode, f.input or 'null') then return 'input-malformed' end
  if window_wait(k.win, c.limit, c.now, c.window) > 0 then return 'rate-limited' end
  window_charge(k.win, c.limit, c.now)
  return nil
end

local function start(c, id, base, attempt, workflow, input)
  local deadline = c.now + c.run_ms
  local member = member_of(id, attempt, c.epoch)
  c.active[#c.active + 1] = digits(math.min(c.now + c.lease, deadline))
  c.active[#c.active + 1] = member
  c.heads[#c.heads + 1] = id
  c.heads[#c.heads + 1] = head_of(base, '"status":"running","attempt":' .. attempt .. ',"startedAt":' .. digits(c.now)
    .. ',"deadline":' .. digits(deadline) .. ',"clock":' .. digits(c.now_us) .. ',"estimate":' .. string.format('%.6g', c.estimate))
  c.runs[#c.runs + 1] = { id, attempt, member, workflow, input }
  c.names[workflow] = true
  count(c.m, attempt == 1 and 'starts' or 'retries', 1)
  count(c.m, 'bytesIn', #input)
end

-- One entry that the group delivered, with its head if it has one. Delivered again (the group was made anew): skipped when
-- it runs or when it is to be retried.
local function take(k, c, id, f, head)
  if head then
    if status_of(head) ~= 'queued' or number_of(head, 'attempt') > 1 then return end
    return start(c, id, base_of(head), 1, f.workflow, f.input)
  end
  local reason = judge(k, c, f)
  if reason then
    bury(k, id, f.workflow, f.input, reason, c.now, c.bytes_max)
    count(c.m, 'dead', 1)
    c.gone[#c.gone + 1] = id
    return
  end
  -- The input is kept as it came: this JSON parser takes more than JSON, and a record must be readable whatever was sent.
  local input = f.input or 'null'
  redis.call('ZADD', k.index, digits(c.now), id)
  redis.call('HSET', k.inputs, id, input)
  if f.key and f.key ~= '' then redis.call('HSET', k.idem, f.key, id .. ' stream') end
  start(c, id, base_for(f.workflow, 'stream', string.match(id, '^%d+'), f.key), 1, f.workflow, input)
end

-- A retry is a start like any other: charged to the window, within the cap, in its tenant's turn.
local function take_retries(k, c, free)
  local due = redis.call('ZRANGEBYSCORE', k.retry, '-inf', digits(c.now), 'LIMIT', 0, free)
  for _, id in ipairs(due) do
    if window_wait(k.win, c.limit, c.now, c.window) > 0 then break end
    window_charge(k.win, c.limit, c.now)
    redis.call('ZREM', k.retry, id)
    redis.call('XCLAIM', k.events, GROUP, 'w', 0, id, 'JUSTID')
    local head = redis.call('HGET', k.runs, id)
    local base = base_of(head)
    start(c, id, base, number_of(head, 'attempt'), string.match(base, '^"workflow":"([^"]*)"'), redis.call('HGET', k.inputs, id))
  end
end

local function take_new(k, c, want, looked, budget)
  while #c.runs < want and looked < budget do
    local entries = read_group(k, math.min(want - #c.runs, budget - looked))
    if #entries == 0 then break end
    local ids = {}
    for i, entry in ipairs(entries) do ids[i] = entry[1] end
    local heads = redis.call('HMGET', k.runs, unpack(ids))
    for i, entry in ipairs(entries) do take(k, c, entry[1], fields_of(entry[2]), heads[i]) end
    looked = looked + #entries
  end
end

local function claim(k, c, want, budget, cap, queued_max)
  local running = redis.call('ZCARD', k.active)
  local excess = redis.call('XLEN', k.events) - running - queued_max
  local shed = excess > 0 and shed_newest(k, c, math.min(excess, budget)) or 0
  local free = math.min(want, cap - running)
  if free > 0 then
    take_retries(k, c, free)
    -- Shedding may not eat the whole turn: the tenant's own runs would then wait for its flood to end.
    take_new(k, c, free, math.min(shed, budget - want), budget)
  end
  if #c.active > 0 then
    call_many('ZADD', k.active, c.active)
    call_many('HSET', k.runs, c.heads)
  end
  if #c.gone > 0 then
    redis.call('XACK', k.events, GROUP, unpack(c.gone))
    redis.call('XDEL', k.events, unpack(c.gone))
  end
  return shed
end

-- When the tenant can run something next: 0 now, -1 not before something comes, -2 not before something ends, else then.
local function ready_at(k, c, running, cap, queued_max, shed)
  local left = redis.call('XLEN', k.events) - running
  if left > queued_max and shed > 0 then return 0, left end
  if left <= 0 then return -1, left end
  if running >= cap then return -2, left end
  local waiting = redis.call('ZCARD', k.retry)
  if left > waiting then return 0, left end
  local first = redis.call('ZRANGE', k.retry, 0, 0, 'WITHSCORES')
  local at = math.max(tonumber(first[2] or c.now), c.now + window_wait(k.win, c.limit, c.now, c.window))
  return at > c.now and at or 0, left
end
