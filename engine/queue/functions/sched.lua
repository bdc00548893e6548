-- Turns between ready tenants, in the scheduler's own slot. Round robin for now: a tenant that comes back goes behind all
-- that wait. The tag is a number in `ready`, so virtual time can take its place without another structure.

-- KEYS: ready, lease, dirty, turn. ARGV: turns wanted, lease in ms, number of settles, (tenant, more) …, tenants with work …
-- {tenants left in ready, tenant, …}. A tenant under lease is not given out again; work that comes meanwhile is noted in
-- `dirty` and brings it back when its turn is settled.
local function sched(keys, argv)
  local ready, lease, dirty, turn = keys[1], keys[2], keys[3], keys[4]
  local now = now_ms()
  local function queue_up(tenant)
    if not redis.call('ZSCORE', ready, tenant) then
      redis.call('ZADD', ready, redis.call('INCR', turn), tenant)
    end
  end
  local settles = tonumber(argv[3])
  local at = 4
  for _ = 1, settles do
    local tenant = argv[at]
    redis.call('ZREM', lease, tenant)
    if redis.call('SREM', dirty, tenant) == 1 or argv[at + 1] == '1' then queue_up(tenant) end
    at = at + 2
  end
  for i = at, #argv do
    local until_ms = redis.call('ZSCORE', lease, argv[i])
    if until_ms and tonumber(until_ms) > now then
      redis.call('SADD', dirty, argv[i])
    else
      queue_up(argv[i])
    end
  end
  local out = { 0 }
  if tonumber(argv[1]) > 0 then
    local popped = redis.call('ZPOPMIN', ready, tonumber(argv[1]))
    for i = 1, #popped, 2 do
      redis.call('ZADD', lease, digits(now + tonumber(argv[2])), popped[i])
      out[#out + 1] = popped[i]
    end
  end
  out[1] = redis.call('ZCARD', ready)
  return out
end
