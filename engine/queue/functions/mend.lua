-- What a direct writer can do to its own stream beyond adding entries: ids of its choice, and trimming. Neither may leave the
-- tenant with a stream that takes nothing more, or with runs that wait for ever. Refuses to touch what runs.

-- Ids go on from now, or from the last entry that is left. Everything is delivered again: what runs or waits for another
-- attempt is known by its head.
local function mend_ids(k, now)
  local top = redis.call('XREVRANGE', k.events, '+', '-', 'COUNT', 1)[1]
  local ahead = top and tonumber(string.match(top[1], '^%d+')) > now
  redis.pcall('XSETID', k.events, ahead and top[1] or digits(now + 1) .. '-0')
  redis.pcall('XGROUP', 'SETID', k.events, GROUP, '0')
end

-- Adds an entry. Nil when no id is left: after an entry with the largest id of all, which is a dead letter then.
local function add_entry(k, now, bytes_max, ...)
  local id = redis.pcall('XADD', k.events, '*', ...)
  if type(id) == 'string' then return id end
  local gone = {}
  for _, entry in ipairs(redis.call('XREVRANGE', k.events, '+', digits(now + FUTURE_MS), 'COUNT', 100)) do
    if redis.call('HEXISTS', k.runs, entry[1]) == 0 then
      local f = fields_of(entry[2])
      bury(k, entry[1], f, 'id-in-future', now, bytes_max)
      gone[#gone + 1] = entry[1]
    end
  end
  if #gone > 0 then redis.call('XDEL', k.events, unpack(gone)) end
  mend_ids(k, now)
  id = redis.pcall('XADD', k.events, '*', ...)
  return type(id) == 'string' and id or nil
end

-- Waiting runs that have a head, and waiting entries: fewer entries than heads means that some were trimmed away.
local function entries_lost(k)
  local running = redis.call('ZCARD', k.active)
  local heads = redis.call('ZCARD', k.index) - redis.call('ZCARD', k.ended) - running
  return heads > 0 and heads > redis.call('XLEN', k.events) - running
end

-- ARGV: tenant, wake channel, rank among the tenant's runs to begin at. The rank to go on at, or 0 at the end. Runs that
-- wait and have no entry any more are dead letters.
local function reconcile(keys, argv)
  local k, from, page = named(keys), tonumber(argv[3]), 500
  local c = context(k, argv[1], 0, 60000)
  if not c.state then return 0 end
  local ids = redis.call('ZRANGE', k.index, from, from + page - 1)
  if #ids == 0 then return 0 end
  local ends = {}
  for i, head in ipairs(redis.call('HMGET', k.runs, unpack(ids))) do
    if head and status_of(head) == 'queued' and #redis.call('XRANGE', k.events, ids[i], ids[i]) == 0 then
      local e = read_head({ id = ids[i], head = head, status = 'dead', field = '"error":"its entry was removed from the stream"' })
      bury_run(k, e.id, e.base, 'entry-lost', c.now, c.bytes_max)
      redis.call('ZREM', k.retry, e.id)
      ends[#ends + 1] = e
    end
  end
  finish_all(k, c, ends, argv[2])
  end_full(k, c, redis.call('XLEN', k.events) - redis.call('ZCARD', k.active))
  keep_count(k, c.m, c.now)
  return #ids == page and from + page or 0
end
