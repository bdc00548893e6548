-- Leases: prolonging them, and what happens when nobody did. A run past its hard deadline is timed out, whoever ran it;
-- one whose worker fell silent is tried again, and after its last attempt it is a dead letter.

-- ARGV: lease ms, fence, … The fences that are void: ended, or taken by somebody else.
local function renew(keys, argv)
  local k, now, void = named(keys), now_ms(), {}
  for i = 2, #argv do
    local head = redis.call('ZSCORE', k.active, argv[i]) and redis.call('HGET', k.runs, string.match(argv[i], '^[^/]+'))
    if head then
      redis.call('ZADD', k.active, digits(math.min(now + tonumber(argv[1]), number_of(head, 'deadline'))), argv[i])
    else
      void[#void + 1] = argv[i]
    end
  end
  return void
end

-- ARGV: tenant, wake channel. {ended or given back, time of the next look or 0 when nothing runs, -1/0/time as `turn`}.
local function reap(keys, argv)
  local k = named(keys)
  local c = context(k, argv[1], 0, 60000)
  if not c.state then return { 0, 0, -1 } end
  local overdue, ends = redis.call('ZRANGEBYSCORE', k.active, '-inf', '(' .. digits(c.now), 'LIMIT', 0, 100), {}
  for _, member in ipairs(overdue) do
    local id = string.match(member, '^[^/]+')
    local head = redis.call('HGET', k.runs, id)
    if c.now > (number_of(head, 'deadline') or 0) then
      ends[#ends + 1] = { id = id, head = head, status = 'timed-out', field = LATE, member = member }
    else
      -- The first retry comes at once; a run that takes its worker down with it is slowed then.
      local attempt = number_of(head, 'attempt')
      local said = '"error":"its worker fell silent ' .. attempt .. ' times"'
      try_again(k, argv[1], c, id, head, member, attempt, ATTEMPTS_MAX, c.now + 1000 * (attempt - 1), said, ends)
    end
  end
  local _
  _, _, c.estimate = finish_all(k, argv[1], ends, c.now, c.now_us, argv[2], c.m, c.estimate)
  retain(k, c.now)
  keep_count(k, c.m, c.now)
  local first = redis.call('ZRANGE', k.active, 0, 0, 'WITHSCORES')
  local at = ready_at(k, c, redis.call('ZCARD', k.active), c.cap, c.queued_max, 1)
  return { #overdue, tonumber(first[2] or 0), c.state == 'active' and at or -1 }
end

-- {1 when a turn would find something, 1 when `reap` would}. For the audit: reads only.
local function peek(keys)
  local k = named(keys)
  local running = redis.call('ZCARD', k.active)
  local left = redis.call('XLEN', k.events) - running
  local work, overdue = 0, 0
  local now = now_ms()
  if left > 0 then
    local ctl = redis.call('HMGET', k.ctl, 'state', 'concurrentRuns', 'maxQueued')
    if ctl[1] == 'active' and (running < tonumber(ctl[2]) or left > tonumber(ctl[3])) then
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
    if oldest[2] and tonumber(oldest[2]) < now - KEPT_MS then overdue = 1 end
  end
  return { work, overdue }
end
