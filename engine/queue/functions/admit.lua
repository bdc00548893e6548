-- Admission regulates arrival: the window and the bound of the queue. Occupancy is the claim's, waiting the scheduler's.

local RING_AGAIN_MS = 1000

-- Time at a limit is added once for each stretch of it: `until` is where the last stretch that was counted ends.
local function count_rate(k, ctl_until, now, wait, m)
  local from = math.max(now, tonumber(ctl_until or 0))
  if now + wait > from then
    count(m, 'atRateMs', now + wait - from)
    redis.call('HSET', k.ctl, 'rateUntil', digits(now + wait))
  end
end

-- One start: nil and the entry id, and 1 when the doorbell must be rung; or the code and the milliseconds to wait, or the bytes that
-- are allowed. What cannot start at any time comes first and is counted nowhere; then the window: its wait is exact, so a client that hears it need not ask again before. `armed` is when the bell was
-- rung last for work that is still there; a ring that was lost is repeated by the next start after a second.
local function start_run(k, tenant, workflow, input, window, source, key)
  local ctl = redis.call('HMGET', k.ctl, 'startsPerMinute', 'maxQueued', 'armed', 'rateUntil', 'fullSince', 'maxPayloadBytes')
  local limit, now, m = tonumber(ctl[1]), now_ms(), {}
  if redis.call('HEXISTS', k.workflows, workflow) == 0 then return 'workflow-unknown', 0 end
  if #input > tonumber(ctl[6]) then return 'payload-too-large', tonumber(ctl[6]) end
  local wait = window_wait(k.win, limit, now, window)
  if wait > 0 then
    count(m, 'refusedRate', 1)
    count_rate(k, ctl[4], now, wait, m)
    keep_count(k, m, now)
    return 'rate-limited', wait
  end
  if redis.call('XLEN', k.events) - redis.call('ZCARD', k.active) >= tonumber(ctl[2]) then
    count(m, 'refusedQueue', 1)
    if not ctl[5] then redis.call('HSET', k.ctl, 'fullSince', digits(now)) end
    keep_count(k, m, now)
    return 'queue-full', 1000
  end
  local id = add_entry(k, now, tonumber(ctl[6]), 'v', '1', 'tenant', tenant, 'workflow', workflow, 'input', input)
  if not id then return 'queue-full', 1000 end
  window_charge(k.win, limit, now)
  redis.call('HSET', k.runs, id, head_of(base_for(workflow, source, digits(now), key), '"status":"queued","attempt":1'))
  redis.call('HSET', k.inputs, id, input)
  redis.call('ZADD', k.index, digits(now), id)
  local ring = tonumber(ctl[3] or 0) < now - RING_AGAIN_MS and 1 or 0
  if ring == 1 then redis.call('HSET', k.ctl, 'armed', digits(now)) end
  return nil, id, ring
end

-- ARGV: tenant, workflow, input (JSON), window in ms, idempotency key or '', digest of the start.
-- {'ok', entry id, ring}, {'repeated', entry id, 0} or {code, ms to wait, 0}. A repeated start is charged nothing.
local function admit(keys, argv)
  local k = named(keys)
  local state, key = redis.call('HGET', k.ctl, 'state'), argv[5]
  if not state then return { 'tenant-unknown', 0, 0 } end
  if state ~= 'active' then return { 'suspended', 0, 0 } end
  if key ~= '' then
    local known = redis.call('HGET', k.idem, key)
    if known then
      local id, digest = string.match(known, '^(%S+) (%S+)$')
      if digest == argv[6] then return { 'repeated', id, 0 } end
      return { 'conflict', 0, 0 }
    end
  end
  local code, detail, ring = start_run(k, argv[1], argv[2], argv[3], tonumber(argv[4]), 'api', key)
  if code then return { code, detail, 0 } end
  if key ~= '' then redis.call('HSET', k.idem, key, detail .. ' ' .. argv[6]) end
  return { 'ok', detail, ring }
end

-- ARGV: tenant, entry id, wake channel. {'cancelled', 1 when it ran, fence or '', 1 when more can run, what the tenant is to be
-- charged beyond its claim, in virtual ms, as text} or {'finished', status} or {'unknown'}. One that runs has ended for everybody
-- who asks; its place is given back when its worker says that it stopped.
local function cancel(keys, argv)
  local k, id = named(keys), argv[2]
  local head = redis.call('HGET', k.runs, id)
  if not head then return { 'unknown' } end
  local status = status_of(head)
  if status ~= 'queued' and status ~= 'running' then return { 'finished', status } end
  local c = context(k, argv[1], 0, 60000)
  local e = { id = id, head = head, status = 'cancelled', field = '"error":"cancelled"' }
  if status == 'running' then
    e.member, e.held = member_of(id, attempt_of(head), c.epoch), true
  else
    redis.call('ZREM', k.retry, id)
  end
  local estimate_was = c.estimate
  finish_all(k, c, { e }, argv[3])
  end_full(k, c, redis.call('XLEN', k.events) - redis.call('ZCARD', k.active))
  keep_count(k, c.m, c.now)
  keep_estimate(k, c, estimate_was)
  return { 'cancelled', e.member and 1 or 0, e.member or '', redis.call('XLEN', k.events) > 0 and 1 or 0,
    string.format('%.6f', c.owed / c.weight) }
end

-- ARGV: tenant, letter id, window in ms. As `admit`, or {'missing'}, {'unfit', reason}. The letter goes with the start, in
-- the same instant: it is redriven once.
local function redrive(keys, argv)
  local k = named(keys)
  local state = redis.call('HGET', k.ctl, 'state')
  if not state then return { 'tenant-unknown', 0, 0 } end
  if state ~= 'active' then return { 'suspended', 0, 0 } end
  local found = redis.call('XRANGE', k.dead, argv[2], argv[2])[1]
  if not found then return { 'missing', 0, 0 } end
  local f = {}
  for i = 1, #found[2], 2 do f[found[2][i]] = found[2][i + 1] end
  if f.cut == '1' then return { 'unfit', 'payload-too-large', 0 } end
  if redis.call('HEXISTS', k.workflows, f.workflow) == 0 then return { 'unfit', 'workflow-unknown', 0 } end
  local input = f.input ~= '' and f.input or 'null'
  if not is_json(input) then return { 'unfit', 'input-malformed', 0 } end
  local code, detail, ring = start_run(k, argv[1], f.workflow, input, tonumber(argv[3]), 'redrive', nil)
  if code == 'payload-too-large' then return { 'unfit', code, 0 } end
  if code then return { code, detail, 0 } end
  redis.call('XDEL', k.dead, argv[2])
  return { 'ok', detail, ring }
end
