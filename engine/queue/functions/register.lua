-- The names carry the digest of this source, so that versions of the engine live side by side on one Redis.

local function register(name, callback, flags)
  redis.register_function{ function_name = 'pw_@DIGEST@_' .. name, callback = callback, flags = flags or {} }
end

register('setup', setup)
register('relimit', relimit)
register('suspend', suspend)
register('define', define)
register('drop', drop)
register('admit', admit)
register('cancel', cancel)
register('redrive', redrive)
register('turn', turn)
register('renew', renew)
register('reap', reap)
register('reconcile', reconcile)
register('sched', sched)
register('due', due)
register('rest', rest)
register('forget', forget)
register('auditor', auditor)
register('peek', peek, { 'no-writes' })
register('meter', meter, { 'no-writes' })
register('waiting', waiting, { 'no-writes' })
