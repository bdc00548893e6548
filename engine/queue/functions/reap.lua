-- Leases: prolonging them, and what happens when nobody did. A run past its hard deadline is timed out, whoever ran it;
-- one whose worker fell silent is tried again, and after its last attempt it is a dead letter.

-- ARGV: lease ms, fence, … The fences that are void: ended, or taken by somebody else.
local function renew(keys, argv)
  local k, now, void = named(keys), now_ms(), {}
  for i = 2, #argv do
    local head = redis.call('ZSCORE', k.active, argv[i]) and redis.call('HGET', k.runs, string.match(argv[i], '^[^/]+'))
    -- One that was ended by somebody else has no deadline any more.
    local deadline = head and deadline_of(head)
    if deadline then
      redis.call('ZADD', k.active, digits(math.min(now + tonumber(argv[1]), deadline)), argv[i])
    else
      void[#void + 1] = argv[i]
    end
  end
  return void
end

-- ARGV: tenant, wake channel. {ended or given back, time of the next look or 0 when nothing runs, -1/0/time as `turn`,
-- what the tenant is to be charged beyond its claims, in virtual ms, as text}.
local function reap(keys, argv)
  local k = named(keys)
  local c = context(k, argv[1], 0, 60000)
  if not c.state then return { 0, 0, -1, '0' } end
  local estimate_was = c.estimate
  local overdue, ends = redis.call('ZRANGEBYSCORE', k.active, '-inf', '(' .. digits(c.now), 'LIMIT', 0, 100), {}
  for _, member in ipairs(overdue) do
    local id = string.match(member, '^[^/]+')
    local e = { id = id, member = member, head = redis.call('HGET', k.runs, id) }
    if e.head then read_head(e) end
    if not e.started_at then
      give_back(k, { id }, { member })
    elseif c.now > e.deadline then
      e.status, e.field = 'timed-out', LATE
      ends[#ends + 1] = e
    else
      -- The first retry comes at once; a run that takes its worker down with it is slowed then.
      e.field = '"error":"its worker fell silent ' .. e.attempt .. ' times"'
      try_again(k, c, e, ATTEMPTS_MAX, c.now + 1000 * (e.attempt - 1), ends)
    end
  end
  finish_all(k, c, ends, argv[2])
  retain(k, c.now)
  keep_count(k, c.m, c.now)
  keep_estimate(k, c, estimate_was)
  local first = redis.call('ZRANGE', k.active, 0, 0, 'WITHSCORES')
  local at = ready_at(k, c, redis.call('ZCARD', k.active), c.cap, c.queued_max, 1)
  return { #overdue, tonumber(first[2] or 0), c.state == 'active' and at or -1, string.format('%.6f', c.owed / c.weight) }
end

-- {1 when a turn would find something, 1 when `reap` would, 1 when `reconcile` would}. For the audit: reads only.
local function peek(keys)
  local k = named(keys)
  local running = redis.call('ZCARD', k.active)
  local left = redis.call('XLEN', k.events) - running
  local work, overdue = 0, 0
  local now = now_ms()
  if left > 0 then
    local ctl = redis.call('HMGET', k.ctl, 'state', 'concurrentRuns', 'maxQueued')
    if left > tonumber(ctl[3] or left) then
      work = 1
    elseif ctl[1] == 'active' and running < tonumber(ctl[2]) then
      local fresh = left > redis.call('ZCARD', k.retry)
      if fresh or redis.call('ZCOUNT', k.retry, '-inf', digits(now)) > 0 then work = 1 end
    end
  end
  if running > 0 then
    local first = redis.call('ZRANGE', k.active, 0, 0, 'WITHSCORES')
    if tonumber(first[2]) < now then overdue = 1 end
  end
  if overdue == 0 then
    local oldest = redis.call('ZRANGE', k.ended, 0, 0, 'WITHSCORES')
    local before = digits(now - KEPT_MS)
    if oldest[2] and tonumber(oldest[2]) < now - KEPT_MS then overdue = 1 end
    -- Nothing is read of what is young: an entry may be large.
    if #redis.call('XRANGE', k.dead, '-', before, 'COUNT', 1) > 0 then overdue = 1 end
    if #redis.call('XRANGE', k.history, '-', before, 'COUNT', 1) > 0 then overdue = 1 end
  end
  return { work, overdue, entries_lost(k) and 1 or 0 }
end
