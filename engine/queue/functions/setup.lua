-- A tenant's beginning, its limits, its definitions, its end.

local CHANGES_MAX = 1000
local WORKFLOWS_MAX = 1000

-- What an auditor asks for later: which limit or state was set to what, and when. Never the token's digest.
local function note_change(k, what, argv)
  local said = {}
  for i = 1, #argv, 2 do
    if argv[i] ~= 'token' then
      said[#said + 1] = argv[i]
      said[#said + 1] = argv[i + 1]
    end
  end
  redis.call('XADD', k.changes, 'MAXLEN', '~', CHANGES_MAX, '*', 'what', what, unpack(said))
end

-- ARGV: field, value, … of ctl. 0 when the tenant exists. What a direct writer may have left under this id since the
-- last tenant of the name was removed is unlinked first: the same id used again sees nothing old. The epoch is part of
-- every fence, so nothing that the last tenant of the name had in flight can end a run of this one.
local function setup(keys, argv)
  local k = named(keys)
  if redis.call('EXISTS', k.ctl) == 1 then return 0 end
  redis.call('UNLINK', unpack(keys))
  local t = redis.call('TIME')
  -- Microseconds: also when the tenant was made.
  redis.call('HSET', k.ctl, 'epoch', digits(tonumber(t[1]) * 1000000 + tonumber(t[2])), unpack(argv))
  redis.call('XGROUP', 'CREATE', k.events, GROUP, '0', 'MKSTREAM')
  note_change(k, 'created', argv)
  return 1
end

-- ARGV: field, value, … of ctl. 0 when there is no such tenant: a plain HSET would create half of one.
local function relimit(keys, argv)
  local k = named(keys)
  if redis.call('EXISTS', k.ctl) == 0 then return 0 end
  redis.call('HSET', k.ctl, unpack(argv))
  note_change(k, 'changed', argv)
  return 1
end

-- ARGV: 'suspended' or 'active'. 0 when there is no such tenant.
local function suspend(keys, argv)
  return relimit(keys, { 'state', argv[1] })
end

-- ARGV: name, definition (JSON). 0 when there is no such tenant, -1 when it has as many as it may have.
local function define(keys, argv)
  local k = named(keys)
  if redis.call('EXISTS', k.ctl) == 0 then return 0 end
  if redis.call('HLEN', k.workflows) >= WORKFLOWS_MAX and redis.call('HEXISTS', k.workflows, argv[1]) == 0 then return -1 end
  redis.call('HSET', k.workflows, argv[1], argv[2])
  return 1
end

-- The fixed set of keys is all that a tenant has. Runs in flight are fenced by this: they are no longer in `active`.
-- {1 when it existed, keys removed, queued, in flight, finished, dead letters}.
local function drop(keys)
  local k = named(keys)
  local existed, active = redis.call('EXISTS', k.ctl), redis.call('ZCARD', k.active)
  local queued = math.max(0, redis.call('XLEN', k.events) - active)
  local ended, dead = redis.call('ZCARD', k.ended), redis.call('XLEN', k.dead)
  return { existed, redis.call('UNLINK', unpack(keys)), queued, active, ended, dead }
end
