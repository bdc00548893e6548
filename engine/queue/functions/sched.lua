-- Start-time fair queueing between tenants, in the scheduler's own slot. Virtual time is slot time divided by weight: a
-- turn is charged an estimate when it is settled, corrected when its runs end. Only tenants that can run something are in
-- `ready`; one at its cap or waiting for a time is not, so it cannot hold virtual time back. Refuses to know any run.

-- At most so many remembered tags; the lowest go first, which are the nearest to what a newcomer gets anyway.
local IDLE_MAX = 20000

local function schedule(keys)
  return {
    ready = keys[1], parked = keys[2], lease = keys[3], lt = keys[4], idle = keys[5], vt = keys[6], dirty = keys[7],
    inflight = keys[8], bell = keys[9], tenants = keys[10],
  }
end

local function micros(ms)
  return string.format('%.0f', ms * 1000)
end

local function tag_text(tag)
  return string.format('%.9f', tag)
end

local Turns = {}
Turns.__index = Turns

-- Equal tags would be ordered by name: every tag gets a hair of its own, in the order of arrival.
function Turns.enter(s, tenant, tag)
  s.seq = s.seq + 1
  redis.call('ZADD', s.k.ready, tag_text(tag + (s.seq % 1000) * 1e-6), tenant)
end

-- A newcomer starts half a quantum before virtual time, and never before what it has used: nothing is banked by idling,
-- and nothing is forgotten by it. Tags of equal tenants come in steps of one turn: with less than a mean turn, one that
-- uses little would stand behind all that are on the same step.
function Turns.newcomer(s, tag)
  return math.max(s.floor, tonumber(tag or s.floor))
end

function Turns.leased(s, tenant)
  local until_ms = redis.call('ZSCORE', s.k.lease, tenant)
  return until_ms and tonumber(until_ms) > s.now
end

-- A tenant that may have something to run. Work that comes during its turn is noted, and brings it back when that is settled.
function Turns.arrive(s, tenant)
  if s:leased(tenant) then
    redis.call('SADD', s.k.dirty, tenant)
  elseif not redis.call('ZSCORE', s.k.ready, tenant) then
    local tag = redis.call('ZSCORE', s.k.idle, tenant)
    if tag then redis.call('ZREM', s.k.idle, tenant) end
    redis.call('ZREM', s.k.parked, tenant)
    s:enter(tenant, s:newcomer(tag))
  end
end

-- `base`: the tag that the runs were claimed under; below 0 when it is not known. What is told of a tenant that was removed
-- meanwhile leaves no trace.
function Turns.correct(s, tenant, delta, base)
  if base < 0 then base = s.floor end
  if redis.call('ZSCORE', s.k.ready, tenant) then
    redis.call('ZINCRBY', s.k.ready, tag_text(delta), tenant)
  elseif redis.call('HEXISTS', s.k.lt, tenant) == 1 then
    redis.call('HINCRBYFLOAT', s.k.lt, tenant, tag_text(delta))
  elseif redis.call('ZSCORE', s.k.idle, tenant) then
    redis.call('ZINCRBY', s.k.idle, tag_text(delta), tenant)
  elseif base + delta > s.floor and redis.call('ZSCORE', s.k.tenants, tenant) then
    redis.call('ZADD', s.k.idle, tag_text(base + delta), tenant)
  end
end

-- The end of a turn: the tag taken at the pick, plus the charge. Never the virtual time of now, which others have moved.
-- After 'gone' no trace of the tenant is left; 'more' goes on, a number parks until then, 'none' waits for a bell.
function Turns.settle(s, tenant, state, charge)
  local tag = redis.call('HGET', s.k.lt, tenant)
  -- Its lease had run out and somebody else settled it: only the charge is left to be said.
  if not tag then return state ~= 'gone' and s:correct(tenant, charge, s.floor) end
  redis.call('HDEL', s.k.lt, tenant)
  redis.call('ZREM', s.k.lease, tenant)
  local noted = redis.call('SREM', s.k.dirty, tenant) == 1
  if state == 'gone' then
    -- Unless the id is in use again by now: then somebody has to look after what runs.
    if not redis.call('ZSCORE', s.k.tenants, tenant) then redis.call('ZREM', s.k.inflight, tenant) end
    return
  end
  tag = tonumber(tag) + charge
  if charge > 0 then s.mean = s.mean + (charge - s.mean) / 16 end
  if noted or state == 'more' then return s:enter(tenant, tag) end
  if state ~= 'none' then redis.call('ZADD', s.k.parked, state, tenant) end
  if tag > s.floor then redis.call('ZADD', s.k.idle, tag_text(tag), tenant) end
end

-- Turns whose worker died, and tenants whose time has come. By score, so a storm of later ones hides nothing.
function Turns.wake(s)
  for _, tenant in ipairs(redis.call('ZRANGEBYSCORE', s.k.lease, '-inf', digits(s.now), 'LIMIT', 0, 16)) do
    local tag = redis.call('HGET', s.k.lt, tenant)
    redis.call('HDEL', s.k.lt, tenant)
    redis.call('ZREM', s.k.lease, tenant)
    redis.call('SREM', s.k.dirty, tenant)
    s:enter(tenant, s:newcomer(tag))
  end
  for _, tenant in ipairs(redis.call('ZRANGEBYSCORE', s.k.parked, '-inf', digits(s.now), 'LIMIT', 0, 64)) do
    redis.call('ZREM', s.k.parked, tenant)
    s:arrive(tenant)
  end
end

-- A picked tenant is in `inflight` before anything of it can run, so a worker that dies right then is noticed. The microsecond
-- on the score tells the reaper, which wants to strike it off, that it was picked meanwhile. Whole numbers: Redis reads and
-- writes fractions at ten times the cost.
function Turns.pick(s, n, lease_ms, look_ms, out)
  local popped = redis.call('ZPOPMIN', s.k.ready, n)
  local leases, tags = {}, {}
  for i = 1, #popped, 2 do
    local tenant, tag = popped[i], popped[i + 1]
    s.now_vt = math.max(s.now_vt, tonumber(tag))
    leases[#leases + 1] = digits(s.now + lease_ms)
    leases[#leases + 1] = tenant
    tags[#tags + 1] = tenant
    tags[#tags + 1] = tag
    out[#out + 1] = tenant
    out[#out + 1] = tag
    if redis.call('ZADD', s.k.inflight, 'NX', micros(s.now + look_ms), tenant) == 0 then
      redis.call('ZINCRBY', s.k.inflight, '1', tenant)
    end
  end
  if #tags == 0 then return end
  redis.call('ZADD', s.k.lease, unpack(leases))
  redis.call('HSET', s.k.lt, unpack(tags))
end

-- ARGV: turns wanted, lease of a turn ms, first look of the reaper ms, quantum ms, number of settles, (tenant, state,
-- charge) …, number of corrections, (tenant, delta, base) …, tenants with work …
-- {tenants left, ms to the next parked one or -1, tenant, tag, …}.
local function sched(keys, argv)
  local k = schedule(keys)
  local known = redis.call('HMGET', k.vt, 'vt', 'seq', 'mean')
  local vt, seq, mean = tonumber(known[1] or 0), tonumber(known[2] or 0), tonumber(known[3] or 0)
  local floor = vt - math.max(tonumber(argv[4]) / 2, mean)
  local s = setmetatable({ k = k, now = now_ms(), now_vt = vt, seq = seq, mean = mean, floor = floor }, Turns)
  local at = 6
  for _ = 1, tonumber(argv[5]) do
    s:settle(argv[at], argv[at + 1], tonumber(argv[at + 2]))
    at = at + 3
  end
  at = at + 1
  for _ = 1, tonumber(argv[at - 1]) do
    s:correct(argv[at], tonumber(argv[at + 1]), tonumber(argv[at + 2]))
    at = at + 3
  end
  for i = at, #argv do s:arrive(argv[i]) end
  local rung = redis.call('LPOP', k.bell, 100) or {}
  for _, tenant in ipairs(rung) do
    if tenant ~= '' then s:arrive(tenant) end
  end
  s:wake()
  local out = { 0, -1 }
  if tonumber(argv[1]) > 0 then s:pick(tonumber(argv[1]), tonumber(argv[2]), tonumber(argv[3]), out) end
  out[1] = redis.call('ZCARD', k.ready)
  -- Somebody else may have a free slot for what is left: one empty ring wakes one sleeper.
  if out[1] > 0 and #rung < 100 then redis.call('RPUSH', k.bell, '') end
  local parked = redis.call('ZRANGE', k.parked, 0, 0, 'WITHSCORES')
  if parked[2] then out[2] = math.max(0, tonumber(parked[2]) - s.now) end
  redis.call('HSET', k.vt, 'vt', tag_text(s.now_vt), 'seq', s.seq, 'mean', tag_text(s.mean))
  redis.call('ZREMRANGEBYSCORE', k.idle, '-inf', '(' .. tag_text(s.floor))
  if redis.call('ZCARD', k.idle) > IDLE_MAX then redis.call('ZREMRANGEBYRANK', k.idle, 0, -(IDLE_MAX + 1)) end
  return out
end

-- ARGV: tenants wanted, ms until they are looked at again. {tenant, score, …}: the reaper's next ones; it strikes off,
-- with `rest`, those in which nothing runs.
local function due(keys, argv)
  local k, now = schedule(keys), now_ms()
  local out = {}
  for _, tenant in ipairs(redis.call('ZRANGEBYSCORE', k.inflight, '-inf', micros(now), 'LIMIT', 0, tonumber(argv[1]))) do
    local look = micros(now + tonumber(argv[2]))
    redis.call('ZADD', k.inflight, look, tenant)
    out[#out + 1] = tenant
    out[#out + 1] = look
  end
  return out
end

-- ARGV: (tenant, score as `due` gave it, time of the next look in ms or 0) … A tenant that was picked meanwhile keeps its place.
local function rest(keys, argv)
  local k = schedule(keys)
  for i = 1, #argv, 3 do
    local score = redis.call('ZSCORE', k.inflight, argv[i])
    if score and tonumber(score) == tonumber(argv[i + 1]) then
      if argv[i + 2] == '0' then
        redis.call('ZREM', k.inflight, argv[i])
      else
        redis.call('ZADD', k.inflight, micros(tonumber(argv[i + 2])), argv[i])
      end
    end
  end
  return 1
end

-- ARGV: tenant. How many traces it had; the registry is the caller's to mind.
local function forget(keys, argv)
  local k, tenant = schedule(keys), argv[1]
  local had = redis.call('HDEL', k.lt, tenant) + redis.call('SREM', k.dirty, tenant) + redis.call('LREM', k.bell, 0, tenant)
  for _, name in ipairs({ 'ready', 'parked', 'lease', 'idle', 'inflight' }) do
    had = had + redis.call('ZREM', k[name], tenant)
  end
  return had
end

-- ARGV: who, for how many ms. 1 when it is the one that audits: one process at a time looks through the registry.
local function auditor(keys, argv)
  local key = keys[1]
  local known = redis.call('GET', key)
  if known and known ~= argv[1] then return 0 end
  redis.call('SET', key, argv[1], 'PX', argv[2])
  return 1
end
