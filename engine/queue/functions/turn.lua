-- One call settles the last runs of a tenant and takes its next ones. Fenced by `active`: whoever is no longer in it
-- (reaped, cancelled, tenant removed and perhaps created anew) is ignored.

local LATE = '"error":"the run took longer than maxRunMs"'

-- A run that is to be tried again keeps its entry; one that was tried often enough is a dead letter.
local function try_again(k, tenant, c, id, head, member, attempt, attempts_max, at, field, ends)
  if attempt < attempts_max then
    redis.call('ZREM', k.active, member)
    redis.call('HSET', k.runs, id, head_of(base_of(head), '"status":"queued","attempt":' .. attempt + 1))
    redis.call('ZADD', k.retry, digits(at), id)
    count(c.m, 'slotMs', math.max(0, c.now_us - number_of(head, 'clock')) / 1000)
    return
  end
  local workflow = string.match(head, '^{"workflow":"([^"]*)"')
  bury(k, id, workflow, redis.call('HGET', k.inputs, id), 'attempts-exhausted', c.now, c.bytes_max)
  ends[#ends + 1] = { id = id, head = head, status = 'dead', field = field, member = member }
end

-- argv from `at` on, five a run: entry id, fence, status, field, JSON of what the steps used or ''. For a retry the field is
-- `<attempts at most> <ms to wait> "error":…`. Flags: 1 when the outcome counted.
local function settle_all(k, c, argv, at, n, channel)
  local flags, ends = {}, {}
  local ids, members = {}, {}
  for i = 0, n - 1 do
    ids[#ids + 1] = argv[at + 5 * i]
    members[#members + 1] = argv[at + 5 * i + 1]
  end
  if n == 0 then return flags, 0 end
  local scores = redis.call('ZMSCORE', k.active, unpack(members))
  local heads = redis.call('HMGET', k.runs, unpack(ids))
  for i = 1, n do
    flags[i] = scores[i] and 1 or 0
    if scores[i] then
      local p, head = at + 5 * (i - 1), heads[i]
      local status, field = argv[p + 2], argv[p + 3]
      if status ~= 'timed-out' and c.now > (number_of(head, 'deadline') or c.now) then status, field = 'timed-out', LATE end
      if status == 'retry' then
        local most, wait, said = string.match(field, '^(%d+) (%d+) (.*)$')
        try_again(k, c.tenant, c, ids[i], head, members[i], number_of(head, 'attempt'), tonumber(most), c.now + tonumber(wait), said, ends)
      else
        ends[#ends + 1] = { id = ids[i], head = head, status = status, field = field, member = members[i] }
      end
      for name, used in string.gmatch(argv[p + 4], '"(%a+)":(%d+)') do count(c.m, name, tonumber(used)) end
    end
  end
  local took, estimated
  took, estimated, c.estimate = finish_all(k, c.tenant, ends, c.now, c.now_us, channel, c.m, c.estimate)
  return flags, took - estimated
end

local CTL = { 'state', 'epoch', 'concurrentRuns', 'maxRunMs', 'maxQueued', 'startsPerMinute', 'maxPayloadBytes', 'weight',
  'estimate', 'armed', 'capSince', 'fullSince' }

-- What a run is taken to cost before one has ended, and what a turn costs on top of slot time, milliseconds: without the
-- second, runs of no length would be free, and their tenant always first.
local ESTIMATE_MS = 50
local OVERHEAD_MS = 0.25

local function context(k, tenant, lease, window)
  local v = redis.call('HMGET', k.ctl, unpack(CTL))
  local now, now_us = now_both()
  return {
    tenant = tenant, now = now, now_us = now_us, lease = lease, window = window, m = {}, state = v[1], epoch = v[2],
    cap = tonumber(v[3]), run_ms = tonumber(v[4]), queued_max = tonumber(v[5]), limit = tonumber(v[6]),
    bytes_max = tonumber(v[7]), weight = tonumber(v[8] or 1), estimate = tonumber(v[9] or ESTIMATE_MS),
    armed = v[10], cap_since = tonumber(v[11] or 0), full_since = tonumber(v[12] or 0),
    active = {}, heads = {}, runs = {}, names = {}, gone = {},
  }
end

-- What changed of the bookkeeping in ctl, in one write. Time at a limit is added when its stretch ends.
local function keep_context(k, c, left, running, estimate_was)
  local write = {}
  local function set(name, value)
    write[#write + 1] = name
    write[#write + 1] = value
  end
  if left <= 0 and c.armed and c.armed ~= '0' then set('armed', '0') end
  if math.abs(c.estimate - estimate_was) > 0.02 * estimate_was then set('estimate', string.format('%.6g', c.estimate)) end
  local at_cap = left > 0 and running >= c.cap
  if c.cap_since > 0 and (not at_cap or c.now - c.cap_since > 10000) then count(c.m, 'atCapMs', c.now - c.cap_since) end
  if at_cap and (c.cap_since == 0 or c.now - c.cap_since > 10000) then set('capSince', digits(c.now)) end
  if not at_cap and c.cap_since > 0 then set('capSince', '0') end
  if c.full_since > 0 and left < c.queued_max then
    count(c.m, 'atQueueMs', c.now - c.full_since)
    redis.call('HDEL', k.ctl, 'fullSince')
  end
  if #write > 0 then redis.call('HSET', k.ctl, unpack(write)) end
  keep_count(k, c.m, c.now)
end

-- ARGV: tenant, wake channel, window ms, lease ms, quantum ms, want, budget, number of outcomes, then five an outcome.
-- {state, next, charge, correction, maxRunMs, flags, definitions, runs}: state 'active', 'suspended' or 'gone'; next as
-- `ready_at` says; charge and correction in virtual ms, as text.
local function turn(keys, argv)
  local k = named(keys)
  local c = context(k, argv[1], tonumber(argv[4]), tonumber(argv[3]))
  if not c.state then return { 'gone', -1, '0', '0', 0, {}, {}, {} } end
  local estimate_was = c.estimate
  local flags, late_ms = settle_all(k, c, argv, 9, tonumber(argv[8]), argv[2])
  local shed, want = 0, tonumber(argv[6])
  if c.state == 'active' and want > 0 then
    local fits = math.max(1, math.floor(tonumber(argv[5]) / math.max(c.estimate + OVERHEAD_MS, 0.01)))
    shed = claim(k, c, math.min(want, fits), tonumber(argv[7]), c.cap, c.queued_max)
  end
  local running = redis.call('ZCARD', k.active)
  local at, left = ready_at(k, c, running, c.cap, c.queued_max, shed)
  keep_context(k, c, left, running, estimate_was)
  local names, definitions = {}, {}
  for name in pairs(c.names) do names[#names + 1] = name end
  if #names > 0 then
    for i, text in ipairs(redis.call('HMGET', k.workflows, unpack(names))) do
      definitions[#definitions + 1] = names[i]
      definitions[#definitions + 1] = text or ''
    end
  end
  local charge = #c.runs * (c.estimate + OVERHEAD_MS) / c.weight
  return { c.state, c.state == 'active' and at or -1, string.format('%.6f', charge), string.format('%.6f', late_ms / c.weight),
    c.run_ms, flags, definitions, c.runs }
end
