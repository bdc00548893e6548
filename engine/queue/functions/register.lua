-- The names carry the digest of this source, so that versions of the engine live side by side on one Redis.

local function register(name, callback)
  redis.register_function('pw_@DIGEST@_' .. name, callback)
end

register('setup', setup)
register('relimit', relimit)
register('define', define)
register('drop', drop)
register('admit', admit)
register('claim', claim)
register('complete', complete)
register('reap', reap)
register('sched', sched)
redis.register_function{ function_name = 'pw_@DIGEST@_peek', callback = peek, flags = { 'no-writes' } }
