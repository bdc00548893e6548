-- The end of a run, once. Fenced by `active`: whoever is no longer in it (reaped, tenant removed) is ignored.

-- ARGV: tenant, entry id, attempt, status, field (JSON member), wake channel.
-- {1 when it counted, the status it got, 1 when the tenant was at its cap and has more}.
local function complete(keys, argv)
  local k = named(keys)
  local member = argv[2] .. '/' .. argv[3]
  local deadline = redis.call('ZSCORE', k.active, member)
  if not deadline then return { 0, '', 0 } end
  local now = now_ms()
  local status, field = argv[4], argv[5]
  if now > tonumber(deadline) and status ~= 'timed-out' then
    status, field = 'timed-out', '"error":"the run took longer than maxRunMs"'
  end
  local running = redis.call('ZCARD', k.active)
  finish(k, argv[1], argv[2], member, status, field, now, argv[6])
  local cap = tonumber(redis.call('HGET', k.ctl, 'concurrentRuns'))
  local more = running >= cap and redis.call('XLEN', k.events) > running - 1
  return { 1, status, more and 1 or 0 }
end

-- ARGV: tenant, wake channel. Ends what is past its hard deadline, whoever ran it; how many.
local function reap(keys, argv)
  local k = named(keys)
  local now = now_ms()
  local overdue = redis.call('ZRANGEBYSCORE', k.active, '-inf', '(' .. digits(now), 'LIMIT', 0, 100)
  for _, member in ipairs(overdue) do
    local id = string.match(member, '^[^/]+')
    finish(k, argv[1], id, member, 'timed-out', '"error":"the run took longer than maxRunMs"', now, argv[2])
  end
  return #overdue
end

-- {1 when a turn would find something, 1 when a run is overdue}. For the audit: reads only.
local function peek(keys)
  local k = named(keys)
  local running = redis.call('ZCARD', k.active)
  local left = redis.call('XLEN', k.events) - running
  local work, overdue = 0, 0
  if left > 0 then
    local ctl = redis.call('HMGET', k.ctl, 'concurrentRuns', 'maxQueued')
    if ctl[1] and (running < tonumber(ctl[1]) or left > tonumber(ctl[2])) then work = 1 end
  end
  if running > 0 then
    local first = redis.call('ZRANGE', k.active, 0, 0, 'WITHSCORES')
    if tonumber(first[2]) < now_ms() then overdue = 1 end
  end
  return { work, overdue }
end
