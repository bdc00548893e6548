-- One call settles the last runs of a tenant and takes its next ones. Fenced by `active`: whoever is no longer in it
-- (reaped, cancelled, tenant removed and perhaps created anew) is ignored.

local LATE = '"error":"the run took longer than maxRunMs"'

-- A run that is to be tried again keeps its entry; one that was tried often enough is a dead letter.
local function try_again(k, c, e, attempts_max, at, ends)
  local attempt = tonumber(e.attempt)
  if attempt < attempts_max then
    redis.call('ZREM', k.active, e.member)
    redis.call('HSET', k.runs, e.id, head_of(e.base, '"status":"queued","attempt":' .. attempt + 1))
    redis.call('ZADD', k.retry, digits(at), e.id)
    charge_slot(c, e)
    return
  end
  bury_run(k, e.id, e.base, 'attempts-exhausted', c.now, c.bytes_max)
  e.status = 'dead'
  ends[#ends + 1] = e
end

-- argv from `at` on, six a run: entry id, fence, slot time ms or '', status, field, JSON of what the steps used or ''. For a
-- retry the field is `<attempts at most> <ms to wait> "error":…`. Flags: 1 when the outcome counted.
local function settle_all(k, c, argv, at, n, channel)
  local flags, ends = {}, {}
  local ids, members = {}, {}
  for i = 0, n - 1 do
    ids[#ids + 1] = argv[at + 6 * i]
    members[#members + 1] = argv[at + 6 * i + 1]
  end
  if n == 0 then return flags end
  local scores = redis.call('ZMSCORE', k.active, unpack(members))
  local heads = redis.call('HMGET', k.runs, unpack(ids))
  for i = 1, n do
    flags[i] = 0
    local e = scores[i] and { id = ids[i], member = members[i], head = heads[i] }
    if e and e.head then read_head(e) end
    if e and not e.started_at then
      -- Somebody else ended it while it ran; only its place is left to be given back.
      give_back(k, { e.id }, { e.member })
    elseif e and argv[at + 6 * (i - 1) + 3] ~= 'given-up' then
      local p = at + 6 * (i - 1)
      local status, field = argv[p + 3], argv[p + 4]
      flags[i], e.took = 1, tonumber(argv[p + 2])
      if status ~= 'timed-out' and c.now > e.deadline then status, field = 'timed-out', LATE end
      e.status, e.field = status, field
      if status == 'retry' then
        local most, wait, said = string.match(field, '^(%d+) (%d+) (.*)$')
        e.field = said
        try_again(k, c, e, tonumber(most), c.now + tonumber(wait), ends)
      else
        ends[#ends + 1] = e
      end
      if argv[p + 5] ~= '' then
        for name, used in string.gmatch(argv[p + 5], '"(%a+)":(%d+)') do count(c.m, name, tonumber(used)) end
      end
    end
  end
  finish_all(k, c, ends, channel)
  return flags
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
  if c.cap_since > 0 and (not at_cap or c.now - c.cap_since > 10000) then count_stretch(c.m, 'atCap', c.cap_since, c.now) end
  if at_cap and (c.cap_since == 0 or c.now - c.cap_since > 10000) then set('capSince', digits(c.now)) end
  if not at_cap and c.cap_since > 0 then set('capSince', '0') end
  end_full(k, c, left)
  if c.largest > 2 * c.expected or c.largest > 0 and 2 * c.largest < c.expected and c.expected > 256 then set('largest', c.largest) end
  if #write > 0 then redis.call('HSET', k.ctl, unpack(write)) end
  keep_count(k, c.m, c.now)
end

-- ARGV: tenant, wake channel, window ms, lease ms, slot time of a turn ms, want, budget, number of outcomes, then six an outcome.
-- {state, next, charge, correction, maxRunMs, flags, definitions, epoch, runs}: state 'active', 'suspended' or 'gone'; next as
-- `ready_at` says; charge and correction in virtual ms, as text.
local function turn(keys, argv)
  local k = named(keys)
  local c = context(k, argv[1], tonumber(argv[4]), tonumber(argv[3]))
  if not c.state then return { 'gone', -1, '0', '0', 0, {}, {}, '', {} } end
  local estimate_was = c.estimate
  local flags = settle_all(k, c, argv, 9, tonumber(argv[8]), argv[2])
  local shed, want = 0, tonumber(argv[6])
  if c.state == 'active' and want > 0 then
    local fits = math.max(1, math.floor(tonumber(argv[5]) / math.max(c.estimate + OVERHEAD_MS, 0.01)))
    shed = claim(k, c, math.min(want, fits), tonumber(argv[7]), c.cap, c.queued_max)
  elseif want > 0 then
    -- A suspended tenant starts nothing, but what is written into its stream is held to the same bound.
    shed = shed_newest(k, c, redis.call('XLEN', k.events) - redis.call('ZCARD', k.active) - c.queued_max, tonumber(argv[7]))
  end
  local running = redis.call('ZCARD', k.active)
  local at, left = ready_at(k, c, running, c.cap, c.queued_max, shed)
  if c.state ~= 'active' then at = shed > 0 and left > c.queued_max and 0 or -1 end
  -- Nothing was found of what seems to be there: the next bell or the audit knows better than turn after turn.
  if at == 0 and want > 0 and #c.runs + c.vain == 0 then at = -1 end
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
  -- What was looked at in vain is no free turn: a flood of what cannot start would come before everybody.
  charge = charge + c.vain * OVERHEAD_MS / c.weight
  return { c.state, at, string.format('%.6f', charge), string.format('%.6f', c.owed / c.weight),
    c.run_ms, flags, definitions, c.epoch, c.runs }
end
