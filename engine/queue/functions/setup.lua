-- A tenant's beginning, its limits, its definitions, its end.

-- ARGV: field, value, … of ctl. 0 when the tenant exists. What a direct writer may have left under this id since the
-- last tenant of the name was removed is unlinked first: the same id used again sees nothing old.
local function setup(keys, argv)
  local k = named(keys)
  if redis.call('EXISTS', k.ctl) == 1 then return 0 end
  redis.call('UNLINK', unpack(keys))
  redis.call('HSET', k.ctl, unpack(argv))
  redis.call('XGROUP', 'CREATE', k.events, GROUP, '0', 'MKSTREAM')
  return 1
end

-- ARGV: field, value, … of ctl. 0 when there is no such tenant: a plain HSET would create half of one.
local function relimit(keys, argv)
  local k = named(keys)
  if redis.call('EXISTS', k.ctl) == 0 then return 0 end
  redis.call('HSET', k.ctl, unpack(argv))
  return 1
end

-- ARGV: name, definition (JSON).
local function define(keys, argv)
  local k = named(keys)
  if redis.call('EXISTS', k.ctl) == 0 then return 0 end
  redis.call('HSET', k.workflows, argv[1], argv[2])
  return 1
end

-- The fixed set of keys is all that a tenant has. Runs in flight are fenced by this: they are no longer in `active`.
local function drop(keys)
  local existed = redis.call('EXISTS', keys[1])
  redis.call('UNLINK', unpack(keys))
  return existed
end
