-- Admission regulates arrival: the window and the bound of the queue. Occupancy is the claim's, waiting the scheduler's.

-- ARGV: tenant, workflow, input (JSON), window in ms. {'ok', entry id} or {code, ms to wait}.
-- The window comes first: its wait is exact, so a client that hears it need not ask again before.
local function admit(keys, argv)
  local k = named(keys)
  local tenant, workflow, input, window = argv[1], argv[2], argv[3], tonumber(argv[4])
  local ctl = redis.call('HMGET', k.ctl, 'state', 'startsPerMinute', 'maxQueued')
  if ctl[1] ~= 'active' then return { 'tenant-unknown', 0 } end
  if redis.call('HEXISTS', k.workflows, workflow) == 0 then return { 'workflow-unknown', 0 } end
  local limit = tonumber(ctl[2])
  local now = now_ms()
  local wait = window_wait(k.win, limit, now, window)
  if wait > 0 then return { 'rate-limited', wait } end
  local queued = redis.call('XLEN', k.events) - redis.call('ZCARD', k.active)
  if queued >= tonumber(ctl[3]) then return { 'queue-full', 1000 } end
  window_charge(k.win, limit, now)
  local id = redis.call('XADD', k.events, '*', 'v', '1', 'tenant', tenant, 'workflow', workflow, 'input', input)
  local tail = '{"workflow":"' .. workflow .. '","source":"api","queuedAt":' .. digits(now) .. ',"input":' .. input .. '}'
  set_record(k, id, '{"status":"queued"}', tail)
  redis.call('ZADD', k.index, digits(now), id)
  return { 'ok', id }
end
