-- Caps bound occupancy: a claim takes at most what the tenant's cap leaves free. An entry without a run record was never
-- admitted: it is judged here as the API would have judged it, and charged to the same window. A turn is bounded: at most
-- `want` runs, at most `budget` entries looked at in vain, so that a flood costs its own tenant turns and nobody else time.

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

local function spend(c, bytes)
  c.bytes_left = c.bytes_left - bytes
  if bytes > c.largest then c.largest = bytes end
end

local function spend_entry(c, flat)
  local bytes = 0
  for i = 2, #flat, 2 do bytes = bytes + #flat[i] end
  spend(c, bytes)
end

-- How many entries may be read at once: as if each were as large as the largest lately, and at first as they may be.
local function entries_at_once(c, most)
  return math.max(1, math.min(most, math.floor(c.bytes_left / math.max(c.largest, c.expected, 256))))
end

-- What could not have been admitted whatever the tenant's limits were; nil when there is nothing wrong with it.
local function malformed(k, c, id, f)
  if tonumber(string.match(id, '^%d+')) > c.now + FUTURE_MS then return 'id-in-future' end
  if f.tenant and f.tenant ~= c.tenant then return 'tenant-mismatch' end
  if not f.workflow then return 'workflow-missing' end
  if not string.find(f.workflow, '^[%w_-]+$') then return 'workflow-unknown' end
  if redis.call('HEXISTS', k.workflows, f.workflow) == 0 then return 'workflow-unknown' end
  if f.input and #f.input > c.bytes_max then return 'payload-too-large' end
  if f.key and (#f.key > 256 or redis.call('HEXISTS', k.idem, f.key) == 1) then return 'key-used' end
  if f.input and not is_json(f.input) then return 'input-malformed' end
  return nil
end

local REFUSED = { ['rate-limited'] = 'refusedRate', ['queue-full'] = 'refusedQueue' }

-- What is over a limit is counted; a letter of it is kept only while there are few, so that a flood does not push out the
-- letters that deserve a look.
local function refuse_entry(k, c, id, f, reason)
  if reason == 'id-in-future' then c.future = true end
  local counter = REFUSED[reason]
  if counter then
    count(c.m, counter, 1)
    c.letters = c.letters or redis.call('XLEN', k.dead)
    if c.letters >= REFUSED_LETTERS_MAX then return end
    c.letters = c.letters + 1
  else
    -- What was refused by a limit never was a run: it burns no budget and is billed to nobody.
    count(c.m, 'dead', 1)
  end
  bury(k, id, f, reason, c.now, c.bytes_max)
end

-- The newest are refused, as the API would have refused them; what was admitted is never shed. None of the newest
-- `excess` entries is running: more than that many have not been delivered yet, and delivery is in order. A page of admitted
-- ones alone ends the search: with a lowered bound they would be looked at in every turn, and are nobody's fault.
local function shed_newest(k, c, excess, budget)
  local looked, from, ids = 0, '+', {}
  excess = math.min(excess, budget)
  while looked < excess and c.bytes_left > 0 do
    local entries = redis.call('XREVRANGE', k.events, from, '-', 'COUNT', entries_at_once(c, excess - looked))
    local before = #ids
    for _, entry in ipairs(entries) do
      spend_entry(c, entry[2])
      if redis.call('HEXISTS', k.runs, entry[1]) == 0 then
        local f = fields_of(entry[2])
        refuse_entry(k, c, entry[1], f, malformed(k, c, entry[1], f) or 'queue-full')
        ids[#ids + 1] = entry[1]
      end
      from = '(' .. entry[1]
    end
    looked = looked + #entries
    if #ids == before then break end
  end
  if #ids > 0 then redis.call('XDEL', k.events, unpack(ids)) end
  c.vain = c.vain + #ids
  return #ids
end

-- nil when the entry may start. The rate comes last: a malformed entry is not charged.
local function judge(k, c, id, f)
  local reason = malformed(k, c, id, f)
  if reason then return reason end
  if window_wait(k.win, c.limit, c.now, c.window) > 0 then return 'rate-limited' end
  window_charge(k.win, c.limit, c.now)
  return nil
end

-- What is the same for all runs of a batch is written once: formatting a number costs more than the rest of a start.
local function prepare(c)
  local deadline = c.now + c.run_ms
  c.score = digits(math.min(c.now + c.lease, deadline))
  c.running = ',"startedAt":' .. digits(c.now) .. ',"deadline":' .. digits(deadline) .. ',"estimate":' .. string.format('%.6g', c.estimate) .. '}'
end

local function start(c, id, base, attempt, workflow, input)
  local at = #c.active
  c.active[at + 1], c.active[at + 2] = c.score, member_of(id, attempt, c.epoch)
  c.heads[at + 1], c.heads[at + 2] = id, '{' .. base .. ',"status":"running","attempt":' .. attempt .. c.running
  c.runs[#c.runs + 1] = { id, attempt, workflow, input }
  c.names[workflow] = true
  if attempt == 1 then c.starts = c.starts + 1 else c.retries = c.retries + 1 end
  c.bytes_in = c.bytes_in + #input
end

local QUEUED_FIRST = ',"status":"queued","attempt":1}'

-- One entry that the group delivered, with its head if it has one. Delivered again (the group was made anew): skipped when
-- it runs or when it is to be retried.
local function take(k, c, id, flat, head)
  if head then
    local at = changing_at(head)
    if not string.find(head, QUEUED_FIRST, at, true) then return end
    -- Written by `start_run`, so its fields are in that order.
    spend(c, #flat[8])
    return start(c, id, string.sub(head, 2, at - 1), 1, flat[6], flat[8])
  end
  spend_entry(c, flat)
  local f = fields_of(flat)
  local reason = judge(k, c, id, f)
  if reason then
    refuse_entry(k, c, id, f, reason)
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
    local head = redis.call('HGET', k.runs, id)
    local base = base_of(head)
    start(c, id, base, attempt_of(head), workflow_of(base), redis.call('HGET', k.inputs, id))
  end
end

-- `vain` is what of the budget is spent: only entries that do not start spend it, since those that do are bounded by `want`.
local function take_new(k, c, want, vain, budget)
  local from = vain
  while #c.runs < want and vain < budget and c.bytes_left > 0 do
    local before = #c.runs
    local entries = read_group(k, entries_at_once(c, math.min(want - before, budget - vain)))
    if #entries == 0 then break end
    local ids = {}
    for i, entry in ipairs(entries) do ids[i] = entry[1] end
    local heads = redis.call('HMGET', k.runs, unpack(ids))
    for i, entry in ipairs(entries) do take(k, c, entry[1], entry[2], heads[i]) end
    vain = vain + #entries - (#c.runs - before)
  end
  c.vain = c.vain + vain - from
end

local function claim(k, c, want, budget, cap, queued_max)
  local running = redis.call('ZCARD', k.active)
  local shed = shed_newest(k, c, redis.call('XLEN', k.events) - running - queued_max, budget)
  local free = math.min(want, cap - running)
  prepare(c)
  if free > 0 then
    take_retries(k, c, free)
    -- Shedding may not eat the whole turn: the tenant's own runs would then wait for its flood to end.
    take_new(k, c, free, math.max(0, math.min(shed, budget - want)), budget)
  end
  if #c.active > 0 then
    call_many('ZADD', k.active, c.active)
    call_many('HSET', k.runs, c.heads)
    count(c.m, 'starts', c.starts)
    if c.retries > 0 then count(c.m, 'retries', c.retries) end
    count(c.m, 'bytesIn', c.bytes_in)
  end
  give_back(k, c.gone, {})
  if c.future then mend_ids(k, c.now) end
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
